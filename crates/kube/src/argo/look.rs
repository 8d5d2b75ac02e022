//! Looking at what there is: the Services, the `Rollout`, and the `ReplicaSet`s of the pods that matter.
//!
//! The Services are read first. So a run that comes late finds either the newer fence in the `Rollout`, or a Service that is no longer
//! the one that it read.

use tagship_domain::ModelName;
use tagship_ports::PortError;

use super::{
    ArgoTarget,
    services::PORT,
    settings::{canary_service, stable_service},
    view::{Pods, View},
};
use crate::{cluster::Kind, endpoint, marks::marked, owners::refuse_others, silence::Silence};

impl ArgoTarget {
    /// What there is.
    pub(super) async fn look(
        &self,
        operation: &str,
        model: &ModelName,
        silence: Silence,
    ) -> Result<View, PortError> {
        let name = &self.settings.name;
        let stable = self.namespace.get(Kind::Service, &stable_service(name)).await?;
        let canary = self.namespace.get(Kind::Service, &canary_service(name)).await?;
        let rollout = self.namespace.get(Kind::Rollout, name).await?;
        for (kind, object) in [(Kind::Service, &stable), (Kind::Service, &canary), (Kind::Rollout, &rollout)]
        {
            object.as_ref().map_or(Ok(()), |object| refuse_others(operation, kind, object, model))?;
        }
        let mut view = View::new(model, rollout, stable, canary)?;
        for hash in view.hashes() {
            let set = self.namespace.get(Kind::ReplicaSet, &format!("{name}-{hash}")).await;
            let Some(set) = silence.or(set, None)? else { continue };
            if let Some((version, digest)) = marked(&set["spec"]["template"]) {
                let available = set["status"]["availableReplicas"].as_u64().unwrap_or_default();
                view.pods.insert(hash, Pods { version, digest, available });
            }
        }
        if view.must_answer() {
            let (namespace, name) = (&self.namespace, &canary_service(name));
            let service = endpoint::Service { namespace, name, port: PORT, model, operation };
            view.answers = silence.or(service.is_ready().await, false)?;
        }
        Ok(view)
    }
}

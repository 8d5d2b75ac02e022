//! Looking at what there is: the `InferenceService`, the notebook, and the newest revision, which is believed to be of a version
//! only if it says so itself. A version is loaded when its own server says that the model is.

use serde_json::Value;
use tagship_domain::ModelName;
use tagship_ports::{PortError, Problem};

use super::{
    KserveTarget, PORT,
    refusals::{refuse_mode, refuse_others},
    view::{Newest, View},
};
use crate::{cluster::Kind, endpoint};

/// Where a revision says which bytes its pods load (`StorageInitializerSourceUriInternalAnnotationKey` of `KServe`).
const SOURCE: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";

/// What it means that the newest revision, or its server, cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Silence {
    /// Nothing can be decided.
    Fails,
    /// The version is not ready. So the way back depends on nothing that may be down.
    NotReady,
}

impl Silence {
    fn or<T>(self, answer: Result<T, PortError>, unknown: T) -> Result<T, PortError> {
        match (answer, self) {
            (Err(_), Self::NotReady) => Ok(unknown),
            (answer, _) => answer,
        }
    }
}

impl KserveTarget {
    /// What there is, in whichever mode.
    pub(super) async fn look(
        &self,
        operation: &str,
        model: &ModelName,
        silence: Silence,
    ) -> Result<View, PortError> {
        let service = self.namespace.get(Kind::InferenceService, &self.settings.name).await?;
        if let Some(service) = &service {
            refuse_others(operation, service, model)?;
        }
        let notebook = self.namespace.get(Kind::ConfigMap, &self.settings.notebook()).await?;
        let mut view = View::new(model, service, notebook)?;
        if view.memory.model != *model {
            let message = format!("ConfigMap {} is of model {}", self.settings.notebook(), view.memory.model);
            return Err(PortError::new(Problem::Conflict, operation, message)
                .hint("give each model a `name` of its own"));
        }
        if let Some(service) = view.service.as_ref().filter(|_| view.newest().is_none()) {
            let message = format!("storageUri {:?} is of no version that Tagship wrote", service.uri);
            return Err(PortError::new(Problem::Conflict, operation, message)
                .hint("write the address of the version before back, or delete the InferenceService"));
        }
        self.look_closer(operation, &mut view, silence).await?;
        Ok(view)
    }

    /// What there is, in a mode in which shares mean what they say.
    pub(super) async fn see(&self, operation: &str, model: &ModelName) -> Result<View, PortError> {
        let view = self.look(operation, model, Silence::Fails).await?;
        view.service.as_ref().map_or(Ok(()), |service| refuse_mode(operation, &service.object))?;
        Ok(view)
    }

    /// What the newest revision says of itself, and its server of the model.
    async fn look_closer(&self, operation: &str, view: &mut View, silence: Silence) -> Result<(), PortError> {
        let Some(created) = view.service.as_ref().and_then(|service| service.created.clone()) else {
            return Ok(());
        };
        let revision = silence.or(self.namespace.get(Kind::Revision, &created).await, None)?;
        let revision = revision.unwrap_or(Value::Null);
        let uri = revision["metadata"]["annotations"][SOURCE].as_str().unwrap_or_default().to_owned();
        view.said = Some(Newest { uri, answers: true });
        if view.must_answer() {
            let served_as = self.settings.served_as()?;
            let name = private(&created);
            let pods = endpoint::Service {
                namespace: &self.namespace,
                name: &name,
                port: PORT,
                model: &served_as,
                operation,
            };
            let answers = silence.or(pods.is_ready().await, false)?;
            view.said.iter_mut().for_each(|newest| newest.answers = answers);
        }
        Ok(())
    }
}

/// Knative's Service of the pods of a revision themselves; the other one asks for a header.
pub(super) fn private(revision: &str) -> String {
    format!("{revision}-private")
}

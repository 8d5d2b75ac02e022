//! Target `argo-rollouts`: one `Rollout` of Argo, whose router shares traffic between two Services. Tagship writes the pod template and
//! the steps, one share at a time, and Argo's own controller brings pods up and shifts.
//!
//! One version is written, one is kept as stable; others are remembered and can be written again.

mod look;
mod manifest;
mod memory;
mod moves;
mod orders;
mod refusals;
mod rights;
mod rollout;
mod services;
mod settings;
mod steps;
#[cfg(test)]
mod tests;
mod view;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};
use tagship_domain::{
    Digest, ModelName, Version,
    golden::GoldenCases,
    routing::Routing,
    traffic::{TargetState, Weight},
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    Backend, ModelRunner, PortError, Problem, ReleaseAddresses, Target,
    model_runner::{GoldenBounds, Subject as Asked, ask_cases},
    target::{Capabilities, Done, Needs, Order},
};
use tokio::sync::OnceCell;

use crate::{
    Addresses, cluster::Namespace, connection::Connection, endpoint, object::text, silence::Silence,
};
use manifest::{Manifest, Of};
use memory::Known;
use moves::Move;
pub(crate) use rights::access;
pub use settings::ArgoSettings;
pub(crate) use settings::refuse_no_names;

/// Traffic of a `Rollout`.
#[derive(Clone)]
pub struct ArgoTarget {
    namespace: Namespace,
    settings: Arc<ArgoSettings>,
    manifest: Arc<Manifest>,
    /// Where the bytes of versions are; absent where the manifest says it all.
    addresses: Option<Arc<dyn ReleaseAddresses>>,
    /// Whether it is known that all that is needed may be done: without golden cases, and with them.
    permitted: Arc<[OnceCell<()>; 2]>,
}

impl std::fmt::Debug for ArgoTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArgoTarget").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl ArgoTarget {
    /// Reads the settings and the manifest; the cluster is asked later. `addresses` is opened where the manifest needs it.
    ///
    /// # Errors
    /// For settings that it does not have, a manifest that cannot be used, or no way to a cluster.
    pub fn from_settings(
        settings: &Map<String, Value>,
        root: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
        addresses: Addresses<'_>,
    ) -> Result<Self, PortError> {
        let (settings, manifest) = ArgoSettings::read(settings, root)?;
        let addresses = if manifest.wants_address() { Some(addresses()?) } else { None };
        let connection = Connection::find(settings.context.clone(), variable)?;
        Ok(Self {
            namespace: Namespace { name: settings.namespace.clone(), connection },
            settings: Arc::new(settings),
            manifest: Arc::new(manifest),
            addresses,
            permitted: Arc::default(),
        })
    }

    /// The Service that leads to the pods of a version.
    async fn endpoint(
        &self,
        operation: &str,
        model: &ModelName,
        version: &Version,
    ) -> Result<String, PortError> {
        let view = self.look(operation, model, Silence::Fails).await?;
        moves::loaded(operation, &view, version)?;
        view.reaches(version).map(|service| text(service, "/metadata/name").to_owned()).ok_or_else(|| {
            let message = format!("no Service leads to pods of {version}");
            PortError::new(Problem::Unreachable, operation, message)
        })
    }
}

#[async_trait]
impl Target for ArgoTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: false, shadow: false, matches: false }
    }

    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        if needs.counters {
            let operation = "ask target argo-rollouts what it can do";
            let message = "a Rollout does not count what the versions answer";
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("give each metric a `source` of its own, e.g. Prometheus, or take `analysis` out"));
        }
        self.capabilities().check(needs)?;
        let access = access(&self.settings.namespace, &self.settings.name, needs.endpoints);
        let check = || access.check(&self.namespace);
        self.permitted[usize::from(needs.endpoints)].get_or_try_init(check).await.copied()
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        self.look(&format!("look for {model}"), model, Silence::Fails).await?.state()
    }

    async fn backend(&self, model: &ModelName, version: &Version) -> Result<Option<Backend>, PortError> {
        let operation = format!("look for {model} {version}");
        let view = self.look(&operation, model, Silence::Fails).await?;
        moves::loaded(&operation, &view, version)?;
        let hash = view.hash(version).ok_or_else(|| {
            PortError::new(Problem::NotFound, operation, format!("{version} has no pods yet"))
        })?;
        // Argo names a ReplicaSet after the Rollout and the hash of its pods, and so are the pods named.
        let name = format!("{}-{hash}", self.settings.name);
        Ok(Some(Backend { namespace: self.settings.namespace.clone(), name }))
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        _bytes: &Path,
    ) -> Result<Done, PortError> {
        let operation = format!("load {} {version}", order.model);
        let address = match &self.addresses {
            Some(addresses) => addresses.address(&order.model, version, digest).await?,
            None => String::new(),
        };
        let of = Of { model: &order.model, version, digest, address: &address };
        let object = self.manifest.rollout(&self.settings, of);
        let object = object.map_err(|why| PortError::new(Problem::Invalid, &operation, why))?;
        let known = Known { digest: digest.clone(), template: object["spec"]["template"].clone() };
        self.carry_out(&operation, order, Silence::Fails, |view| {
            moves::prepare(&operation, view, version, &known, &object)
        })
        .await
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        let decide = |view: &view::View| moves::set_weight(&operation, view, version, weight);
        self.carry_out(&operation, order, Silence::Fails, decide).await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let operation = format!("route the requests of {}", order.model);
        if *routing != Routing::default() {
            let message = "target argo-rollouts leads no requests by their headers and copies none";
            return Err(PortError::new(Problem::Unsupported, operation, message));
        }
        let decide = |view: &view::View| Ok(Move::none(view.memory.clone(), Done::AlreadyThere));
        self.carry_out(&operation, order, Silence::Fails, decide).await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("promote {} {version}", order.model);
        let decide = |view: &view::View| moves::promote(&operation, view, version);
        self.carry_out(&operation, order, Silence::Fails, decide).await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let operation = format!("roll {} back to {back}", order.model);
        let decide = |view: &view::View| moves::rollback(&operation, view, to);
        self.carry_out(&operation, order, Silence::NotReady, decide).await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        let decide = |view: &view::View| moves::cleanup(&operation, view, version);
        self.carry_out(&operation, order, Silence::NotReady, decide).await
    }
}

#[async_trait]
impl ModelRunner for ArgoTarget {
    async fn run(&self, subject: &Asked, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let unjudged =
            |status, message: String| GoldenReport { status, cases: vec![], message: Some(message) };
        let Asked::Endpoint { model, version } = subject else {
            let message = "target argo-rollouts runs golden cases against loaded versions only".to_owned();
            return unjudged(Status::Incomplete, message);
        };
        let operation = format!("ask {model} {version}");
        let name = match self.endpoint(&operation, model, version).await {
            Ok(name) => name,
            Err(error) => return unjudged(Status::Error, error.to_string()),
        };
        let (namespace, port) = (&self.namespace, services::PORT);
        let service = endpoint::Service { namespace, name: &name, port, model, operation: &operation };
        let report = ask_cases(&service, cases, bounds).await;
        // Argo leads its Services to other pods at any time.
        match self.endpoint(&operation, model, version).await {
            Ok(after) if after == name => report,
            Ok(_) => unjudged(Status::Error, format!("{operation}: its pods changed while they were asked")),
            Err(error) => unjudged(Status::Error, error.to_string()),
        }
    }
}

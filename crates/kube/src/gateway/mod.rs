//! Target `gateway-api`: a Deployment and a Service per version, named after its digest, and one `HTTPRoute` that shares
//! requests among them. Going back starts no pod.
//!
//! Weights are in force when every gateway has accepted the generation that has them. The route remembers the highest
//! fence and which version is stable; that and the weights change in one write, guarded by the resource version.

mod orders;
mod route;
mod settings;
#[cfg(test)]
mod tests;
mod view;
mod workload;

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
    ModelRunner, PortError, Problem, Target,
    model_runner::{GoldenBounds, Subject as Asked, ask_cases},
    target::{Capabilities, Done, Needs, Order},
};
use tokio::sync::OnceCell;

use crate::{
    access,
    cluster::{Kind, Namespace},
    connection::Connection,
    endpoint,
};
use orders::{begin, loaded, refuse_busy};
use route::Wanted;
pub use settings::GatewaySettings;
use view::{Loaded, View};
use workload::{Manifest, Subject, selector};

/// Traffic behind a gateway.
#[derive(Debug, Clone)]
pub struct GatewayApiTarget {
    namespace: Namespace,
    settings: Arc<GatewaySettings>,
    manifest: Arc<Manifest>,
    /// Whether it is known that all that is needed may be done.
    permitted: Arc<OnceCell<()>>,
}

impl GatewayApiTarget {
    /// Reads the settings and the manifest; the cluster is asked later.
    ///
    /// # Errors
    /// For settings that it does not have, a manifest that cannot be used, or no way to a cluster.
    pub fn from_settings(
        settings: &Map<String, Value>,
        root: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let (settings, manifest) = GatewaySettings::read(settings, root)?;
        let connection = Connection::find(settings.context.clone(), variable)?;
        Ok(Self {
            namespace: Namespace { name: settings.namespace.clone(), connection },
            settings: Arc::new(settings),
            manifest: Arc::new(manifest),
            permitted: Arc::default(),
        })
    }

    async fn look(&self, model: &ModelName) -> Result<View, PortError> {
        let route = self.namespace.get(Kind::Route, &self.settings.route).await?;
        let deployments = self.namespace.list(Kind::Deployment, &selector(&self.settings.route)).await?;
        let view = View::read(route.as_ref(), &deployments)?;
        match view.route.as_ref().map(|route| &route.memory.model) {
            Some(other) if other != model => {
                let message = format!("HTTPRoute {} serves model {other}", self.settings.route);
                Err(PortError::new(Problem::Conflict, format!("look for {model}"), message)
                    .hint("give each model a `route` of its own"))
            }
            _ => Ok(view),
        }
    }

    fn subject<'a>(&'a self, model: &'a ModelName, version: &'a Version, digest: &'a Digest) -> Subject<'a> {
        Subject { namespace: &self.settings.namespace, app: &self.settings.route, model, version, digest }
    }
}

#[async_trait]
impl Target for GatewayApiTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: false, shadow: false, matches: true }
    }

    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        if needs.counters {
            let message = "the route does not count what the versions answer";
            return Err(PortError::new(
                Problem::Unsupported,
                "ask target gateway-api what it can do",
                message,
            )
            .hint("give each metric a `source` of its own, e.g. Prometheus, or take `analysis` out"));
        }
        self.capabilities().check(needs)?;
        self.permitted.get_or_try_init(|| access::check(&self.namespace)).await.copied()
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        Ok(self.look(model).await?.state())
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        _bytes: &Path,
    ) -> Result<Done, PortError> {
        let operation = format!("load {} {version}", order.model);
        let subject = self.subject(&order.model, version, digest);
        let view = self.look(&order.model).await?;
        begin(&operation, order, &view)?;
        for other in &view.loaded {
            if (other.version == *version) != (other.digest == *digest)
                || (other.name == subject.name()) != (other.digest == *digest)
            {
                let message =
                    format!("{} is loaded with {}, not {version} with {digest}", other.version, other.digest);
                return Err(PortError::new(Problem::Conflict, operation, message));
            }
        }
        let is_new = view.version(version).is_none();
        if is_new {
            self.load(&operation, order, &subject, &view).await?;
        }
        let name = subject.name();
        let routed = self.change(&operation, order, |_, wanted| {
            wanted.backends.entry(name.clone()).or_insert(0);
            Ok(())
        });
        let routed = routed.await?;
        match view.version(version) {
            Some(Loaded { failure: Some(why), .. }) => {
                Err(PortError::new(Problem::Invalid, operation, why.clone()))
            }
            Some(Loaded { ready: true, .. }) => Ok(routed),
            _ => Ok(Done::Pending),
        }
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        let share = |view: &View, wanted: &mut Wanted| {
            loaded(&operation, view, version)?;
            let rest = 100 - weight.get();
            let stable = wanted.memory.stable.clone().filter(|stable| stable != version);
            match stable {
                Some(stable) => wanted.share(view, &[(version, weight.get()), (&stable, rest)]),
                // Weights are proportions: alone, any share is all of it.
                None if ![Weight::NONE, Weight::ALL].contains(&weight) => {
                    let message = "no other version is stable and could keep the rest";
                    return Err(PortError::new(Problem::Unsupported, &operation, message));
                }
                None => wanted.share(view, &[(version, weight.get())]),
            }
            Ok(())
        };
        self.change(&operation, order, share).await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let operation = format!("route the requests of {}", order.model);
        if routing.sticky.is_some() || routing.shadow.is_some() {
            let message = "target gateway-api keeps no client on its side and copies no requests";
            return Err(PortError::new(Problem::Unsupported, operation, message));
        }
        let lead = |view: &View, wanted: &mut Wanted| {
            if let Some(matched) = &routing.matched {
                loaded(&operation, view, &matched.version)?;
            }
            wanted.memory.matched.clone_from(&routing.matched);
            Ok(())
        };
        self.change(&operation, order, lead).await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("promote {} {version}", order.model);
        self.change(&operation, order, |view, wanted| {
            loaded(&operation, view, version)?;
            give_all(view, wanted, Some(version));
            Ok(())
        })
        .await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let operation = format!("roll {} back to {back}", order.model);
        self.change(&operation, order, |view, wanted| {
            if let Some(version) = to {
                loaded(&operation, view, version)?;
            }
            give_all(view, wanted, to);
            Ok(())
        })
        .await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        let view = self.look(&order.model).await?;
        begin(&operation, order, &view)?;
        let name = view.version(version).map(|loaded| loaded.name.clone());
        let routed = self.change(&operation, order, |view, wanted| {
            refuse_busy(&operation, view, version)?;
            if let Some(name) = &name {
                wanted.backends.remove(name);
            }
            Ok(())
        });
        let routed = routed.await?;
        let Some(name) = name else { return Ok(routed) };
        // The Deployment tells that the version is loaded, so that it goes last.
        for kind in [Kind::Service, Kind::Deployment] {
            self.namespace.delete(kind, &name).await?;
        }
        Ok(Done::Applied)
    }
}

fn give_all(view: &View, wanted: &mut Wanted, to: Option<&Version>) {
    wanted.memory.matched = None;
    wanted.memory.stable = to.cloned();
    match to {
        Some(version) => wanted.share(view, &[(version, 100)]),
        None => wanted.share(view, &[]),
    }
}

#[async_trait]
impl ModelRunner for GatewayApiTarget {
    async fn run(&self, subject: &Asked, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let unjudged =
            |status, message: String| GoldenReport { status, cases: vec![], message: Some(message) };
        let Asked::Endpoint { model, version } = subject else {
            let message = "target gateway-api runs golden cases against loaded versions only".to_owned();
            return unjudged(Status::Incomplete, message);
        };
        let operation = format!("ask {model} {version}");
        let found = self.look(model).await.and_then(|view| loaded(&operation, &view, version).cloned());
        match found {
            Ok(loaded) => {
                let service = endpoint::Service {
                    namespace: &self.namespace,
                    name: &loaded.name,
                    port: self.settings.port,
                    model,
                    operation: &operation,
                };
                ask_cases(&service, cases, bounds).await
            }
            Err(error) => unjudged(Status::Error, error.to_string()),
        }
    }
}

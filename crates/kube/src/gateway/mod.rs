//! Target `gateway-api`: a Deployment and a Service per version, named after its digest, and one `HTTPRoute` that shares
//! requests among them. Going back starts no pod.
//!
//! Weights are in force when every gateway has accepted the generation that has them. The route remembers the highest
//! fence and which version is stable; that and the weights change in one write, guarded by the resource version.

mod memory;
mod objects;
mod orders;
mod rights;
mod route;
mod settings;
mod standing;
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
    Backend, ModelRunner, PortError, Problem, Target,
    model_runner::{GoldenBounds, Subject as Asked, ask_cases},
    target::{Capabilities, Done, Needs, Order},
};
use tokio::sync::OnceCell;

use crate::{
    cluster::{Kind, Namespace},
    connection::Connection,
    digests, endpoint,
};
use memory::Known;
use orders::{begin, loaded, refuse_busy, refuse_unready};
pub(crate) use rights::access;
use route::Wanted;
pub use settings::GatewaySettings;
pub(crate) use settings::refuse_no_names;
use standing::Route;
pub(crate) use standing::Standing;
use view::{Loaded, View};
use workload::{Manifest, PORT, Subject, selector};

/// Traffic behind a gateway.
#[derive(Debug, Clone)]
pub struct GatewayApiTarget {
    namespace: Namespace,
    settings: Arc<GatewaySettings>,
    manifest: Arc<Manifest>,
    /// Whether it is known that all that is needed may be done: without golden cases, and with them.
    permitted: Arc<[OnceCell<()>; 2]>,
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
        let route = route.map(Route::read).transpose()?;
        if let Some(other) = route.as_ref().map(|route| &route.memory.model).filter(|other| *other != model) {
            let message = format!("HTTPRoute {} serves model {other}", self.settings.route);
            return Err(PortError::new(Problem::Conflict, format!("look for {model}"), message)
                .hint("give each model a `route` of its own"));
        }
        let mut deployments = self.namespace.list(Kind::Deployment, &selector(&self.settings.route)).await?;
        let known = route.iter().flat_map(|route| route.memory.versions.values());
        for Known { name, .. } in known {
            // One that lost its labels is there all the same.
            if !deployments.iter().any(|deployment| deployment["metadata"]["name"] == name.as_str()) {
                deployments.extend(self.namespace.named(Kind::Deployment, name).await?);
            }
        }
        Ok(View::new(route, deployments))
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
        let access = access(&self.settings.namespace, &self.settings.route, needs.endpoints);
        let check = || access.check(&self.namespace);
        self.permitted[usize::from(needs.endpoints)].get_or_try_init(check).await.copied()
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        self.look(model).await?.state()
    }

    async fn backend(&self, model: &ModelName, version: &Version) -> Result<Option<Backend>, PortError> {
        let view = self.look(model).await?;
        let name = loaded(&format!("look for {model} {version}"), &view, version)?.name.clone();
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
        let subject = Subject {
            namespace: &self.settings.namespace,
            app: &self.settings.route,
            version,
            digest,
            order,
        };
        let mut view = self.look(&order.model).await?;
        begin(&operation, order, &view)?;
        refuse_other_bytes(&operation, &subject, &view)?;
        let before = view.version(version).cloned();
        let is_written = self.load(&operation, order, &subject, &mut view).await?;
        let known = Known { name: subject.name(), digest: digest.clone() };
        let routed = self.change_from(view, &operation, order, |_, wanted| {
            wanted.backends.entry(known.name.clone()).or_insert(0);
            wanted.memory.versions.insert(version.clone(), known.clone());
            Ok(())
        });
        let routed = routed.await?;
        match before {
            _ if is_written && before.as_ref().is_none_or(|loaded| !loaded.ready) => Ok(Done::Pending),
            Some(Loaded { failure: Some(why), .. }) => Err(PortError::new(Problem::Invalid, operation, why)),
            Some(Loaded { ready: true, .. }) => Ok(match routed {
                Done::AlreadyThere if is_written => Done::Applied,
                routed => routed,
            }),
            _ => Ok(Done::Pending),
        }
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        let share = |view: &View, wanted: &mut Wanted| {
            loaded(&operation, view, version)?;
            let stable = wanted.memory.stable.clone().filter(|stable| stable != version);
            let mut shares = vec![(version, weight.get())];
            match &stable {
                Some(stable) => shares.push((stable, 100 - weight.get())),
                // Weights are proportions: alone, any share is all of it.
                None if ![Weight::NONE, Weight::ALL].contains(&weight) => {
                    let message = "no other version is stable and could keep the rest";
                    return Err(PortError::new(Problem::Unsupported, &operation, message));
                }
                None => {}
            }
            for (version, share) in &shares {
                refuse_unready(&operation, view, version, *share)?;
            }
            wanted.share(view, &shares);
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
            let to = to.map(|version| loaded(&operation, view, version)).transpose()?;
            give_all(view, wanted, to.map(|loaded| &loaded.version));
            // What else there was may be broken, and a gateway would object to that.
            wanted.backends.retain(|name, _| to.is_some_and(|loaded| loaded.name == *name));
            Ok(())
        })
        .await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        let view = self.look(&order.model).await?;
        begin(&operation, order, &view)?;
        let loaded = view.version(version).map(|loaded| loaded.name.clone());
        let name = match &loaded {
            Some(name) => Some(name.clone()),
            None => self.left_behind(order, version, &view).await?,
        };
        let routed = self.change_from(view, &operation, order, |view, wanted| {
            refuse_busy(&operation, view, version)?;
            if let Some(name) = &name {
                wanted.backends.remove(name);
            }
            wanted.memory.versions.remove(version);
            Ok(())
        });
        let routed = routed.await?;
        let Some(name) = name else { return Ok(routed) };
        self.remove(&operation, order, Kind::Service, &name, version).await?;
        // The Deployment tells that the version is loaded, so that it goes last.
        if loaded.is_some() {
            self.remove(&operation, order, Kind::Deployment, &name, version).await?;
        }
        Ok(Done::Applied)
    }
}

/// Refuses a version that is loaded with other bytes, and a name that other bytes have.
fn refuse_other_bytes(operation: &str, subject: &Subject<'_>, view: &View) -> Result<(), PortError> {
    let Subject { version, digest, .. } = subject;
    let loaded = view.loaded.iter().map(|loaded| (&loaded.version, &loaded.digest));
    digests::refuse_other_bytes(operation, loaded, version, digest)?;
    let other = view.loaded.iter().find(|other| (other.name == subject.name()) != (other.digest == **digest));
    let Some(other) = other else { return Ok(()) };
    let message = format!("{} is loaded with {}, not {version} with {digest}", other.version, other.digest);
    Err(PortError::new(Problem::Conflict, operation, message))
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
                    port: PORT,
                    model,
                    operation: &operation,
                };
                ask_cases(&service, cases, bounds).await
            }
            Err(error) => unjudged(Status::Error, error.to_string()),
        }
    }
}

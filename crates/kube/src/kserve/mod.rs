//! Target `kserve`: one `InferenceService`. In Knative mode its newest revision gets a percentage of the traffic, and the one that was
//! rolled out before keeps the rest. In Standard mode a canary beside the stable version does, where a route carries its share.
//!
//! In Knative mode one version is the newest, one keeps the rest; others are remembered and can be loaded again. Before the first version is
//! given traffic, the `InferenceService` is kept inside the cluster.

mod load;
mod look;
mod manifest;
mod memory;
mod moves;
mod orders;
mod refusals;
mod rights;
mod service;
mod settings;
mod split;
mod standard;
#[cfg(test)]
mod tests;
mod view;
mod weight;

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
    Backend, Clock, ModelRunner, PortError, Problem, ReleaseAddresses, Target,
    model_runner::{GoldenBounds, Subject as Asked, ask_cases},
    target::{Capabilities, Done, Needs, Order},
};
use tokio::sync::OnceCell;

use crate::{
    Addresses,
    cluster::{Kind, Namespace},
    connection::Connection,
    endpoint,
    silence::Silence,
};
use manifest::{Manifest, Of};
use memory::Known;
use moves::Move;
pub(crate) use rights::access;
pub(crate) use settings::refuse_no_names;
pub use settings::{KserveSettings, Mode};

/// Port of the Service of a revision.
const PORT: u16 = 80;

/// Traffic of an `InferenceService`.
#[derive(Clone)]
pub struct KserveTarget {
    namespace: Namespace,
    settings: Arc<KserveSettings>,
    manifest: Arc<Manifest>,
    /// Where the bytes of versions are; absent where the manifest says it all.
    addresses: Option<Arc<dyn ReleaseAddresses>>,
    clock: Arc<dyn Clock>,
    /// Whether it is known that all that is needed may be done: without golden cases, and with them.
    permitted: Arc<[OnceCell<()>; 2]>,
}

impl std::fmt::Debug for KserveTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KserveTarget").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl KserveTarget {
    /// Reads the settings and the manifest; the cluster is asked later. `addresses` is opened where the manifest needs it.
    ///
    /// # Errors
    /// For settings that it does not have, a manifest that cannot be used, or no way to a cluster.
    pub fn from_settings(
        settings: &Map<String, Value>,
        root: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
        addresses: Addresses<'_>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let (settings, manifest) = KserveSettings::read(settings, root)?;
        let addresses = if manifest.wants_address() { Some(addresses()?) } else { None };
        let connection = Connection::find(settings.context.clone(), variable)?;
        Ok(Self {
            namespace: Namespace { name: settings.namespace.clone(), connection },
            settings: Arc::new(settings),
            manifest: Arc::new(manifest),
            addresses,
            clock,
            permitted: Arc::default(),
        })
    }

    fn is_standard(&self) -> bool {
        self.settings.mode == Mode::Standard
    }

    /// Where the newest version answers although it has no traffic: its own revision.
    async fn endpoint(
        &self,
        operation: &str,
        model: &ModelName,
        version: &Version,
    ) -> Result<String, PortError> {
        let view = self.see(operation, model).await?;
        moves::loaded(operation, &view, version)?;
        if let Some(known) = view.memory.versions.get(version).filter(|_| self.is_standard()) {
            return Ok(split::pods(&self.settings.name, &known.predictor));
        }
        let revision = view.revision(version).filter(|_| !view.is_newest(version) || view.is_newest_ready());
        revision.map(look::private).ok_or_else(|| {
            PortError::new(
                Problem::Unreachable,
                operation,
                format!("{version} has no revision that is ready"),
            )
        })
    }
}

#[async_trait]
impl Target for KserveTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: false, shadow: false, matches: false }
    }

    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        let operation = "ask target kserve what it can do";
        if needs.counters {
            let message = "an InferenceService does not count what the versions answer";
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("give each metric a `source` of its own, e.g. Prometheus, or take `analysis` out"));
        }
        self.capabilities().check(needs)?;
        let access =
            access(&self.settings.namespace, &self.settings.name, self.settings.mode, needs.endpoints);
        self.permitted[usize::from(needs.endpoints)]
            .get_or_try_init(|| access.check(&self.namespace))
            .await?;
        let service = self.namespace.get(Kind::InferenceService, &self.settings.name).await?;
        service.map_or(Ok(()), |service| refusals::refuse_mode(operation, &service, self.settings.mode))
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        self.see(&format!("look for {model}"), model).await?.state()
    }

    async fn backend(&self, model: &ModelName, version: &Version) -> Result<Option<Backend>, PortError> {
        let operation = format!("look for {model} {version}");
        let view = self.see(&operation, model).await?;
        moves::loaded(&operation, &view, version)?;
        let name = match view.memory.versions.get(version).filter(|_| self.is_standard()) {
            Some(known) => Some(split::pods(&self.settings.name, &known.predictor)),
            None => view.revision(version).map(str::to_owned),
        };
        let name = name.ok_or_else(|| {
            PortError::new(Problem::NotFound, operation, format!("{version} has no revision yet"))
        })?;
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
        let service = self.manifest.service(&self.settings, of);
        let service = service.map_err(|why| PortError::new(Problem::Invalid, &operation, why))?;
        let predictor = service["spec"]["predictor"].clone();
        let known = Known { digest: digest.clone(), predictor, since: None, revision: None };
        self.carry_out(&operation, order, Silence::Fails, |view| {
            if self.is_standard() {
                standard::prepare(&operation, view, version, &known, &service)
            } else {
                load::prepare(&operation, view, version, &known, &service)
            }
        })
        .await
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        self.carry_out(&operation, order, Silence::Fails, |view| {
            if self.is_standard() {
                standard::set_weight(&operation, view, version, weight)
            } else {
                weight::set_weight(&operation, view, version, weight)
            }
        })
        .await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let operation = format!("route the requests of {}", order.model);
        if *routing != Routing::default() {
            let message = "target kserve leads no requests by their headers and copies none";
            return Err(PortError::new(Problem::Unsupported, operation, message));
        }
        self.carry_out(&operation, order, Silence::Fails, |view| {
            Ok(Move::none(view.memory.clone(), Done::AlreadyThere))
        })
        .await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("promote {} {version}", order.model);
        self.carry_out(&operation, order, Silence::Fails, |view| {
            if self.is_standard() {
                standard::promote(&operation, view, version)
            } else {
                moves::promote(&operation, view, version)
            }
        })
        .await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let operation = format!("roll {} back to {back}", order.model);
        self.carry_out(&operation, order, Silence::NotReady, |view| match to.filter(|_| self.is_standard()) {
            Some(to) => standard::promote(&operation, view, to),
            None => moves::rollback(&operation, view, to),
        })
        .await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        self.carry_out(&operation, order, Silence::NotReady, |view| {
            if self.is_standard() {
                standard::cleanup(&operation, view, version)
            } else {
                load::cleanup(&operation, view, version)
            }
        })
        .await
    }
}

#[async_trait]
impl ModelRunner for KserveTarget {
    async fn run(&self, subject: &Asked, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let unjudged =
            |status, message: String| GoldenReport { status, cases: vec![], message: Some(message) };
        let Asked::Endpoint { model, version } = subject else {
            let message = "target kserve runs golden cases against loaded versions only".to_owned();
            return unjudged(Status::Incomplete, message);
        };
        let operation = format!("ask {model} {version}");
        let found = self.endpoint(&operation, model, version).await;
        match found.and_then(|name| Ok((name, self.settings.served_as()?))) {
            Ok((name, served_as)) => {
                let service = endpoint::Service {
                    namespace: &self.namespace,
                    name: &name,
                    port: PORT,
                    model: &served_as,
                    operation: &operation,
                };
                ask_cases(&service, cases, bounds).await
            }
            Err(error) => unjudged(Status::Error, error.to_string()),
        }
    }
}

//! Target `flagger`: a `Canary` that Flagger leads and the team feeds. Tagship follows it and records what became of it; it writes
//! nothing, so that an order is done when Flagger has done it.
//!
//! Which version a pod template is of it says itself, by two annotations that the team writes with the image: Flagger copies them to
//! the primary Deployment when it promotes. A phase alone is never believed, see [`view`].

mod answers;
mod canary;
mod look;
mod rights;
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
    model_runner::{GoldenBounds, Subject},
    target::{Capabilities, Done, Needs, Order},
};

use crate::{cluster::Namespace, connection::Connection, digests::refuse_other_bytes};
use look::Watched;
pub(crate) use rights::access;
pub use settings::FlaggerSettings;
pub(crate) use settings::refuse_no_names;

/// A `Canary` of Flagger.
#[derive(Debug, Clone)]
pub struct FlaggerTarget {
    namespace: Namespace,
    settings: Arc<FlaggerSettings>,
    watched: Arc<Watched>,
}

impl FlaggerTarget {
    /// Reads the settings; the cluster is asked later.
    ///
    /// # Errors
    /// For settings that it does not have, or no way to a cluster.
    pub fn from_settings(
        settings: &Map<String, Value>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let settings = FlaggerSettings::read(settings)?;
        let connection = Connection::find(settings.context.clone(), variable)?;
        Ok(Self {
            namespace: Namespace { name: settings.namespace.clone(), connection },
            settings: Arc::new(settings),
            watched: Arc::default(),
        })
    }
}

#[async_trait]
impl Target for FlaggerTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: false, sticky: false, shadow: false, matches: false }
    }

    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        let operation = "ask target flagger what it can do";
        if needs != Needs::default() {
            let message =
                "Flagger shares the traffic and judges, as its Canary says, and Tagship only follows";
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("write steps, metrics and webhooks into `spec.analysis` of the Canary"));
        }
        self.look(operation).await.map(|_| ())
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        let operation = format!("look for {model}");
        self.look(&operation).await?.state(&operation)
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        _bytes: &Path,
    ) -> Result<Done, PortError> {
        let operation = format!("wait for {} {version}", order.model);
        let view = self.look(&operation).await?;
        let marks = [&view.tried, &view.primary].into_iter().filter_map(|workload| workload.mark.as_ref());
        refuse_other_bytes(&operation, marks.map(|mark| (&mark.version, &mark.digest)), version, digest)?;
        answers::take_up(&operation, &view, version)
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("follow {} {version}", order.model);
        if weight != Weight::ALL {
            let message = format!("Flagger decides about shares, and {weight} is not all of the traffic");
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("leave `strategy` out, and write the steps into `spec.analysis` of the Canary"));
        }
        answers::follow(&operation, &self.look(&operation).await?, version)
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        if routing.is_plain() {
            return Ok(Done::AlreadyThere);
        }
        let message = "Flagger routes as its Canary says";
        Err(PortError::new(Problem::Unsupported, format!("route {}", order.model), message)
            .hint("write `match`, `mirror` or `sessionAffinity` into `spec.analysis` of the Canary"))
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("follow {} {version}", order.model);
        answers::follow(&operation, &self.look(&operation).await?, version)
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let operation = format!("follow {} back to {back}", order.model);
        let candidate = order.note.as_ref().map(|note| &note.candidate);
        answers::back(&operation, &self.look(&operation).await?, to, candidate)
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let operation = format!("unload {} {version}", order.model);
        answers::unload(&operation, &self.look(&operation).await?, version)
    }
}

#[async_trait]
impl ModelRunner for FlaggerTarget {
    async fn run(&self, _: &Subject, _: &GoldenCases, _: GoldenBounds) -> GoldenReport {
        let message = "target flagger asks versions nothing: Flagger judges them".to_owned();
        GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(message) }
    }
}

//! Objectives for tools that judge them themselves: their queries, about one version.

use tagship_adapters::metric_sources::{PrometheusQueries, prometheus_queries};
use tagship_config::{Asks, ObjectiveSettings};
use tagship_domain::{Duration, Exit, Version, analysis::MetricKind};
use tagship_export::objective::{Measure, Objective, Watched};
use tagship_ports::{PortError, Question};
use tagship_release as release;
use tagship_runner::Failure;

use super::slo::before;
use crate::{
    failure::failed,
    pipeline::Place,
    workspace::{Workspace, located},
};

/// The objectives of a version, that which serves where none is named, and the names of those that are read elsewhere.
///
/// # Errors
/// Where nothing serves, where no objective is read from Prometheus, and for sources that are configured wrongly.
pub(crate) async fn watched(
    workspace: &Workspace,
    place: Place<'_>,
    version: Option<&Version>,
) -> Result<(Watched, Vec<String>), Failure> {
    let name = place.name;
    let version = match version {
        Some(version) => version.clone(),
        None => serving(workspace, place).await?,
    };
    let (mut objectives, mut elsewhere) = (vec![], vec![]);
    for settings in &place.model.monitor.slo {
        let found =
            measure(workspace, settings, &version).map_err(|error| located(&error, &settings.source))?;
        match found {
            Some(measure) => objectives.push(Objective { name: settings.name.clone(), measure }),
            None => elsewhere.push(settings.name.clone()),
        }
    }
    if objectives.is_empty() {
        return Err(Failure::usage(format!("no objective of {name} is read from Prometheus"))
            .hint(format!("add one with `source: {{ prometheus: ... }}` to models.{name}.monitor.slo")));
    }
    let runbook = place.model.monitor.alerts.runbook.clone();
    let (model, environment) = (name.clone(), place.environment.clone());
    Ok((Watched { model, environment, version, runbook, objectives, looks_every: None }, elsewhere))
}

async fn serving(workspace: &Workspace, place: Place<'_>) -> Result<Version, Failure> {
    let (name, environment) = (place.name, place.environment);
    let registry = workspace.registry().await?;
    let current = release::current(&registry, name, environment).map_err(failed)?;
    current.map(|current| current.version).ok_or_else(|| {
        let text = format!("write queries about a version: none of {name} serves in {environment}");
        Failure::new(Exit::Incomplete, "nothing-serves", text)
            .hint("deploy one first, or name one with --version")
    })
}

fn measure(
    workspace: &Workspace,
    settings: &ObjectiveSettings,
    version: &Version,
) -> Result<Option<Measure>, PortError> {
    let (kind, over) = match &settings.asks {
        Asks::Share { below: Some(_), .. } => (MetricKind::Latency, Duration::default()),
        Asks::Share { below: None, .. } => (MetricKind::ErrorRatio, Duration::default()),
        Asks::Value { over, .. } => (MetricKind::Value, *over),
    };
    let to = workspace.clock.now();
    let question = Question { version, candidate: version, stable: None, from: before(to, over), to };
    let queries = prometheus_queries(&settings.source, kind, &question)?;
    Ok(queries.and_then(|queries| match (&settings.asks, queries) {
        (Asks::Share { target, .. }, PrometheusQueries::Counts { bad, total }) => {
            Some(Measure::Counts { target: *target, bad, total })
        }
        (Asks::Share { target, below: Some(below) }, PrometheusQueries::Durations { buckets, millis }) => {
            let below_millis = below.as_secs_f64() * 1000.0;
            Some(Measure::Durations { target: *target, below: below_millis / millis, below_millis, buckets })
        }
        (Asks::Value { bound, over, severity }, PrometheusQueries::Value { query, step }) => {
            let over = step.map(|_| *over);
            Some(Measure::Value { bound: *bound, over, severity: *severity, query })
        }
        _ => None,
    }))
}

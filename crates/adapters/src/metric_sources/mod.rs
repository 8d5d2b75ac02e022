//! Metric sources: where the counters of versions are read, when not from the target itself, and where single metrics
//! are counted or read that have a source of their own.

pub(crate) mod access;
mod command;
mod datadog;
mod document;
pub(crate) mod fetch;
mod http;
pub(crate) mod login;
mod newrelic;
mod page;
mod predictions;
mod prometheus;
mod table;
mod template;

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value};
use tagship_config::AdapterSpec;
use tagship_domain::analysis::MetricKind;
use tagship_ports::{
    Backends, LabelledSource, MetricSource, OwnSource, PortError, Problem, TallySource, ValueSource,
};

pub use command::CommandJson;
pub use datadog::Datadog;
pub use http::HttpJson;
pub use newrelic::NewRelic;
pub use page::MetricsPage;
pub use predictions::Predictions;
pub use prometheus::{Prometheus, PrometheusQueries, READY_QUERIES, ReadyQueries, prometheus_queries};
pub use table::TableValues;

/// The kinds of metric sources that a configuration may name.
pub const KINDS: [&str; 1] = ["page"];

/// Opens the metric source that a configuration names; relative paths are relative to `root`, the repository.
///
/// # Errors
/// For an unknown kind or settings that it does not have.
pub fn open(spec: &AdapterSpec, root: &Path) -> Result<Box<dyn MetricSource>, PortError> {
    match spec.kind.as_str() {
        "page" => Ok(Box::new(MetricsPage::from_settings(&spec.settings, root)?)),
        other => {
            let message = format!("{other:?} is no kind of metric source");
            Err(PortError::new(Problem::Unsupported, "open the metric source", message)
                .hint(format!("known kinds are {}", KINDS.join(", "))))
        }
    }
}

/// What a source of a single metric is opened with.
struct Opening<'a> {
    settings: &'a Map<String, Value>,
    kind: MetricKind,
    root: &'a Path,
    variable: &'a dyn Fn(&str) -> Option<String>,
    backends: Option<Arc<dyn Backends>>,
}

type Open<T> = fn(&Opening<'_>) -> Result<Box<T>, PortError>;

/// A kind of source that a single metric may have of its own.
struct OwnKind {
    name: &'static str,
    /// Opens it for counts by version, where it counts.
    counts: Option<Open<dyn TallySource>>,
    /// Opens it for values, where it answers any.
    values: Option<Open<dyn ValueSource>>,
    /// Opens it for labelled predictions, where it has any.
    labelled: Option<Open<dyn LabelledSource>>,
}

/// Every kind. A further one is one more entry.
const OWN_KINDS: &[OwnKind] = &[
    OwnKind {
        name: "prometheus",
        counts: Some(|opening| Ok(Box::new(Prometheus::open(opening)?))),
        values: Some(|opening| Ok(Box::new(Prometheus::open(opening)?))),
        labelled: None,
    },
    OwnKind {
        name: "http",
        counts: Some(|opening| Ok(Box::new(HttpJson::open(opening)?))),
        values: Some(|opening| Ok(Box::new(HttpJson::open(opening)?))),
        labelled: None,
    },
    OwnKind {
        name: "command",
        counts: Some(|opening| Ok(Box::new(CommandJson::open(opening)?))),
        values: Some(|opening| Ok(Box::new(CommandJson::open(opening)?))),
        labelled: None,
    },
    OwnKind {
        name: "predictions",
        counts: Some(|opening| Ok(Box::new(Predictions::open(opening)?))),
        values: None,
        labelled: Some(|opening| Ok(Box::new(Predictions::open(opening)?))),
    },
    OwnKind {
        name: "table",
        counts: None,
        values: Some(|opening| Ok(Box::new(TableValues::open(opening)?))),
        labelled: None,
    },
    OwnKind {
        name: "datadog",
        counts: None,
        values: Some(|opening| Ok(Box::new(Datadog::open(opening)?))),
        labelled: None,
    },
    OwnKind {
        name: "newrelic",
        counts: None,
        values: Some(|opening| Ok(Box::new(NewRelic::open(opening)?))),
        labelled: None,
    },
];

/// Opens the source that a metric of this kind has of its own; relative paths are relative to `root`, the repository.
/// `variable` answers the value of an environment variable; `backends` knows what the target calls a version, where the metric
/// is about traffic of one.
///
/// # Errors
/// For an unknown kind, settings that it does not have or that do not fit the metric, or a secret that is not set.
pub fn open_own(
    spec: &AdapterSpec,
    kind: MetricKind,
    root: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    backends: Option<Arc<dyn Backends>>,
) -> Result<OwnSource, PortError> {
    let opening = Opening { settings: &spec.settings, kind, root, variable, backends };
    let found = OWN_KINDS.iter().find(|known| known.name == spec.kind);
    match (found, kind) {
        (Some(OwnKind { values: Some(open), .. }), MetricKind::Value) => open(&opening).map(OwnSource::Value),
        (Some(OwnKind { labelled: Some(open), .. }), MetricKind::Score) => {
            open(&opening).map(OwnSource::Labelled)
        }
        (Some(OwnKind { counts: Some(open), .. }), kind)
            if !matches!(kind, MetricKind::Value | MetricKind::Score) =>
        {
            open(&opening).map(OwnSource::Tally)
        }
        (found, _) => Err(unknown(&spec.kind, found.is_some(), kind)),
    }
}

/// Whether a source asks by what the target calls a version, so that it is opened with [`Backends`].
pub fn asks_for_backends(spec: &AdapterSpec) -> bool {
    spec.kind == "prometheus" && prometheus::asks_for_backends(&spec.settings)
}

fn unknown(name: &str, is_known: bool, kind: MetricKind) -> PortError {
    let does = |own: &&OwnKind| match kind {
        MetricKind::Value => own.values.is_some(),
        MetricKind::Score => own.labelled.is_some(),
        _ => own.counts.is_some(),
    };
    let known: Vec<&str> = OWN_KINDS.iter().filter(does).map(|own| own.name).collect();
    let (what, else_target) = match kind {
        MetricKind::Value => ("answers no values", ""),
        MetricKind::Score => ("has no labelled predictions", ""),
        _ => ("counts nothing", "target, "),
    };
    let message = if is_known {
        format!("the source {name:?} {what}, which {} needs", kind.as_str())
    } else {
        format!("{name:?} is no kind of source of a metric")
    };
    PortError::new(Problem::Unsupported, "open the source of the metric", message).hint(format!(
        "known kinds for {} are {else_target}{}",
        kind.as_str(),
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests;

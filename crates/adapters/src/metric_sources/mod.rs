//! Metric sources: where the counters of versions are read, when not from the target itself.

mod page;
mod prometheus;

use std::path::Path;

use tagship_config::AdapterSpec;
use tagship_domain::analysis::MetricKind;
use tagship_ports::{MetricSource, PortError, Problem, TallySource};

pub use page::MetricsPage;
pub use prometheus::Prometheus;

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

/// The kinds of sources that a single metric may have of its own.
pub const OWN_KINDS: [&str; 1] = ["prometheus"];

/// Opens the source that a metric of this kind has of its own. `secret` answers the value of an environment variable.
///
/// # Errors
/// For an unknown kind, settings that it does not have or that do not fit the metric, or a secret that is not set.
pub fn open_own(
    spec: &AdapterSpec,
    kind: MetricKind,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Box<dyn TallySource>, PortError> {
    match spec.kind.as_str() {
        "prometheus" => Ok(Box::new(Prometheus::from_settings(&spec.settings, kind, secret)?)),
        other => {
            let message = format!("{other:?} is no kind of source of a metric");
            let known = OWN_KINDS.join(", ");
            Err(PortError::new(Problem::Unsupported, "open the source of the metric", message)
                .hint(format!("known kinds are target, {known}")))
        }
    }
}

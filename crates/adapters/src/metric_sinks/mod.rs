//! Metric sinks: where the metrics of a look are left for a server to read.

mod pushgateway;
#[cfg(test)]
mod tests;

use std::path::Path;

use tagship_config::AdapterSpec;
use tagship_ports::{MetricSink, PortError, Problem};

pub use pushgateway::Pushgateway;

/// The kinds of metric sinks that a configuration may name.
pub const KINDS: [&str; 1] = ["pushgateway"];

/// Opens the metric sink that a configuration names; relative paths are relative to `root`, the repository, and `secret` answers the
/// value of an environment variable.
///
/// # Errors
/// [`Problem::Denied`] for a secret that is not set, which is for a warning: a run from a fork has none.
/// [`Problem::Unsupported`] and [`Problem::Invalid`] for an unknown kind, or settings that it does not have.
pub fn open(
    spec: &AdapterSpec,
    root: &Path,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Box<dyn MetricSink>, PortError> {
    match spec.kind.as_str() {
        "pushgateway" => Ok(Box::new(Pushgateway::from_settings(&spec.settings, root, secret)?)),
        other => {
            let message = format!("{other:?} is no kind of metric sink");
            Err(PortError::new(Problem::Unsupported, "open the metric sink", message)
                .hint(format!("known kinds are {}", KINDS.join(", "))))
        }
    }
}

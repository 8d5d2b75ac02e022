//! Metric sources: where the counters of versions are read, when not from the target itself.

mod page;

use std::path::Path;

use tagship_config::AdapterSpec;
use tagship_ports::{MetricSource, PortError, Problem};

pub use page::MetricsPage;

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

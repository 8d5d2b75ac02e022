//! Where the counters of versions are read, when not from the target itself.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tagship_domain::{ModelName, Version, traffic::Counters};

use crate::PortError;

/// A source of metrics.
#[async_trait]
pub trait MetricSource: Send + Sync {
    /// Cumulative counters of every version that it knows. A version that it does not know is left out, which is
    /// something else than a version with zero requests.
    async fn counters(&self, model: &ModelName) -> Result<BTreeMap<Version, Counters>, PortError>;
}

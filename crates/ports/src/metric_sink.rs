//! Where metrics of a look are left, so that a server can read them after the run has ended.

use async_trait::async_trait;
use tagship_domain::{Environment, ModelName};

use crate::PortError;

/// The metrics of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricPage {
    /// The model that they are about.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// The page, in the text format that servers of metrics read.
    pub text: String,
}

/// Where metrics are left.
#[async_trait]
pub trait MetricSink: Send + Sync {
    /// Replaces all that was left about this model in this environment by a page, and nothing else. Done again, it changes
    /// nothing.
    async fn put(&self, page: &MetricPage) -> Result<(), PortError>;
}

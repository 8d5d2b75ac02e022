//! What the platform calls the pods of one version, so that series can be told apart that other programs count.

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version};

use crate::PortError;

/// The names under which a version is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    /// The namespace of its pods.
    pub namespace: String,
    /// What its pods belong to, and their names begin with: the Service and Deployment of a version, its revision, or its
    /// `ReplicaSet`.
    pub name: String,
}

/// Knows the backends of versions.
#[async_trait]
pub trait Backends: Send + Sync {
    /// The backend of a version as it is now, for the look at a time: all metrics of one look have the same. A version that has
    /// none is an error that says so.
    async fn backend(&self, version: &Version, at: Timestamp) -> Result<Backend, PortError>;
}

//! Deployments that a host holds back until somebody lets them go.
//!
//! A capability of its own: not every host asks people.

use async_trait::async_trait;
use tagship_domain::{CommitId, approval::PendingApproval};

use crate::PortError;

/// Knows what waits for approval.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// What waits: of one commit and of the run that asks, or of all commits.
    async fn pending(&self, commit: Option<&CommitId>) -> Result<Vec<PendingApproval>, PortError>;
}

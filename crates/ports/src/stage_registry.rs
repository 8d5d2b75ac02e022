//! Which version an environment holds, as the registry records it.
//!
//! A change carries a fencing number that grows with every decision of a rollout. Like a target, a registry refuses
//! ([`crate::Problem::Fenced`]) a lower number than it has recorded for the model and environment, so that a run
//! that wakes up late records nothing. Numbers have to be readable from the record itself: another machine may
//! have written it.

use async_trait::async_trait;
use tagship_domain::{CommitId, Environment, ModelName, Provenance, Timestamp, Version, rollout::RolloutId};

use crate::{PortError, target::Done};

/// A change of what an environment holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageChange {
    /// The model.
    pub model: ModelName,
    /// The version that is assigned or unassigned.
    pub version: Version,
    /// The commit that the version's tag points at; the change is recorded on it.
    pub commit: CommitId,
    /// The environment.
    pub environment: Environment,
    /// The rollout that causes it.
    pub rollout: RolloutId,
    /// Number of the newest effect that was decided when the change was ordered; fences late runs off.
    pub fence: u64,
    /// Why, as a sentence.
    pub reason: String,
    /// Who started the rollout.
    pub by: Provenance,
    /// When.
    pub at: Timestamp,
}

/// Records assignments. A race that a fresh look settles is settled inside; [`crate::Problem::Conflict`] is answered
/// only where looking again does not help.
#[async_trait]
pub trait StageRegistry: Send + Sync {
    /// Records that the environment holds the version. It does so already: [`Done::AlreadyThere`], and nothing is
    /// written.
    async fn assign(&self, change: &StageChange) -> Result<Done, PortError>;

    /// Records that the environment no longer holds the version; what it held before shows again. No assignment of
    /// the version is active: [`Done::AlreadyThere`], and nothing is written.
    async fn unassign(&self, change: &StageChange) -> Result<Done, PortError>;

    /// Records once more what the environment holds, for nothing but the number of the change: an earlier order that
    /// is still on its way then comes too late. It was done under this number: [`Done::AlreadyThere`], and nothing is
    /// written.
    async fn reaffirm(&self, change: &StageChange) -> Result<Done, PortError>;
}

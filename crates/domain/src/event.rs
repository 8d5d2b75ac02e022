//! What happened in the repository, in no vendor's words. The runner reads a vendor's payload into this.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::CommitId, name::Environment, name::ModelName, release::Provenance, version::Version};

/// An event with who caused it and where the repository stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// What happened.
    pub event: Event,
    /// Who caused it, in which run.
    pub by: Provenance,
    /// The commit that is checked out.
    pub head: CommitId,
    /// Name of the default branch, e.g. `main`.
    pub default_branch: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "name")]
pub enum Event {
    /// A branch moved.
    Push {
        /// The branch.
        branch: String,
        /// Where it is now; absent when it was deleted.
        after: Option<CommitId>,
    },
    /// A tag was pushed.
    TagPush {
        /// The tag's name without `refs/tags/`.
        tag: String,
        /// What it points at; absent when it was deleted.
        after: Option<CommitId>,
    },
    /// A pull request was opened, updated or closed.
    PullRequest(PullRequest),
    /// Another workflow finished.
    WorkflowRun {
        /// Its name.
        workflow: String,
        /// Whether it succeeded.
        succeeded: bool,
        /// The commit it ran for.
        sha: CommitId,
        /// The branch it ran for.
        branch: Option<String>,
        /// Whether that commit comes from a fork; it is then never deployed.
        from_fork: bool,
    },
    /// The clock: rollouts go on.
    Schedule,
    /// A person asked.
    Manual(Request),
    /// Anything else, by the name its sender gave it.
    Other {
        /// The name.
        kind: String,
    },
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// What happened to it, as the sender calls it: `opened`, `synchronize`, `reopened`, `closed`, ...
    pub activity: String,
    /// The commit it proposes.
    pub head: CommitId,
    /// The branch it goes to.
    pub base: String,
    /// Whether it was merged.
    pub merged: bool,
    /// Whether it comes from a fork.
    pub from_fork: bool,
}

/// What a person asks for by hand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The model; all where absent.
    pub model: Option<ModelName>,
    /// The environment; all where absent.
    pub environment: Option<Environment>,
    /// The version; the bytes of the checkout where absent.
    pub version: Option<Version>,
    /// What to do; deploy where absent.
    pub command: Option<Command>,
}

/// What a person can tell a rollout to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Deploy.
    Deploy,
    /// Deploy again what was rolled back or failed.
    Retry,
    /// Go back to the previous or a named version.
    Rollback,
    /// Stop a running rollout and go back to stable.
    Abort,
    /// Hold a running rollout where it is.
    Pause,
    /// Let a paused rollout go on.
    Resume,
    /// Let a paused rollout go on past what it waits for.
    Promote,
    /// Give the candidate all traffic now, past all steps and measurements.
    PromoteFull,
}

impl Command {
    /// Whether it speaks to a rollout that runs, rather than starting one.
    pub fn is_to_running(self) -> bool {
        matches!(self, Self::Abort | Self::Pause | Self::Resume | Self::Promote | Self::PromoteFull)
    }
}

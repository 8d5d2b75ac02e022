//! What happened in the repository, in no vendor's words. The runner reads a vendor's payload into this.

mod comment;
mod dispatch;

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{digest::CommitId, name::Environment, name::ModelName, release::Provenance, version::Version};

pub use comment::{Ask, Asked, CommentCommand, CommentRequest, PREFIX, USAGE};
pub use dispatch::{CONTINUE, Continuation, MODEL_VERSION_CREATED, ModelVersion};

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
    /// A merge queue asks whether a group of changes may be merged.
    MergeGroup {
        /// The commit that would be merged.
        sha: CommitId,
        /// The branch it goes to.
        base: String,
    },
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
    /// Checks of a commit finished.
    Checks {
        /// Which: the name of the check, or of the program that ran a suite of them.
        checks: String,
        /// Whether they succeeded.
        succeeded: bool,
        /// The commit they ran for.
        sha: CommitId,
        /// The branch they ran for; absent for a commit of a fork.
        branch: Option<String>,
    },
    /// Somebody else's deployment ended.
    Deployment {
        /// Where to, in the words of whoever deployed.
        environment: String,
        /// Whether it succeeded.
        succeeded: bool,
        /// The commit that was deployed.
        sha: CommitId,
        /// The branch, tag or commit that was asked for.
        reference: String,
    },
    /// A release was published on the host.
    ReleasePublished {
        /// Its tag.
        tag: String,
        /// What the tag points at; absent where the payload does not tell and nobody has looked it up.
        at: Option<CommitId>,
    },
    /// A package was published on the host.
    PackagePublished {
        /// Its name.
        package: String,
        /// Its version, or the tag of an image; absent where it has neither.
        version: Option<String>,
    },
    /// A model registry has a new version.
    ModelVersion(ModelVersion),
    /// An earlier run asks for the next one.
    Continue(Continuation),
    /// The clock: rollouts go on.
    Schedule,
    /// A person asked.
    Manual(Request),
    /// A person asked in a comment. Nothing follows from it before it is known what the author may do.
    Comment(CommentCommand),
    /// An event of a known kind that asks for nothing, e.g. an edited comment.
    Irrelevant {
        /// Its name.
        kind: String,
        /// Why nothing follows from it, as a sentence.
        why: String,
    },
    /// Anything else, by the name its sender gave it.
    Other {
        /// The name.
        kind: String,
    },
}

impl Event {
    /// Whether the run has the repository's own rights although someone without any may have caused it, or chosen what
    /// it is about. Such a run takes configuration and code from the default branch only.
    pub fn is_privileged(&self) -> bool {
        match self {
            Self::PullRequest(pull) => pull.privileged,
            Self::WorkflowRun { from_fork, .. } => *from_fork,
            Self::Comment(_) => true,
            _ => false,
        }
    }

    /// The commit that the event is about; absent where it is about the checkout.
    pub fn sha(&self) -> Option<&CommitId> {
        match self {
            Self::Push { after: sha, .. }
            | Self::TagPush { after: sha, .. }
            | Self::ReleasePublished { at: sha, .. } => sha.as_ref(),
            Self::MergeGroup { sha, .. }
            | Self::WorkflowRun { sha, .. }
            | Self::Checks { sha, .. }
            | Self::Deployment { sha, .. } => Some(sha),
            Self::PullRequest(pull) => Some(&pull.head),
            _ => None,
        }
    }

    /// The pull request that the event is about.
    pub fn pull_request(&self) -> Option<u64> {
        match self {
            Self::PullRequest(pull) => Some(pull.number),
            Self::Comment(command) => command.pull_request,
            _ => None,
        }
    }
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
    /// Whether the run has the repository's own rights (secrets, a token that can write). What the pull request proposes
    /// is then never run and never configuration.
    #[serde(default)]
    pub privileged: bool,
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
    /// The environment whose version is meant, instead of naming one: deploy what staging holds to production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Environment>,
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
    /// Every command with the name it has everywhere.
    pub const ALL: [(&'static str, Self); 8] = [
        ("deploy", Self::Deploy),
        ("retry", Self::Retry),
        ("rollback", Self::Rollback),
        ("abort", Self::Abort),
        ("pause", Self::Pause),
        ("resume", Self::Resume),
        ("promote", Self::Promote),
        ("promote-full", Self::PromoteFull),
    ];

    /// Whether it speaks to a rollout that runs, rather than starting one.
    pub fn is_to_running(self) -> bool {
        matches!(self, Self::Abort | Self::Pause | Self::Resume | Self::Promote | Self::PromoteFull)
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, command)| command == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for Command {
    type Err = String;

    /// Reads a command by its name.
    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, command)| *command).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("{name:?} is no command; there is {}", known.join(", "))
        })
    }
}

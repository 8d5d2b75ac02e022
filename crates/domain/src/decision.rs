//! What an event leads to, with a stable reason code and a sentence.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    digest::{CommitId, Digest},
    name::{Environment, ModelName},
    schema::Document,
    version::Version,
};

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    Skip,
    /// Validate and gate, deploy nothing.
    ValidateOnly,
    /// Go on with a running rollout.
    Tick,
    /// Hold a running rollout where it is.
    Pause,
    /// Let a paused rollout go on.
    Resume,
    /// Let a paused rollout go on past what it waits for.
    Promote,
    /// Give the candidate of a running rollout all traffic now.
    PromoteFull,
    /// Validate, gate, release and roll out.
    Deploy,
    /// Deploy again although this digest failed before.
    Retry,
    /// Go back to the previous or a named version.
    Rollback,
    /// Stop a running rollout and go back to stable.
    Abort,
}

/// Why, as a stable word for workflows to branch on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonCode {
    /// The artifact's digest differs from what the environment holds.
    DigestChanged,
    /// The environment holds nothing yet.
    FirstDeployment,
    /// These bytes were released before but never deployed here: resume at the rollout.
    ReleasedNotDeployed,
    /// A version tag was pushed.
    VersionTagPushed,
    /// A release or package of a registered version was published.
    VersionPublished,
    /// A model registry has a new version.
    ModelVersionCreated,
    /// The version of a model registry was decided about before.
    AlreadySeen,
    /// The place outside of the repository that an artifact comes from could not be read: what is new there is unknown.
    SourceUnreadable,
    /// A person asked.
    Requested,
    /// A pull request proposes a change.
    PullRequest,
    /// A merge queue asks about a group of changes.
    MergeQueue,
    /// A rollout of this environment is still running.
    RolloutRunning,
    /// The environment already holds these bytes.
    AlreadyDeployed,
    /// The last rollout of these bytes here failed or was rolled back; only a retry deploys them again.
    PreviouslyRolledBack,
    /// A person locked the environment: nothing new begins there.
    EnvironmentLocked,
    /// The version has not succeeded yet in the environment that comes before this one.
    AwaitsEnvironment,
    /// The artifact does not exist at this commit.
    ArtifactMissing,
    /// The event happened on another branch.
    NotDefaultBranch,
    /// The checkout is at another commit than the event.
    WrongCheckout,
    /// A merge queue asks about a commit that is not checked out: it could not be judged.
    MergeNotCheckedOut,
    /// The branch or tag was deleted.
    RefDeleted,
    /// The workflow that was waited for did not succeed.
    WorkflowFailed,
    /// The checks that were waited for did not succeed.
    ChecksFailed,
    /// The deployment that was waited for did not succeed.
    DeploymentFailed,
    /// The commit comes from a fork.
    FromFork,
    /// What is proposed is checked out in a run with the repository's own rights: it would be configuration.
    UntrustedCheckout,
    /// A run with the repository's own rights judges nothing that is only proposed.
    PrivilegedRun,
    /// The pull request was closed; a merge arrives as a push.
    PullRequestClosed,
    /// The tag is no version tag of a configured model.
    NotAVersionTag,
    /// The event is about a model that is not configured here.
    NotConfigured,
    /// The version that was published is not registered here.
    NotRegistered,
    /// The version is registered with other bytes than those that were named.
    DigestMismatch,
    /// The version is not registered.
    UnknownVersion,
    /// The model is not configured.
    UnknownModel,
    /// The environment is not configured.
    UnknownEnvironment,
    /// The model has no environments.
    NoEnvironment,
    /// There is nothing to go back to.
    NoPreviousVersion,
    /// The environment whose version was meant holds none.
    NothingToPromote,
    /// Nothing of this failed or was rolled back.
    NothingToRetry,
    /// There is no rollout to act on.
    NoRollout,
    /// A command in a comment, whose author's rights are not known yet.
    CommandPending,
    /// The author of a command may not write to the repository.
    AccessDenied,
    /// A command stands on something that is no pull request.
    NotAPullRequest,
    /// A command is not understood.
    CommandUnclear,
    /// A command could be about several models or environments.
    Ambiguous,
    /// A command is about a rollout that another change brought.
    AnotherPullRequest,
    /// The change is another one than was shown to whoever gave the command.
    HeadMoved,
    /// The change is not merged.
    NotMerged,
    /// The event asks for nothing.
    EventIgnored,
    /// No event this program acts on.
    UnknownEvent,
    /// Nothing is running.
    NothingToDo,
    /// Several models or environments were decided, each with its own reason.
    Several,
}

/// The answer of `tagship decide`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// The strongest action of all items.
    pub action: Action,
    /// Why.
    pub reason_code: ReasonCode,
    /// The same as a sentence.
    pub sentence: String,
    /// The commit that was decided about.
    pub sha: CommitId,
    /// The pull request, where the event is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_request: Option<u64>,
    /// One entry per model and environment that was considered.
    pub items: Vec<DecisionItem>,
}

/// What to do with one model in one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionItem {
    /// The model.
    pub model: ModelName,
    /// The environment; absent where nothing is deployed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// What to do.
    pub action: Action,
    /// Why.
    pub reason_code: ReasonCode,
    /// The same as a sentence.
    pub sentence: String,
    /// The digest of the bytes in question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The version, where it exists already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// A job matrix: one entry per item that is not skipped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matrix {
    /// The entries.
    pub include: Vec<MatrixEntry>,
}

/// One job of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatrixEntry {
    /// The model.
    pub model: ModelName,
    /// The environment, empty where nothing is deployed.
    pub environment: String,
    /// What to do.
    pub action: Action,
    /// The version, empty where it does not exist yet.
    pub version: String,
}

impl Document for Decision {
    const SCHEMA: &'static str = "tagship/decision/v1";
}

impl Decision {
    /// The job matrix of this decision.
    pub fn matrix(&self) -> Matrix {
        let entry = |item: &DecisionItem| MatrixEntry {
            model: item.model.clone(),
            environment: item.environment.as_ref().map(ToString::to_string).unwrap_or_default(),
            action: item.action,
            version: item.version.as_ref().map(ToString::to_string).unwrap_or_default(),
        };
        Matrix { include: self.items.iter().filter(|item| item.action != Action::Skip).map(entry).collect() }
    }
}

/// The kebab-case word that the JSON form has.
fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(self))
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&word(self))
    }
}

//! Where the repository is hosted: pull requests, comments, checks, deployments, releases.

use async_trait::async_trait;
use tagship_domain::{
    CommitId, Environment, ModelName, Timestamp,
    release::Release,
    rollout::{DeploymentState, RolloutId},
};

use crate::PortError;

/// A comment to bring up to date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// The pull request.
    pub pull_request: u64,
    /// What the comment is about; one comment exists per topic and pull request.
    pub topic: String,
    /// The commit whose state it shows, where it shows one.
    pub about: Option<CommitId>,
    /// When its content was written; a newer one is never overwritten by an older one.
    pub written: Timestamp,
    /// The Markdown text, without any marker.
    pub body: String,
    /// Whether it only brings one up to date: where none stands, or a person has changed it, nothing is written.
    pub only_refreshes: bool,
}

/// What became of a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentOutcome {
    /// It was created.
    Created,
    /// It was changed.
    Updated,
    /// It says this already.
    Unchanged,
    /// A newer one stands there.
    NewerThere,
    /// It was only to be brought up to date, and none stands there.
    NoneThere,
    /// It was only to be brought up to date, and a person has changed it, or may have.
    Edited,
}

/// A commit check of the forge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitCheck {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: CheckState,
}

/// Where a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// Not finished.
    Pending,
    /// Good.
    Success,
    /// Bad, cancelled or timed out.
    Failure,
}

/// How a deployment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentStatus {
    /// The environment.
    pub environment: Environment,
    /// What is deployed.
    pub release: Release,
    /// The rollout; a deployment exists once per rollout.
    pub rollout: RolloutId,
    /// How it stands.
    pub state: DeploymentState,
    /// One sentence, at most 140 characters.
    pub description: String,
    /// When.
    pub at: Timestamp,
    /// Where people reach what the environment serves, where that is known.
    pub url: Option<String>,
}

/// A release to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseNote {
    /// The version's tag.
    pub tag: String,
    /// The model.
    pub model: ModelName,
    /// What is released.
    pub release: Release,
    /// The Markdown text.
    pub body: String,
    /// The manifest, as JSON.
    pub manifest: String,
}

/// A forge. Every write is idempotent: doing it again with the same arguments changes nothing.
#[async_trait]
pub trait Forge: Send + Sync {
    /// Creates or updates the one comment of a topic.
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError>;

    /// Numbers of the pull requests that brought a commit, sorted; empty where there is none.
    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError>;

    /// Checks of a commit.
    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError>;

    /// Records how a deployment stands. A status older than the recorded one of the same rollout changes nothing;
    /// success makes the environment's earlier deployments of the model inactive.
    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError>;

    /// Shows a release.
    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError>;
}

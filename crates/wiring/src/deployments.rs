//! Deployments as far as the token may show them: a rollout goes on without, and says so.

use async_trait::async_trait;
use tagship_domain::CommitId;
use tagship_ports::{
    Forge, PortError,
    forge::{Comment, CommentOutcome, CommitCheck, DeploymentStatus, ReleaseNote},
};

use crate::workspace::Workspace;

/// The workspace's forge, whose deployments may be missing, for one environment of a model.
pub(crate) struct Deployments<'a> {
    pub(crate) workspace: &'a Workspace,
    /// Where people reach what the environment serves.
    pub(crate) url: Option<&'a str>,
}

impl Deployments<'_> {
    fn forge(&self) -> &dyn Forge {
        self.workspace.host.forge.as_ref()
    }
}

#[async_trait]
impl Forge for Deployments<'_> {
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        self.forge().comment(comment).await
    }

    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        self.forge().pull_requests_of(commit).await
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        self.forge().checks(commit).await
    }

    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        let status = DeploymentStatus { url: self.url.map(str::to_owned), ..status.clone() };
        let shown = self.forge().deployment(&status).await;
        shown.or_else(|error| self.workspace.leave_out(error, ()))
    }

    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        self.forge().release(note).await
    }
}

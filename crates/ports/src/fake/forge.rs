//! A forge in memory: one comment per topic, one deployment per rollout.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{
    CommitId,
    rollout::{DeploymentState, RolloutId},
};

use super::{Faults, lock::held};
use crate::{
    Forge, PortError,
    forge::{Comment, CommentOutcome, CommitCheck, DeploymentStatus, ReleaseNote},
};

/// A forge in memory.
#[derive(Debug, Default)]
pub struct FakeForge {
    /// What goes wrong in `comment`, `pull_requests_of`, `checks`, `deployment` and `release`.
    pub faults: Faults,
    comments: Mutex<BTreeMap<(u64, String), Comment>>,
    deployments: Mutex<BTreeMap<RolloutId, DeploymentStatus>>,
    releases: Mutex<BTreeMap<String, ReleaseNote>>,
    pull_requests: Mutex<BTreeMap<CommitId, Vec<u64>>>,
    checks: Mutex<BTreeMap<CommitId, Vec<CommitCheck>>>,
}

impl FakeForge {
    /// Says that a pull request brought a commit.
    pub fn brought_by(&self, commit: &CommitId, pull_request: u64) {
        let mut all = held(&self.pull_requests);
        let numbers = all.entry(commit.clone()).or_default();
        numbers.push(pull_request);
        numbers.sort_unstable();
        numbers.dedup();
    }

    /// Adds a check to a commit.
    pub fn add_check(&self, commit: &CommitId, check: CommitCheck) {
        held(&self.checks).entry(commit.clone()).or_default().push(check);
    }

    /// Every comment that stands, by pull request and topic.
    pub fn comments(&self) -> Vec<Comment> {
        held(&self.comments).values().cloned().collect()
    }

    /// Every deployment, by rollout.
    pub fn deployments(&self) -> Vec<DeploymentStatus> {
        held(&self.deployments).values().cloned().collect()
    }

    /// Every release that is shown, by tag.
    pub fn releases(&self) -> Vec<ReleaseNote> {
        held(&self.releases).values().cloned().collect()
    }
}

#[async_trait]
impl Forge for FakeForge {
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        let write = || {
            let mut comments = held(&self.comments);
            let key = (comment.pull_request, comment.topic.clone());
            let outcome = match comments.get(&key) {
                None if comment.only_refreshes => return Ok(CommentOutcome::NoneThere),
                None => CommentOutcome::Created,
                Some(there) if there.written > comment.written => CommentOutcome::NewerThere,
                Some(there) if there.body == comment.body => CommentOutcome::Unchanged,
                Some(_) => CommentOutcome::Updated,
            };
            if outcome != CommentOutcome::NewerThere {
                comments.insert(key, comment.clone());
            }
            Ok(outcome)
        };
        self.faults.around("comment", write).await
    }

    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        let read = || Ok(held(&self.pull_requests).get(commit).cloned().unwrap_or_default());
        self.faults.around("pull_requests_of", read).await
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        let read = || Ok(held(&self.checks).get(commit).cloned().unwrap_or_default());
        self.faults.around("checks", read).await
    }

    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        let write = || {
            let mut deployments = held(&self.deployments);
            if deployments.get(&status.rollout).is_some_and(|there| there.at > status.at) {
                return Ok(());
            }
            if status.state == DeploymentState::Success {
                for other in deployments.values_mut().filter(|other| replaced_by(other, status)) {
                    other.state = DeploymentState::Inactive;
                }
            }
            deployments.insert(status.rollout.clone(), status.clone());
            Ok(())
        };
        self.faults.around("deployment", write).await
    }

    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        let write = || {
            held(&self.releases).insert(note.tag.clone(), note.clone());
            Ok(())
        };
        self.faults.around("release", write).await
    }
}

/// Whether a success takes over from another deployment: it was one, earlier, in the same place.
fn replaced_by(other: &DeploymentStatus, success: &DeploymentStatus) -> bool {
    other.environment == success.environment
        && other.release.model == success.release.model
        && other.rollout != success.rollout
        && other.at <= success.at
        && other.state == DeploymentState::Success
}

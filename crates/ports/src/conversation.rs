//! What commands in comments need: who may give them, what they are about, and a sign that they were read.
//!
//! A capability of its own: a host without pull requests has a [`crate::Forge`] but no conversation.

use async_trait::async_trait;
use tagship_domain::CommitId;

use crate::PortError;

/// A pull request as it stands now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    /// Its number.
    pub number: u64,
    /// The newest commit of its branch. A command is about the commit that its author saw; where this is another one,
    /// the branch has moved.
    pub head: CommitId,
    /// Whether the branch lies in another repository, whose content is not trusted.
    pub from_fork: bool,
    /// Whether it is neither merged nor closed.
    pub open: bool,
}

/// A sign on a comment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// It was read and is worked on.
    Seen,
    /// It was done.
    Done,
    /// It was refused, or did not work.
    Refused,
}

/// What someone may do in the repository; a later one includes the earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing that has to be granted.
    None,
    /// Read.
    Read,
    /// Write: the least that a command needs.
    Write,
    /// Change the repository's settings.
    Admin,
}

/// Pull requests and comments as places where people speak.
#[async_trait]
pub trait Conversation: Send + Sync {
    /// A pull request; [`crate::Problem::NotFound`] where there is none of this number.
    async fn pull_request(&self, number: u64) -> Result<PullRequest, PortError>;

    /// The commit that our newest comment of a topic shows; absent where there is no such comment or it shows none.
    async fn shown(&self, number: u64, topic: &str) -> Result<Option<CommitId>, PortError>;

    /// Puts a sign on a comment, once.
    async fn react(&self, comment: u64, reaction: Reaction) -> Result<(), PortError>;

    /// What someone may do. Someone unknown has [`Access::None`].
    async fn access(&self, login: &str) -> Result<Access, PortError>;
}

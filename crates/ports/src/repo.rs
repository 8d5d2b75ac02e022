//! The git repository that the model lives in: commits, files at commits, tags.

use async_trait::async_trait;
use tagship_domain::{
    CommitId, Timestamp,
    tag::{Ident, Tag},
};

use crate::PortError;

/// A tag to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTag {
    /// Name without `refs/tags/`.
    pub name: String,
    /// What it points at.
    pub commit: CommitId,
    /// Its whole message.
    pub message: String,
    /// Tagger time.
    pub at: Timestamp,
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: CommitId,
    /// Who wrote it and when.
    pub author: Ident,
    /// Who committed it and when.
    pub committer: Ident,
    /// Its whole message.
    pub message: String,
    /// Its parents.
    pub parents: Vec<CommitId>,
}

/// A repository. Reading never changes it.
#[async_trait]
pub trait Repo: Send + Sync {
    /// The commit that a revision names: `HEAD`, a branch, a tag, an id or its unique beginning.
    async fn resolve(&self, revision: &str) -> Result<CommitId, PortError>;

    /// A commit.
    async fn commit(&self, id: &CommitId) -> Result<Commit, PortError>;

    /// Every tag, in no particular order. A shallow clone or one without tags of a remote that has some is an
    /// error ([`crate::Problem::Invalid`]), because an empty registry must never be a guess.
    async fn tags(&self) -> Result<Vec<Tag>, PortError>;

    /// Makes [`Repo::tags`] see every tag that others have published by now.
    async fn refresh(&self) -> Result<(), PortError>;

    /// The bytes of a file at a commit; absent where there is none.
    async fn file_at(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError>;

    /// Creates an annotated tag and publishes it where the repository has a remote. Exactly one of two racing
    /// runs succeeds; the other gets [`crate::Problem::Conflict`], has no local tag left, and sees the winner's
    /// tag at its next [`Repo::tags`].
    async fn create_tag(&self, tag: &NewTag) -> Result<(), PortError>;

    /// Tracked files at or below `path` whose content differs from HEAD, at most `limit` of them, sorted. Files that
    /// git does not track do not count: a run may have just built them.
    async fn uncommitted(&self, path: &str, limit: usize) -> Result<Vec<String>, PortError>;
}

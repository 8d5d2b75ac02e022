//! Journals: chains of small file trees under a name, moved by compare-and-swap.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tagship_domain::{CommitId, Timestamp};

use crate::PortError;

/// Files of one journal entry: name to content.
pub type Files = BTreeMap<String, Vec<u8>>;

/// One entry of a journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id.
    pub id: CommitId,
    /// When it was written.
    pub at: Timestamp,
    /// Its message.
    pub message: String,
    /// Its files.
    pub files: Files,
}

/// Why an entry was not appended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The tip is not the expected one: someone else appended. Read again and decide again.
    #[error("journal {journal} was moved on by another run")]
    Lost {
        /// The journal.
        journal: String,
    },
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// A store of journals. Names are paths such as `rollouts/production/churn`; what a store cannot put in a name it
/// encodes. Entries are appended and never change; [`StateStore::shorten`] alone forgets some, of journals whose newest entry says
/// all that matters.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// The newest entry; absent where the journal does not exist.
    async fn tip(&self, journal: &str) -> Result<Option<Entry>, PortError>;

    /// Appends an entry after `expected` (absent: the journal must not exist) and answers its id. When this
    /// answers `Ok`, every other run sees the entry.
    async fn append(
        &self,
        journal: &str,
        expected: Option<&CommitId>,
        entry: &NewEntry,
    ) -> Result<CommitId, AppendError>;

    /// Entries from the newest to the oldest, at most `limit`.
    async fn history(&self, journal: &str, limit: usize) -> Result<Vec<Entry>, PortError>;

    /// Forgets what is older than the newest `keep` entries of a journal whose tip is `expected`, once there are more than twice as
    /// many. The others stay as they were, files, messages and times, as a chain of its own under other ids. Answers the id of the
    /// newest one; `None` where nothing was forgotten. A store to which each entry is a request may keep fewer.
    async fn shorten(
        &self,
        journal: &str,
        expected: &CommitId,
        keep: usize,
    ) -> Result<Option<CommitId>, AppendError>;

    /// Names of the journals below a path, sorted.
    async fn list(&self, below: &str) -> Result<Vec<String>, PortError>;

    /// The newest entry of every journal below a path, by its name. However many there are, they are listed at once.
    async fn tips(&self, below: &str) -> Result<BTreeMap<String, Entry>, PortError>;
}

/// An entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEntry {
    /// Its message; the first line is read by people.
    pub message: String,
    /// All files of the entry; files of the previous entry that are not listed are gone in this one.
    pub files: Files,
    /// When.
    pub at: Timestamp,
}

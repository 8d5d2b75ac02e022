//! Signs on a commit that everyone sees who looks at it: a short status, and a report of a page.
//!
//! A capability of its own: not every forge shows commits.

use async_trait::async_trait;
use tagship_domain::CommitId;

use crate::PortError;

/// How what a mark is about stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkState {
    /// Not begun.
    Queued,
    /// Not finished.
    Pending,
    /// Good.
    Success,
    /// A negative verdict.
    Failure,
    /// It could not be judged or done.
    Error,
    /// Someone stopped it.
    Cancelled,
}

/// A line at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitStatus {
    /// The commit.
    pub commit: CommitId,
    /// What it is about; one status stands per commit and context.
    pub context: String,
    /// How it stands.
    pub state: MarkState,
    /// One sentence; cut at 140 characters.
    pub description: String,
    /// Address of the details.
    pub details: Option<String>,
}

/// A page at a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// The commit.
    pub commit: CommitId,
    /// What it is about.
    pub name: String,
    /// Which run it belongs to; one report stands per commit, name and key.
    pub key: String,
    /// How it stands.
    pub state: MarkState,
    /// Its headline.
    pub title: String,
    /// Markdown that is shown at once.
    pub summary: String,
    /// Markdown of the details, may be empty.
    pub text: String,
    /// Address of the details.
    pub details: Option<String>,
}

/// Marks commits. Doing it again with the same arguments changes nothing.
#[async_trait]
pub trait CommitMarks: Send + Sync {
    /// Sets the status of a context.
    async fn status(&self, status: &CommitStatus) -> Result<(), PortError>;

    /// Creates the report, or brings it up to date.
    async fn check_report(&self, report: &CheckReport) -> Result<(), PortError>;
}

//! Alerts that stay until someone deals with them: one open issue per topic.

use async_trait::async_trait;

use crate::PortError;

/// What people are alerted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// What it is about; at most one issue of ours is open per topic.
    pub topic: String,
    /// Its headline.
    pub title: String,
    /// The Markdown text, without any marker.
    pub body: String,
    /// Labels of a new issue; an existing one keeps its own.
    pub labels: Vec<String>,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertOutcome {
    /// Issue of this number was opened.
    Opened(u64),
    /// The open issue of this number was changed.
    Updated(u64),
    /// The open issue of this number says this already.
    Unchanged(u64),
}

/// Opens and closes issues. Doing it again with the same arguments changes nothing.
#[async_trait]
pub trait IssueTracker: Send + Sync {
    /// Opens the issue of a topic, or brings the open one up to date.
    async fn raise(&self, alert: &Alert) -> Result<AlertOutcome, PortError>;

    /// Closes the open issue of a topic and answers its number; absent where none is open.
    async fn settle(&self, topic: &str) -> Result<Option<u64>, PortError>;
}

//! What can go wrong outside, in words that the logic can act on and people can read.

/// A failed call to the outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}{}", .hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default())]
pub struct PortError {
    /// What kind of problem; decides whether to retry and which exit code results.
    pub problem: Problem,
    /// What was attempted, on what: `push tag churn@v1.2.0`, `load churn v1.2.0 on http://...`.
    pub operation: String,
    /// What the other side said.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// No answer, a time-out, or an answer that says "later". May pass.
    Unreachable,
    /// Credentials or permissions are missing.
    Denied,
    /// It does not exist.
    NotFound,
    /// Someone else changed it in between, or it exists with other content.
    Conflict,
    /// The other side can't do this at all.
    Unsupported,
    /// A higher fencing number was seen: another run has taken over.
    Fenced,
    /// Whoever the target belongs to has put another version in its place: nothing is left to do or to undo.
    Superseded,
    /// Bytes or an answer are not what they must be.
    Invalid,
    /// A local file or directory cannot be read or written, or the disk is full.
    Local,
}

impl PortError {
    /// An error without a hint.
    pub fn new(problem: Problem, operation: impl Into<String>, message: impl Into<String>) -> Self {
        Self { problem, operation: operation.into(), message: message.into(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether the same call may succeed later.
    pub fn may_pass(&self) -> bool {
        matches!(self.problem, Problem::Unreachable | Problem::Local)
    }
}

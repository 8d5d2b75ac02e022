//! A failed run: what to tell, what to do about it, which exit code.

use std::{
    fmt,
    io::{self, ErrorKind},
};

use tagship_domain::Exit;

/// Why a run ended without a verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// Stable word for workflows to branch on.
    pub reason_code: &'static str,
    /// What failed, where.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// Arguments or configuration are wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// It could not be judged or done.
    pub fn incomplete(message: impl fmt::Display) -> Self {
        Self::new(Exit::Incomplete, "incomplete", message)
    }

    /// A file or directory could not be written: `write PATH`, and what the operating system said.
    pub fn unwritable(attempt: impl fmt::Display, error: &io::Error) -> Self {
        let failure = Self::incomplete(format!("{attempt}: {error}"));
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                failure.hint("free some space and run again")
            }
            ErrorKind::FileTooLarge => {
                failure.hint("raise the limit on file sizes (`ulimit -f`) and run again")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                failure.hint("make it writable for this user")
            }
            _ => failure,
        }
    }

    /// A failure with a chosen code.
    pub fn new(exit: Exit, reason_code: &'static str, message: impl fmt::Display) -> Self {
        Self { exit, reason_code, message: message.to_string(), hint: None }
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  help: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

//! What a provider's client says went wrong, as a port's error.

use std::error::Error as _;

use object_store::Error;
use tagship_ports::{PortError, Problem};

/// Longest text of a service that is repeated, in characters.
const LONGEST: usize = 400;

/// A failed call.
pub(super) fn port(operation: String, error: &Error) -> PortError {
    let (problem, hint) = match error {
        Error::NotFound { .. } => (
            Problem::NotFound,
            Some("check the name of the bucket or container, its region and the endpoint"),
        ),
        Error::AlreadyExists { .. } | Error::Precondition { .. } => (Problem::Conflict, None),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            (Problem::Denied, Some("check the credentials in the environment and what they may do there"))
        }
        Error::NotSupported { .. } | Error::NotImplemented { .. } => (Problem::Unsupported, None),
        Error::InvalidPath { .. } | Error::UnknownConfigurationKey { .. } => (Problem::Invalid, None),
        _ => (Problem::Unreachable, None),
    };
    let failed = PortError::new(problem, operation, told(error));
    match hint {
        Some(hint) => failed.hint(hint),
        None => failed,
    }
}

/// The innermost reasons, on one line, and not longer than a person reads.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let more = inner.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = inner.source();
    }
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(LONGEST).collect()
}

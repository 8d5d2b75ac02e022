//! libgit2's errors in the words of the ports.

use git2::{ErrorClass, ErrorCode};
use tagship_ports::{PortError, Problem};

/// Maps an error of libgit2 that stopped `operation`.
pub(crate) fn from_git2(operation: &str, error: &git2::Error) -> PortError {
    let problem = match (error.code(), error.class()) {
        (ErrorCode::NotFound | ErrorCode::UnbornBranch, _) => Problem::NotFound,
        (ErrorCode::Exists | ErrorCode::Modified | ErrorCode::Locked, _) => Problem::Conflict,
        (ErrorCode::Owner | ErrorCode::Auth, _) => Problem::Denied,
        (_, ErrorClass::Os | ErrorClass::Filesystem) => Problem::Local,
        _ => Problem::Invalid,
    };
    let port = PortError::new(problem, operation, error.message());
    match error.code() {
        ErrorCode::Owner => port.hint(
            "the directory belongs to another user: `git config --global --add safe.directory DIRECTORY`",
        ),
        ErrorCode::UnbornBranch => port.hint("make a first commit"),
        _ => port,
    }
}

/// For `map_err`: as [`from_git2`].
pub(crate) fn at(operation: &str) -> impl Fn(git2::Error) -> PortError + '_ {
    move |error| from_git2(operation, &error)
}

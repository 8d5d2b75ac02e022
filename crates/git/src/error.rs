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
        _ => match local_remedy(error.message()) {
            Some(remedy) if problem == Problem::Local => port.hint(remedy),
            _ => port,
        },
    }
}

/// What to do about a file that could not be written, by the words of the operating system in a message of git's.
pub(crate) fn local_remedy(message: &str) -> Option<&'static str> {
    let any = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if any(&["No space left", "Disk quota exceeded"]) {
        Some("free some space where git writes and run again")
    } else if any(&["File too large"]) {
        Some("raise the limit on file sizes (`ulimit -f`) and run again")
    } else if any(&[
        "Read-only file system",
        "insufficient permission for adding an object",
        "Unable to create '",
    ]) {
        Some("make the repository writable for this user")
    } else {
        None
    }
}

/// For `map_err`: as [`from_git2`].
pub(crate) fn at(operation: &str) -> impl Fn(git2::Error) -> PortError + '_ {
    move |error| from_git2(operation, &error)
}

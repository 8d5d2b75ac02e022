//! Why a server does not start, or stops.

use std::{io, net::SocketAddr, path::PathBuf, time::Duration};

use tagship_domain::schema::DocumentError;

/// A server that could not start, go on or end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The admin token is too short to protect anything.
    #[error("take the admin token: it has {length} bytes, {needed} are the least; generate a random one")]
    WeakToken {
        /// Its length in bytes.
        length: usize,
        /// The least length.
        needed: usize,
    },
    /// An address could not be bound.
    #[error("listen on {address} for {plane}: {source}; {}", bind_hint(.source.kind()))]
    Bind {
        /// `inference` or `admin`.
        plane: &'static str,
        /// The address.
        address: SocketAddr,
        /// The operating system's reason.
        source: io::Error,
    },
    /// A file or directory of the state could not be read or written.
    #[error("{doing} {path}: {source}; {}", storage_hint(.source.kind()), path = .path.display())]
    Storage {
        /// What was attempted, e.g. `write`.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// Another server uses the state directory.
    #[error("lock {path}: another server uses this state directory; stop it or choose another directory", path = .path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The state file is not what this build wrote.
    #[error("read the state {path}: {source}; restore it, or start with an empty state directory and deploy again", path = .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// A plane stopped by itself.
    #[error("serve {plane}: {detail}; start the server again")]
    Stopped {
        /// `inference` or `admin`.
        plane: &'static str,
        /// Why.
        detail: String,
    },
    /// Requests were still in progress at the end of the grace period.
    #[error("drain: {requests} requests were cut off after {}s; allow a longer grace period", .grace.as_secs())]
    Unfinished {
        /// How many.
        requests: usize,
        /// The grace period.
        grace: Duration,
    },
}

fn bind_hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::AddrInUse => {
            "another program uses this port: stop it, choose another port, or port 0 for any"
        }
        io::ErrorKind::PermissionDenied => "this user may not bind the port; choose one above 1023",
        io::ErrorKind::AddrNotAvailable => "this machine does not have the address",
        _ => "choose another address",
    }
}

fn storage_hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: make room and try again"
        }
        io::ErrorKind::FileTooLarge => "raise the server's limit on file sizes (`ulimit -f`) and try again",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "this user may not write there: change its owner or choose another state directory"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "something else is in the way: choose another state directory"
        }
        _ => "check the state directory",
    }
}

impl ServeError {
    /// Whether there was no room to write: on the disk, or within a quota or limit.
    pub(super) fn is_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        matches!(self, Self::Storage { source, .. }
            if matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge))
    }

    /// Makes a [`ServeError::Storage`] of an IO error; for `map_err`.
    pub(super) fn storage(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Storage { doing, path, source }
    }
}

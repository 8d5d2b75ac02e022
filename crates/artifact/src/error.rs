//! Why an artifact could not be read at all.
//!
//! What is wrong *inside* readable bytes is a finding, not an error; see [`crate::rules`].

use std::io;

/// A file or directory that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// Nothing lies at this path.
    #[error("{path} does not exist; check the path, or fetch the file first")]
    Missing {
        /// Path as it was asked for.
        path: String,
    },
    /// The operating system refused.
    #[error("cannot read {path}: {source}; check its permissions and that the disk is healthy")]
    Unreadable {
        /// Path as it was asked for.
        path: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// A symbolic link, which could lead out of the artifact.
    #[error("{path} is a symbolic link, which an artifact may not hold; put the file itself there")]
    Link {
        /// Path as it was asked for.
        path: String,
    },
    /// A pipe, socket or device.
    #[error("{path} is neither a regular file nor a directory; remove it from the artifact")]
    NotRegular {
        /// Path as it was asked for.
        path: String,
    },
    /// A name that does not mean the same on every machine.
    #[error("{path} has a name that is not portable text; rename it to printable UTF-8")]
    Name {
        /// Path, unprintable characters replaced.
        path: String,
    },
    /// The file shrank, grew or was replaced between two looks at it.
    #[error("{path} changed while it was read; make sure that nothing writes to it and try again")]
    Changed {
        /// Path as it was asked for.
        path: String,
    },
    /// More files or deeper folders than an artifact may have.
    #[error("{path} holds more than {limit} {what}; name the folder of the model itself as the artifact")]
    TooMany {
        /// Path of the artifact.
        path: String,
        /// The limit that was reached.
        limit: usize,
        /// What there is too much of.
        what: &'static str,
    },
}

impl ArtifactError {
    /// Tells the two kinds of operating-system error that need different advice apart.
    pub(crate) fn io(path: impl Into<String>, source: io::Error) -> Self {
        let path = path.into();
        match source.kind() {
            io::ErrorKind::NotFound => Self::Missing { path },
            _ => Self::Unreadable { path, source },
        }
    }
}

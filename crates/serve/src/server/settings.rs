//! How a server is set up.

use std::{fmt, hint::black_box, net::SocketAddr, path::PathBuf, sync::Arc, thread, time::Duration};

use sha2::{Digest as _, Sha256};
use tagship_ports::Clock;

use super::ServeError;

/// Everything a server needs to start.
#[derive(Clone)]
pub struct ServerSettings {
    /// Address of the data plane; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Address of the admin plane; port 0 takes a free one.
    pub admin_listen: SocketAddr,
    /// What admin requests must carry.
    pub token: AdminToken,
    /// Directory of the server's state; created where it does not exist. One server at a time.
    pub state_dir: PathBuf,
    /// File to write the bound addresses to, as JSON, once requests are answered.
    pub addresses_file: Option<PathBuf>,
    /// Bounds of memory and time.
    pub limits: Limits,
    /// How much of the prediction log is kept; nothing is logged where absent.
    pub prediction_log: Option<LogBounds>,
    /// Where times in the prediction log come from.
    pub clock: Arc<dyn Clock>,
}

/// Bounds of memory and time.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest inference request, in bytes.
    pub max_request: usize,
    /// Largest file of an artifact, in bytes.
    pub max_upload: u64,
    /// Requests that may be in progress at once; more are told to come back.
    pub in_flight: usize,
    /// Inferences of one version that run at once, each on one thread.
    pub workers: usize,
    /// Longest time from the head of a request to its answer.
    pub request_timeout: Duration,
    /// Longest silence in an upload.
    pub upload_silence: Duration,
    /// How long a drain waits for requests in progress.
    pub grace: Duration,
    /// Predictions that wait for feedback; the oldest are forgotten first.
    pub predictions: usize,
}

/// How much of the prediction log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogBounds {
    /// A file that would grow larger is closed and a new one begun, in bytes.
    pub max_file: u64,
    /// Closed files that are kept.
    pub closed_files: u32,
    /// Values (of all tensors of a request and its answer) above which a line leaves the tensors out.
    pub max_values: usize,
}

/// The admin plane's bearer token. Only its digest is kept, so that nothing can print it.
#[derive(Clone)]
pub struct AdminToken {
    sha256: [u8; 32],
}

impl AdminToken {
    /// Shortest token, in bytes.
    pub const MIN_LENGTH: usize = 16;

    /// Takes a token.
    ///
    /// # Errors
    /// [`ServeError::WeakToken`] when it is shorter than [`AdminToken::MIN_LENGTH`].
    pub fn new(token: &str) -> Result<Self, ServeError> {
        if token.len() < Self::MIN_LENGTH {
            return Err(ServeError::WeakToken { length: token.len(), needed: Self::MIN_LENGTH });
        }
        Ok(Self { sha256: Sha256::digest(token.as_bytes()).into() })
    }

    /// Whether `token` is the same. Takes the same time wherever the two differ: digests are compared, and all of
    /// them.
    pub(super) fn matches(&self, token: &str) -> bool {
        let other: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let difference = self.sha256.iter().zip(&other).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
        difference == 0
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_request: 16 << 20,
            max_upload: 8 << 30,
            in_flight: 1024,
            workers: thread::available_parallelism().map_or(2, usize::from),
            request_timeout: Duration::from_secs(30),
            upload_silence: Duration::from_mins(1),
            grace: Duration::from_secs(20),
            predictions: 100_000,
        }
    }
}

impl Default for LogBounds {
    fn default() -> Self {
        Self { max_file: 64 << 20, closed_files: 4, max_values: 4096 }
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(..)")
    }
}

impl fmt::Debug for ServerSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerSettings")
            .field("listen", &self.listen)
            .field("admin_listen", &self.admin_listen)
            .field("state_dir", &self.state_dir)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_matches_and_it_is_never_printed() {
        let token = AdminToken::new("correct horse battery").unwrap();
        assert!(token.matches("correct horse battery"));
        for other in ["", "correct horse batterz", "correct horse battery "] {
            assert!(!token.matches(other), "{other:?}");
        }
        assert_eq!(format!("{token:?}"), "AdminToken(..)");
        assert!(matches!(AdminToken::new("short"), Err(ServeError::WeakToken { .. })));
    }
}

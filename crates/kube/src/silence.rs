//! What it means that a version cannot be asked.

use tagship_ports::PortError;

/// What it means that a version's pods, or their server, cannot be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nothing can be decided.
    Fails,
    /// The version is not ready. So the way back depends on nothing that may be down.
    NotReady,
}

impl Silence {
    pub(crate) fn or<T>(self, answer: Result<T, PortError>, unknown: T) -> Result<T, PortError> {
        match (answer, self) {
            (Err(_), Self::NotReady) => Ok(unknown),
            (answer, _) => answer,
        }
    }
}

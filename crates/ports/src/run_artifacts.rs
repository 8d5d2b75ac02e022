//! What runs of workflows keep for each other.

use std::path::Path;

use async_trait::async_trait;
use tagship_domain::release::OriginRun;

use crate::PortError;

/// Where runs of workflows keep their artifacts.
#[async_trait]
pub trait RunArtifacts: Send + Sync {
    /// Writes the archive (zip) of an artifact to a file that is not there yet. Runs are looked at in their order, and the first
    /// one that has an artifact of this name counts; of several in one run, the newest. Answers which run that was, and which
    /// attempt of it, as far as the host tells.
    ///
    /// # Errors
    /// [`crate::Problem::NotFound`] where no run has one that can still be had, [`crate::Problem::Invalid`] where it is larger
    /// than `limit` bytes or arrives with other bytes than the host says.
    async fn download(&self, runs: &[u64], name: &str, to: &Path, limit: u64)
    -> Result<OriginRun, PortError>;
}

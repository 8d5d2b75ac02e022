//! Where the bytes of releases lie: by digest, so that nothing can be overwritten and nothing half-written is
//! ever found.

use std::path::Path;

use async_trait::async_trait;
use tagship_domain::{Digest, Manifest, Release};

use crate::PortError;

/// Where a release is shown to other tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What lies there, e.g. `modelpack`.
    pub layout: String,
    /// What its tag names now, by digest, e.g. `oci://ghcr.io/acme/churn@sha256:...`; absent where there is no tag.
    pub now: Option<String>,
    /// What it has to name, where that follows from the manifest of the release.
    pub derived: Option<String>,
}

/// A content-addressed store of files.
#[async_trait]
pub trait ArtifactStore: Send + Sync {
    /// Where it is, for messages.
    fn location(&self) -> String;

    /// Stores a file under its digest and reads it back to verify. Storing what is there already is no error and
    /// writes nothing. A file that does not have the digest is refused ([`crate::Problem::Invalid`]).
    async fn put(&self, digest: &Digest, file: &Path) -> Result<(), PortError>;

    /// Stores bytes that are in memory, as [`ArtifactStore::put`] does.
    async fn put_bytes(&self, digest: &Digest, bytes: &[u8]) -> Result<(), PortError>;

    /// Whether the file is there.
    async fn has(&self, digest: &Digest) -> Result<bool, PortError>;

    /// Writes the file to `to`, which appears only when it is complete and has the digest; a file that
    /// is there already is replaced.
    /// [`crate::Problem::NotFound`] where it is not there, [`crate::Problem::Invalid`] where it is damaged.
    /// Missing parent directories are made.
    async fn get(&self, digest: &Digest, to: &Path) -> Result<(), PortError>;

    /// Reads a file of at most `limit` bytes into memory, as [`ArtifactStore::get`] does; a larger one is
    /// [`crate::Problem::Invalid`].
    async fn get_bytes(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, PortError>;

    /// Shows a release, whose files are stored, where readers of the store look for releases by name. Doing it again
    /// changes nothing. Most stores know digests only, and have nothing to do. Answers where it is shown.
    async fn publish(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let _ = (release, manifest);
        Ok(vec![])
    }

    /// Where a server finds a file of it by its own client, e.g. `s3://models/churn/blobs/sha256/5f...`; absent where there is no such
    /// address.
    fn address(&self, digest: &Digest) -> Option<String> {
        let _ = digest;
        None
    }

    /// Where other tools find what [`ArtifactStore::publish`] shows of a release; nothing where it shows nothing.
    async fn places(&self, release: &Release, manifest: &Manifest) -> Result<Vec<Place>, PortError> {
        let _ = (release, manifest);
        Ok(vec![])
    }
}

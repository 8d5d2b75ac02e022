//! What a rollout needs of a release: its verified bytes and its golden cases, and where servers find it that fetch bytes
//! themselves.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tagship_domain::{Digest, ModelName, Release, Version, golden::GoldenCases};

use crate::PortError;

/// Releases by their pointers. Everything is verified against the digests of the pointer before it is handed out;
/// what does not fit is [`crate::Problem::Invalid`], what is not there [`crate::Problem::NotFound`].
#[async_trait]
pub trait ReleaseSource: Send + Sync {
    /// Writes every file of a release below `directory`, which is made where it is missing, and answers where the
    /// artifact lies: the file itself for a single-file artifact, else the directory.
    async fn fetch(&self, release: &Release, directory: &Path) -> Result<PathBuf, PortError>;

    /// The golden cases of a release; absent where it has none.
    async fn golden_cases(&self, release: &Release) -> Result<Option<GoldenCases>, PortError>;
}

/// Where servers find releases that fetch the bytes themselves.
#[async_trait]
pub trait ReleaseAddresses: Send + Sync {
    /// An address that names the bytes of a version by digest, e.g. `oci://ghcr.io/acme/churn@sha256:...`.
    /// [`crate::Problem::Unsupported`] where the store gives none, [`crate::Problem::Conflict`] where what is there now is not what
    /// the release put there.
    async fn address(
        &self,
        model: &ModelName,
        version: &Version,
        digest: &Digest,
    ) -> Result<String, PortError>;
}

//! What a rollout needs of a release: its verified bytes and its golden cases.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tagship_domain::{Release, golden::GoldenCases};

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

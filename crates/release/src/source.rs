//! Releases as a rollout needs them: verified bytes and golden cases, straight from the store.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tagship_domain::{Manifest, Release, golden::GoldenCases, release::Evidence, schema};
use tagship_ports::{ArtifactStore, PortError, Problem, ReleaseSource};

use crate::{
    error::ReleaseError,
    fetch::{fetch_release, read_evidence, read_manifest},
    signing::PublicKey,
    trust::check_signature,
};

/// The releases of a store.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it holds nothing but a seam")]
pub struct StoredReleases<'a> {
    /// The store.
    pub store: &'a dyn ArtifactStore,
    /// The keys one of which must have signed what is fetched; absent where no signature is required.
    pub signed_by: Option<&'a [PublicKey]>,
}

#[async_trait]
impl ReleaseSource for StoredReleases<'_> {
    async fn fetch(&self, release: &Release, directory: &Path) -> Result<PathBuf, PortError> {
        let manifest = self.manifest(release).await?;
        if let Some(trusted) = self.signed_by {
            let checked = check_signature(self.store, &manifest, trusted).await;
            checked.map_err(|error| port("fetch", release, error))?;
        }
        fetch_release(self.store, &manifest, directory).await.map_err(|error| port("fetch", release, error))
    }

    async fn golden_cases(&self, release: &Release) -> Result<Option<GoldenCases>, PortError> {
        let manifest = self.manifest(release).await?;
        let read = read_evidence(self.store, &manifest, Evidence::Golden).await;
        let Some(bytes) = read.map_err(|error| port("read the golden cases of", release, error))? else {
            return Ok(None);
        };
        let invalid = |message: String| {
            PortError::new(Problem::Invalid, format!("read the golden cases of {release}"), message)
        };
        let text = String::from_utf8(bytes).map_err(|error| invalid(error.to_string()))?;
        schema::from_json(&text).map(Some).map_err(|error| invalid(error.to_string()))
    }
}

impl StoredReleases<'_> {
    async fn manifest(&self, release: &Release) -> Result<Manifest, PortError> {
        read_manifest(self.store, release).await.map_err(|error| port("read", release, error))
    }
}

fn port(what: &str, release: &Release, error: ReleaseError) -> PortError {
    match error {
        ReleaseError::Port(error) => error,
        other => PortError::new(Problem::Invalid, format!("{what} {release}"), other.to_string()),
    }
}

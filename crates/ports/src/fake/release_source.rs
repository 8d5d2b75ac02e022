//! Releases in memory. No bytes are written: fakes of targets take any path.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Mutex,
};

use async_trait::async_trait;
use tagship_domain::{Digest, Release, golden::GoldenCases};

use super::{Faults, lock::held};
use crate::{PortError, Problem, ReleaseSource};

/// Releases in memory, by digest of their manifest.
#[derive(Debug, Default)]
pub struct FakeReleases {
    /// What goes wrong in `fetch` and `golden_cases`.
    pub faults: Faults,
    cases: Mutex<BTreeMap<Digest, Option<GoldenCases>>>,
}

impl FakeReleases {
    /// Makes a release known.
    pub fn add(&self, release: &Release, cases: Option<GoldenCases>) {
        held(&self.cases).insert(release.manifest.clone(), cases);
    }

    fn find(&self, release: &Release) -> Result<Option<GoldenCases>, PortError> {
        held(&self.cases).get(&release.manifest).cloned().ok_or_else(|| {
            PortError::new(Problem::NotFound, format!("fetch {release}"), "there is no such release")
        })
    }
}

#[async_trait]
impl ReleaseSource for FakeReleases {
    async fn fetch(&self, release: &Release, directory: &Path) -> Result<PathBuf, PortError> {
        self.faults.around("fetch", || self.find(release).map(|_| directory.to_owned())).await
    }

    async fn golden_cases(&self, release: &Release) -> Result<Option<GoldenCases>, PortError> {
        self.faults.around("golden_cases", || self.find(release)).await
    }
}

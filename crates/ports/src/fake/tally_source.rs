//! Tallies in memory.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version, tally::Tally};

use super::{Faults, lock::held};
use crate::{PortError, Problem, TallySource};

/// Tallies in memory.
#[derive(Debug, Default)]
pub struct FakeTallySource {
    /// What goes wrong in `tally`.
    pub faults: Faults,
    versions: Mutex<BTreeMap<Version, Tally>>,
}

impl FakeTallySource {
    /// Says what is counted about a version from now on.
    pub fn set(&self, version: &Version, tally: Tally) {
        held(&self.versions).insert(version.clone(), tally);
    }
}

#[async_trait]
impl TallySource for FakeTallySource {
    async fn tally(&self, version: &Version, _: Timestamp) -> Result<Tally, PortError> {
        let find = || {
            held(&self.versions).get(version).cloned().ok_or_else(|| {
                PortError::new(Problem::NotFound, format!("count {version}"), "nothing is counted about it")
            })
        };
        self.faults.around("tally", find).await
    }
}

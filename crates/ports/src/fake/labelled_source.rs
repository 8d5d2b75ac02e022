//! Labelled predictions in memory.

use std::sync::Mutex;

use async_trait::async_trait;
use tagship_domain::{Timestamp, Version, scoring::Labelled};

use super::{Faults, lock::held};
use crate::{LabelledSource, PortError, Problem};

/// Labelled predictions in memory.
#[derive(Debug, Default)]
pub struct FakeLabelledSource {
    /// What goes wrong in `labelled`.
    pub faults: Faults,
    known: Mutex<Option<Labelled>>,
}

impl FakeLabelledSource {
    /// Says what is labelled from now on.
    pub fn set(&self, labelled: Labelled) {
        *held(&self.known) = Some(labelled);
    }
}

#[async_trait]
impl LabelledSource for FakeLabelledSource {
    async fn labelled(
        &self,
        _: &Version,
        _: &Version,
        _: Timestamp,
        _: Timestamp,
    ) -> Result<Labelled, PortError> {
        let find = || {
            let known = held(&self.known).clone();
            known.ok_or_else(|| PortError::new(Problem::NotFound, "read predictions", "there are none"))
        };
        self.faults.around("labelled", find).await
    }
}

//! The incidents that people would have been told of.

use std::sync::Mutex;

use async_trait::async_trait;
use tagship_domain::incident::{IncidentChange, IncidentNotice};

use super::{Faults, lock::held};
use crate::{Alerter, PortError};

/// Remembers what was told.
#[derive(Debug, Default)]
pub struct FakeAlerter {
    /// What goes wrong in `alert`.
    pub faults: Faults,
    told: Mutex<Vec<IncidentNotice>>,
}

impl FakeAlerter {
    /// Everything that was told, oldest first.
    pub fn told(&self) -> Vec<IncidentNotice> {
        held(&self.told).clone()
    }

    /// Fingerprints of the incidents that go on, as far as people know.
    pub fn open(&self) -> Vec<String> {
        let mut open: Vec<String> = vec![];
        for notice in held(&self.told).iter() {
            open.retain(|there| *there != notice.fingerprint);
            if notice.change != IncidentChange::Resolved {
                open.push(notice.fingerprint.clone());
            }
        }
        open
    }
}

#[async_trait]
impl Alerter for FakeAlerter {
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError> {
        let tell = || {
            held(&self.told).push(notice.clone());
            Ok(())
        };
        self.faults.around("alert", tell).await
    }
}

//! Counters in memory.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{ModelName, Version, traffic::Counters};

use super::{Faults, lock::held};
use crate::{MetricSource, PortError};

/// Counters in memory.
#[derive(Debug, Default)]
pub struct FakeMetricSource {
    /// What goes wrong in `counters`.
    pub faults: Faults,
    models: Mutex<BTreeMap<ModelName, BTreeMap<Version, Counters>>>,
}

impl FakeMetricSource {
    /// Says what is counted about a version from now on.
    pub fn set(&self, model: &ModelName, version: &Version, counters: Counters) {
        held(&self.models).entry(model.clone()).or_default().insert(version.clone(), counters);
    }
}

#[async_trait]
impl MetricSource for FakeMetricSource {
    async fn counters(&self, model: &ModelName) -> Result<BTreeMap<Version, Counters>, PortError> {
        self.faults
            .around("counters", || Ok(held(&self.models).get(model).cloned().unwrap_or_default()))
            .await
    }
}

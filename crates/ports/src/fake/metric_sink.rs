//! The metrics that were left.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;

use super::{Faults, lock::held};
use crate::{
    PortError,
    metric_sink::{MetricPage, MetricSink},
};

/// Keeps the newest page of each model and environment.
#[derive(Debug, Default)]
pub struct FakeMetricSink {
    /// What goes wrong in `put`.
    pub faults: Faults,
    pages: Mutex<BTreeMap<(String, String), String>>,
}

impl FakeMetricSink {
    /// What is left, by model and environment.
    pub fn pages(&self) -> BTreeMap<(String, String), String> {
        held(&self.pages).clone()
    }
}

#[async_trait]
impl MetricSink for FakeMetricSink {
    async fn put(&self, page: &MetricPage) -> Result<(), PortError> {
        let put = || {
            let key = (page.model.to_string(), page.environment.to_string());
            held(&self.pages).insert(key, page.text.clone());
            Ok(())
        };
        self.faults.around("put", put).await
    }
}

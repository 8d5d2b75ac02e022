//! Values in memory.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use serde_json::Value;
use tagship_domain::{Timestamp, Version, threshold::Point};

use super::{Faults, lock::held};
use crate::{PortError, Question, ValueSource};

/// Values in memory.
#[derive(Debug, Default)]
pub struct FakeValueSource {
    /// What goes wrong in `values`.
    pub faults: Faults,
    points: Mutex<BTreeMap<Version, BTreeMap<Timestamp, Value>>>,
}

impl FakeValueSource {
    /// Says what is measured of a version at a time.
    pub fn answer(&self, version: &Version, at: Timestamp, value: Value) {
        held(&self.points).entry(version.clone()).or_default().insert(at, value);
    }
}

#[async_trait]
impl ValueSource for FakeValueSource {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let find = || {
            let points = held(&self.points);
            let known = points.get(question.version).into_iter().flatten();
            let within = known.filter(|(at, _)| **at > question.from && **at <= question.to);
            Ok(within.map(|(at, value)| Point { at: *at, value: value.clone() }).collect())
        };
        self.faults.around("values", find).await
    }

    fn knows_the_past(&self) -> bool {
        true
    }
}

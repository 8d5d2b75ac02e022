//! The routing table: which loaded version answers a request.
//!
//! A table never changes; an order replaces it as a whole. Requests hold the [`Arm`] they were given, so a version
//! lives exactly as long as someone may still need its answer.

use std::{collections::BTreeMap, sync::Arc};

use tagship_domain::{
    Digest, ModelName, Version,
    serving::{ArmStatus, ModelStatus},
    traffic::Weight,
};

use tokio::sync::Semaphore;

use super::{metrics::ArmMetrics, state::ModelState};
use crate::Inference;

/// A version that is here, loaded or not.
#[derive(Debug)]
pub(super) struct Arm {
    pub(super) model: ModelName,
    pub(super) version: Version,
    pub(super) digest: Digest,
    /// The loaded model, or why it is not loaded.
    pub(super) loaded: Result<Arc<dyn Inference>, String>,
    /// Shared with predictions that wait for feedback, so that those do not keep the model in memory.
    pub(super) metrics: Arc<ArmMetrics>,
    /// One permit per inference at once. Each version has its own, so that one that hangs starves no other.
    pub(super) workers: Arc<Semaphore>,
}

/// Versions of one model by version.
pub(super) type Arms = BTreeMap<Version, Arc<Arm>>;

/// All models.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) models: BTreeMap<ModelName, Routes>,
}

/// One model.
#[derive(Debug)]
pub(super) struct Routes {
    state: ModelState,
    pub(super) arms: Arms,
}

impl Routes {
    pub(super) fn new(state: ModelState, arms: Arms) -> Self {
        Self { state, arms }
    }

    /// The version for a request that drew `draw` of 0..100; `None` where no version has traffic.
    pub(super) fn pick(&self, draw: u8) -> Option<&Arc<Arm>> {
        let candidate = self.state.candidate.as_ref().filter(|candidate| draw < candidate.weight.get());
        let version = candidate.map(|candidate| &candidate.version).or(self.state.stable.as_ref())?;
        self.arms.get(version)
    }

    /// The version that speaks for the model: stable, else the candidate.
    pub(super) fn face(&self) -> Option<&Arc<Arm>> {
        let candidate = self.state.candidate.as_ref().map(|candidate| &candidate.version);
        self.arms.get(self.state.stable.as_ref().or(candidate)?)
    }

    /// Whether every version with traffic can answer, and there is one.
    pub(super) fn is_ready(&self) -> bool {
        let mut with_traffic =
            self.arms.values().filter(|arm| self.weight(&arm.version) != Weight::NONE).peekable();
        with_traffic.peek().is_some() && with_traffic.all(|arm| arm.loaded.is_ok())
    }

    pub(super) fn weight(&self, version: &Version) -> Weight {
        self.state.weight(version)
    }

    /// What the admin plane tells about the model.
    pub(super) fn status(&self, model: &ModelName) -> ModelStatus {
        let arm = |arm: &Arc<Arm>| ArmStatus {
            version: arm.version.clone(),
            digest: arm.digest.clone(),
            ready: arm.loaded.is_ok(),
            message: arm.loaded.as_ref().err().cloned(),
            weight: self.weight(&arm.version),
            stable: self.state.stable.as_ref() == Some(&arm.version),
            counters: arm.metrics.counters(),
        };
        ModelStatus {
            model: model.clone(),
            fence: self.state.fence,
            arms: self.arms.values().map(arm).collect(),
        }
    }
}

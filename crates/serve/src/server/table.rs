//! The routing table: which loaded version answers a request.
//!
//! A table never changes; an order replaces it as a whole. Requests hold the [`Arm`] they were given, so a version
//! lives exactly as long as someone may still need its answer.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tagship_domain::{
    Digest, ModelName, Version,
    serving::{ArmStatus, ModelStatus},
    traffic::{Counters, Weight},
};

use tokio::sync::Semaphore;

use super::{draw::Draw, metrics::ArmMetrics, state::ModelState};
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
    /// The same for copies, so that they never keep a request waiting.
    pub(super) copies: Arc<Semaphore>,
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
    /// Header that keeps clients on their side.
    sticky: Option<HeaderName>,
    /// Header that leads requests to one version.
    matched: Option<HeaderName>,
}

impl Routes {
    pub(super) fn new(state: ModelState, arms: Arms) -> Self {
        // What the state holds was checked to be a token, which is all that a header's name must be.
        let name = |header: &tagship_domain::routing::HeaderName| header.as_str().parse().ok();
        let sticky = state.routing.sticky.as_ref().and_then(name);
        let matched = state.routing.matched.as_ref().and_then(|matched| name(&matched.header));
        Self { state, arms, sticky, matched }
    }

    /// Where a request stands that carries the sticky header; absent where there is none, or it is empty.
    pub(super) fn client(&self, model: &ModelName, headers: &HeaderMap) -> Option<Draw> {
        let client = headers.get(self.sticky.as_ref()?)?;
        (!client.is_empty()).then(|| Draw::of_client(model, client.as_bytes()))
    }

    /// The version that a header leads a request to. Several lines of one name are one value, joined by commas (RFC 9110,
    /// section 5.3).
    pub(super) fn matched(&self, headers: &HeaderMap) -> Option<&Arc<Arm>> {
        let matched = self.state.routing.matched.as_ref()?;
        let lines: Vec<&[u8]> =
            headers.get_all(self.matched.as_ref()?).iter().map(HeaderValue::as_bytes).collect();
        let is_meant = !lines.is_empty() && lines.join(&b", "[..]) == matched.exact.as_str().as_bytes();
        is_meant.then(|| self.arms.get(&matched.version)).flatten()
    }

    /// The version for a request; `None` where no version has traffic.
    pub(super) fn pick(&self, draw: Draw) -> Option<&Arc<Arm>> {
        let candidate = self.state.candidate.as_ref().filter(|candidate| draw.is_within(candidate.weight));
        let version = candidate.map(|candidate| &candidate.version).or(self.state.stable.as_ref())?;
        self.arms.get(version)
    }

    /// The version that answers a copy of a request too; `None` for requests of which no copy is due.
    pub(super) fn shadow(&self, draw: impl FnOnce() -> Draw) -> Option<&Arc<Arm>> {
        let shadow = self.state.routing.shadow.as_ref().filter(|shadow| draw().is_within(shadow.share))?;
        self.arms.get(&shadow.version)
    }

    /// Whether a version answers copies of requests.
    pub(super) fn is_shadow(&self, arm: &Arm) -> bool {
        self.shadow_share(&arm.version) != Weight::NONE
    }

    /// The share of requests that a version answers copies of.
    pub(super) fn shadow_share(&self, version: &Version) -> Weight {
        let shadow = self.state.routing.shadow.as_ref().filter(|shadow| shadow.version == *version);
        shadow.map_or(Weight::NONE, |shadow| shadow.share)
    }

    /// What is counted about a version. A shadow that answered nothing yet is told apart from none.
    pub(super) fn counters(&self, arm: &Arm) -> Counters {
        let mut counters = arm.metrics.counters();
        if self.is_shadow(arm) {
            counters.shadow.get_or_insert_default();
        }
        counters
    }

    /// The version that speaks for the model: stable, else the candidate.
    pub(super) fn face(&self) -> Option<&Arc<Arm>> {
        let candidate = self.state.candidate.as_ref().map(|candidate| &candidate.version);
        self.arms.get(self.state.stable.as_ref().or(candidate)?)
    }

    /// How often the share of a version has changed.
    pub(super) fn moves(&self, version: &Version) -> u64 {
        self.state.moves.get(version).copied().unwrap_or(0)
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
            counters: self.counters(arm),
        };
        ModelStatus {
            model: model.clone(),
            fence: self.state.fence,
            routing: self.state.routing.clone(),
            arms: self.arms.values().map(arm).collect(),
        }
    }
}

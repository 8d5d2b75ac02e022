//! What people would have been shown.

use std::{collections::BTreeMap, sync::Mutex};

use async_trait::async_trait;
use tagship_domain::{
    Timestamp,
    report::TimelineEntry,
    rollout::{Phase, RolloutId, RolloutState},
};

use super::{Faults, lock::held};
use crate::{PortError, Publisher};

/// What stands in the one place where a rollout is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// When its content was written.
    pub written: Timestamp,
    /// The phase that is shown.
    pub phase: Phase,
    /// The message that is shown.
    pub message: String,
    /// Phases of the timeline that is shown.
    pub timeline: Vec<Phase>,
}

/// Remembers what is shown, one place per rollout.
#[derive(Debug, Default)]
pub struct FakePublisher {
    /// What goes wrong in `publish`.
    pub faults: Faults,
    shown: Mutex<BTreeMap<RolloutId, Published>>,
}

impl FakePublisher {
    /// What is shown of a rollout.
    pub fn shown(&self, rollout: &RolloutId) -> Option<Published> {
        held(&self.shown).get(rollout).cloned()
    }
}

#[async_trait]
impl Publisher for FakePublisher {
    async fn publish(&self, state: &RolloutState, timeline: &[TimelineEntry]) -> Result<(), PortError> {
        let show = || {
            let written = timeline.last().map_or(state.since, |entry| entry.at);
            let mut shown = held(&self.shown);
            if shown.get(&state.id).is_none_or(|there| there.written <= written) {
                let timeline = timeline.iter().map(|entry| entry.phase).collect();
                let message = state.message.clone();
                shown.insert(state.id.clone(), Published { written, phase: state.phase, message, timeline });
            }
            Ok(())
        };
        self.faults.around("publish", show).await
    }
}

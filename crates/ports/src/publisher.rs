//! Bringing people's view of a rollout up to date: comments and summaries.

use async_trait::async_trait;
use tagship_domain::{report::TimelineEntry, rollout::RolloutState};

use crate::PortError;

/// Shows a rollout to people.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// Shows how a rollout stands. `timeline` is everything that happened in it so far, oldest first, and never
    /// empty; its last entry's time is when the content was written, so that an older call never hides a newer
    /// one. Doing it again changes nothing.
    async fn publish(&self, state: &RolloutState, timeline: &[TimelineEntry]) -> Result<(), PortError>;
}

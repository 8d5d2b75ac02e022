//! Whoever wants to see a rollout while it runs. Seeing changes nothing.

use tagship_domain::rollout::{Look, RolloutState};

/// Someone who watches a run.
pub trait Spectator: Send + Sync {
    /// A state was written to the journal by this run.
    fn recorded(&self, state: &RolloutState);

    /// The metrics were looked at; the state is the one that the look led to.
    fn looked(&self, look: &Look, state: &RolloutState);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Spectator for Nobody {
    fn recorded(&self, _: &RolloutState) {}

    fn looked(&self, _: &Look, _: &RolloutState) {}
}

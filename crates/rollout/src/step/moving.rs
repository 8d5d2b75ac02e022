//! Promoting, Finalising: the candidate has all traffic, so that anything wrong with it is bad at once.

use tagship_domain::rollout::{Observation, RolloutState};

use super::{transition::Judgement, travelling::unapplied};

/// Good when the phase's effects are done and the target shows the candidate with the traffic that was ordered.
pub(super) fn judge(state: &RolloutState, observation: &Observation) -> Judgement {
    let (version, share) = (&state.candidate.version, state.weight.applied);
    unapplied(state, observation)
        .unwrap_or_else(|| Judgement::Good(format!("{version} has {share} of the traffic")))
}

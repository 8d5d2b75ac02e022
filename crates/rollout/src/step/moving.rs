//! Progressing, Promoting, Finalising: the candidate has traffic, so that anything wrong with it is bad at once.

use tagship_domain::rollout::{Observation, Reason, RolloutState};
use tagship_domain::traffic::Weight;

use super::{candidate::Candidate, change, transition::Judgement};

/// Good when the phase's effects are done and the target shows the candidate with all traffic it was ordered.
pub(super) fn judge(state: &RolloutState, observation: &Observation) -> Judgement {
    let candidate = Candidate::of(&state.candidate, &observation.target);
    let applied = match (&candidate, candidate.trouble(&state.candidate)) {
        (Candidate::Unknown(_), Some(trouble)) => return Judgement::Wait(trouble),
        (_, Some(trouble)) => return Judgement::Bad(Reason::TargetFailed, trouble),
        (Candidate::Ready(weight), None) => *weight,
        (_, None) => Weight::NONE,
    };
    if let Some(intended) = state.intended.iter().find(|intended| !change::is_report(&intended.effect)) {
        return Judgement::Wait(change::waiting_for(intended));
    }
    let (version, desired) = (&state.candidate.version, state.weight.desired);
    if applied == desired {
        Judgement::Good(format!("{version} has {applied} of the traffic"))
    } else {
        Judgement::Wait(format!("{version} has {applied} of the traffic, {desired} was ordered"))
    }
}

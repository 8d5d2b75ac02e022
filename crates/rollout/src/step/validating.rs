//! Validating: the candidate is loaded without traffic, has its own bytes, and passes the smoke check.

use tagship_domain::rollout::{Effect, Observation, Reason, RolloutState};

use super::{candidate::Candidate, change, smoke, transition::Judgement};

pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    if let Some(intended) = state.intended.iter().find(|intended| !change::is_report(&intended.effect)) {
        return Judgement::Wait(change::waiting_for(intended));
    }
    let candidate = Candidate::of(&state.candidate, &observation.target);
    match (&candidate, candidate.trouble(&state.candidate)) {
        (Candidate::Other(_), Some(trouble)) => Judgement::Bad(Reason::ValidationFailed, trouble),
        (_, Some(trouble)) => Judgement::Wait(trouble),
        (_, None) => smoke::judge(state, observation.smoke.as_ref()),
    }
}

/// Whether the candidate's bytes are loaded, as far as the record says.
pub(crate) fn is_prepared(state: &RolloutState) -> bool {
    change::intends(state, |effect| matches!(effect, Effect::Prepare)).is_none()
}

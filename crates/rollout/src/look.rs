//! What the driver has to look at besides the target itself, and when something is due.

use tagship_domain::{
    Timestamp,
    plan::Smoke,
    rollout::{Observed, Phase, RolloutState},
};

use crate::step::{Candidate, Hold, holds, is_prepared, leg, next_look, wants_counters};

/// What a step would use now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Questions {
    /// Whether golden cases should be run against the candidate's endpoint.
    pub smoke: bool,
    /// Whether the counters of all versions should be read.
    pub counters: bool,
}

/// Says what to look at, from the state and what the target says.
pub fn questions(state: &RolloutState, target: &Observed, now: Timestamp) -> Questions {
    Questions { smoke: wants_smoke(state, target), counters: wants_counters(state, now) }
}

fn wants_smoke(state: &RolloutState, target: &Observed) -> bool {
    let has_cases = matches!(state.plan.smoke, Smoke::GoldenCases { .. });
    let prepared = state.phase == Phase::Validating && is_prepared(state);
    has_cases && prepared && matches!(Candidate::of(&state.candidate, target), Candidate::Ready(_))
}

/// When the plan has the next thing to do, as far as the state knows: a look, the end of a pause or a freeze, or an
/// effect that was put off.
pub(crate) fn next_event(state: &RolloutState) -> Option<Timestamp> {
    let put_off = state.intended.iter().filter_map(|intended| intended.not_before).min();
    on_the_way(state).into_iter().chain(put_off).min()
}

fn on_the_way(state: &RolloutState) -> Option<Timestamp> {
    if state.phase == Phase::Waiting {
        return holds(state, state.since);
    }
    let settled = state.settled.filter(|_| matches!(state.phase, Phase::Progressing | Phase::Baking))?;
    let pause = match leg(&state.plan, state.step).hold {
        Hold::For(length) => Some(settled.after(length)),
        Hold::Applied | Hold::Person => None,
    };
    // A leg that is measured ends with a look.
    next_look(state).or(pause)
}

//! What the driver has to look at besides the target itself.

use tagship_domain::plan::Smoke;
use tagship_domain::rollout::{Observed, Phase, RolloutState};
use tagship_domain::traffic::TargetState;

use crate::step::{Candidate, is_prepared};

/// What a step would use now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Questions {
    /// Whether golden cases should be run against the candidate's endpoint.
    pub smoke: bool,
}

/// Says what to look at, from the state and what the target says.
pub fn questions(state: &RolloutState, target: &TargetState) -> Questions {
    let has_cases = matches!(state.plan.smoke, Smoke::GoldenCases { .. });
    let prepared = state.phase == Phase::Validating && is_prepared(state);
    let answers = || Candidate::of(&state.candidate, &Observed::Seen(target.clone()));
    Questions { smoke: has_cases && prepared && matches!(answers(), Candidate::Ready(_)) }
}

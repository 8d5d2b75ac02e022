//! The legs of a rollout's way: its strategy as shares of traffic, and what each is held for.
//!
//! A canary has one leg per step, so that the index of a leg is the index of the step. After them comes the last leg,
//! with all the traffic that the candidate gets before it is stable; it is held for the bake.

use tagship_domain::{
    Duration,
    plan::{RolloutPlan, Step, Strategy},
    rollout::RolloutState,
    traffic::Weight,
};

use crate::analysis::Against;

/// A share of traffic and what it is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leg {
    /// The candidate's share.
    pub(crate) weight: Weight,
    /// What it is held for.
    pub(crate) hold: Hold,
}

/// What a share of traffic is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Only until it is applied.
    Applied,
    /// This long.
    For(Duration),
    /// Until a person says so.
    Person,
}

/// All legs but the last.
pub(crate) fn legs(plan: &RolloutPlan) -> Vec<Leg> {
    match &plan.strategy {
        Strategy::AllAtOnce => vec![],
        Strategy::BlueGreen { preview, auto_promote } => {
            let dark = |hold| Leg { weight: Weight::NONE, hold };
            let person = (!auto_promote).then(|| dark(Hold::Person));
            [dark(Hold::For(*preview))].into_iter().chain(person).collect()
        }
        Strategy::Canary { steps } => {
            let leg = |weight: &mut Weight, step: &Step| {
                let hold = match step {
                    Step::SetWeight(share) => {
                        *weight = *share;
                        Hold::Applied
                    }
                    Step::Pause(Some(length)) => Hold::For(*length),
                    Step::Pause(None) => Hold::Person,
                };
                Some(Leg { weight: *weight, hold })
            };
            steps.iter().scan(Weight::NONE, leg).collect()
        }
    }
}

/// The leg with this index; the last one where there are fewer.
pub(crate) fn leg(plan: &RolloutPlan, index: usize) -> Leg {
    legs(plan).get(index).copied().unwrap_or_else(|| last(plan))
}

/// Whether the leg that runs is the last.
pub(crate) fn is_last(state: &RolloutState) -> bool {
    state.step >= legs(&state.plan).len()
}

/// What is held back is for the bake; without one, nothing is.
fn last(plan: &RolloutPlan) -> Leg {
    let weight = if plan.bake == Duration::default() { Weight::ALL } else { plan.full() };
    Leg { weight, hold: Hold::For(plan.bake) }
}

/// What the candidate is measured against while it has this share; nothing without traffic.
pub(crate) fn against(state: &RolloutState, weight: Weight) -> Option<Against> {
    match (weight, &state.stable) {
        (Weight::NONE, _) => None,
        (weight, Some(_)) if weight < Weight::ALL => Some(Against::Stable),
        _ => Some(Against::Bound),
    }
}

//! The legs of a rollout's way: its strategy as shares of traffic, and what each is held for.
//!
//! A canary has one leg per step, so that the index of a leg is the index of the step. After them comes the last leg,
//! with all the traffic that the candidate gets before it is stable; it is held for the bake.

use tagship_domain::{
    Duration,
    analysis::Metric,
    plan::{RolloutPlan, Step, Strategy},
    rollout::RolloutState,
    routing::{Routing, Shadow},
    traffic::Weight,
};

use crate::analysis::Against;

/// A share of traffic and what it is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leg {
    /// The candidate's share.
    pub(crate) weight: Weight,
    /// The share of requests that it answers copies of; only without traffic of its own.
    pub(crate) mirror: Weight,
    /// Whether it answers the requests that carry the plan's header, whatever its share.
    pub(crate) matched: bool,
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
        Strategy::BlueGreen { preview, auto_promote, mirror } => {
            let dark = |hold| Leg { weight: Weight::NONE, mirror: *mirror, matched: false, hold };
            let person = (!auto_promote).then(|| dark(Hold::Person));
            [dark(Hold::For(*preview))].into_iter().chain(person).collect()
        }
        Strategy::Canary { steps } => {
            let shares = (Weight::NONE, Weight::NONE);
            steps.iter().scan(shares, |shares, step| Some(of_step(shares, step))).collect()
        }
        Strategy::Shadow { mirror, length } => {
            vec![Leg { weight: Weight::NONE, mirror: *mirror, matched: false, hold: Hold::For(*length) }]
        }
        Strategy::AB { share, length } => {
            vec![Leg { weight: *share, mirror: Weight::NONE, matched: false, hold: Hold::For(*length) }]
        }
        Strategy::Matched { length, .. } => {
            vec![Leg { weight: Weight::NONE, mirror: Weight::NONE, matched: true, hold: Hold::For(*length) }]
        }
    }
}

/// The leg of a step, after the shares of the one before. Copies end where traffic begins.
fn of_step((weight, mirror): &mut (Weight, Weight), step: &Step) -> Leg {
    let hold = match step {
        Step::SetWeight(share) => {
            (*weight, *mirror) = (*share, Weight::NONE);
            Hold::Applied
        }
        Step::Mirror(share) => {
            *mirror = *share;
            Hold::Applied
        }
        Step::Pause(Some(length)) => Hold::For(*length),
        Step::Pause(None) => Hold::Person,
    };
    Leg { weight: *weight, mirror: *mirror, matched: false, hold }
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
    Leg { weight, mirror: Weight::NONE, matched: false, hold: Hold::For(plan.bake) }
}

/// What the candidate is measured against on a leg; nothing where it answers nothing.
pub(crate) fn against(leg: Leg, has_stable: bool) -> Option<Against> {
    match (leg.weight, has_stable) {
        (Weight::NONE, true) if leg.matched => Some(Against::Stable),
        (Weight::NONE, true) if leg.mirror > Weight::NONE => Some(Against::Shadow),
        (Weight::NONE, _) => None,
        (weight, true) if weight < Weight::ALL => Some(Against::Stable),
        _ => Some(Against::Bound),
    }
}

/// What it is measured against as the target was asked to route.
pub(crate) fn against_now(state: &RolloutState) -> Option<Against> {
    let mirror = state.routing.shadow.as_ref().map_or(Weight::NONE, |shadow| shadow.share);
    let matched = state.routing.matched.is_some();
    let leg = Leg { weight: state.weight.desired, mirror, matched, hold: Hold::Applied };
    against(leg, state.stable.is_some())
}

/// Whether a metric could be measured on the legs up to the one that runs.
pub(crate) fn was_measurable(state: &RolloutState, metric: &Metric) -> bool {
    let has_stable = state.stable.is_some();
    (0..=state.step).any(|index| {
        against(leg(&state.plan, index), has_stable).is_some_and(|against| against.applies(metric))
    })
}

/// How the target has to route on a leg, beside sharing by weight.
pub(crate) fn routing(state: &RolloutState, leg: Leg) -> Routing {
    let is_shadow = leg.mirror > Weight::NONE && state.stable.is_some();
    let is_shared = Weight::NONE < leg.weight && leg.weight < Weight::ALL;
    let version = &state.candidate.version;
    let rule = state.plan.strategy.rule().filter(|_| leg.matched && state.stable.is_some());
    Routing {
        sticky: state.plan.sticky.clone().filter(|_| is_shared),
        shadow: is_shadow.then(|| Shadow { version: version.clone(), share: leg.mirror }),
        matched: rule.map(|rule| rule.to(version)),
    }
}

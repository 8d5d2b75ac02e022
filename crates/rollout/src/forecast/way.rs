//! The way of a rollout as stretches with one share of traffic.

use tagship_domain::{
    Duration,
    forecast::{Comparison, Stretch},
    plan::RolloutPlan,
    traffic::Weight,
};

use crate::step::legs::{self, Hold, Leg};

/// All stretches, in order. A share that is only applied belongs to the pause that follows it.
pub(super) fn way(plan: &RolloutPlan, has_stable: bool) -> Vec<Stretch> {
    let mut legs = legs::legs(plan);
    let last = legs.len();
    legs.push(legs::leg(plan, last));
    let mut way = vec![];
    for (index, leg) in legs.iter().enumerate() {
        let next = legs.get(index + 1);
        let is_part = |next: &Leg| next.weight == leg.weight && index + 1 < last;
        let is_empty = leg.weight == Weight::NONE && leg.hold == Hold::For(Duration::default());
        if is_empty || (leg.hold == Hold::Applied && next.is_some_and(is_part)) {
            continue;
        }
        let lasts = match leg.hold {
            Hold::Applied => Some(Duration::default()),
            Hold::For(length) => Some(length),
            Hold::Person => None,
        };
        let against = plan.analysis.as_ref().and_then(|_| comparison(leg.weight, has_stable));
        let before_all = next.is_some_and(|next| index + 1 == last || next.weight == Weight::ALL);
        let needs_verdict =
            against.is_some() && if index == last { plan.bake > Duration::default() } else { before_all };
        way.push(Stretch { weight: leg.weight, lasts, against, needs_verdict });
    }
    way
}

fn comparison(weight: Weight, has_stable: bool) -> Option<Comparison> {
    match weight {
        Weight::NONE => None,
        weight if has_stable && weight < Weight::ALL => Some(Comparison::Stable),
        _ => Some(Comparison::Bound),
    }
}

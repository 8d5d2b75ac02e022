//! The way of a rollout as stretches with one share of traffic.

use tagship_domain::{
    Duration,
    forecast::{Comparison, Stretch},
    plan::RolloutPlan,
    traffic::Weight,
};

use crate::{
    analysis::Against,
    step::legs::{self, Hold, Leg},
};

/// All stretches, in order. A share that is only applied belongs to the pause that follows it.
pub(super) fn way(plan: &RolloutPlan, has_stable: bool) -> Vec<Stretch> {
    let mut legs = legs::legs(plan);
    let last = legs.len();
    legs.push(legs::leg(plan, last));
    let mut way = vec![];
    for (index, leg) in legs.iter().enumerate() {
        let next = legs.get(index + 1);
        let is_part = |next: &Leg| {
            (next.weight, next.mirror, next.matched) == (leg.weight, leg.mirror, leg.matched)
                && index + 1 < last
        };
        let is_dark = (leg.weight, leg.mirror, leg.matched) == (Weight::NONE, Weight::NONE, false);
        let is_empty = is_dark && leg.hold == Hold::For(Duration::default());
        if is_empty || (leg.hold == Hold::Applied && next.is_some_and(is_part)) {
            continue;
        }
        let lasts = match leg.hold {
            Hold::Applied => Some(Duration::default()),
            Hold::For(length) => Some(length),
            Hold::Person => None,
        };
        let against = plan.analysis.as_ref().and_then(|_| comparison(*leg, has_stable));
        let waits = next.is_some_and(|next| {
            let ends_copies = leg.mirror > Weight::NONE && next.mirror == Weight::NONE;
            index + 1 == last || next.weight == Weight::ALL || ends_copies
        });
        let needs_verdict =
            against.is_some() && if index == last { plan.bake > Duration::default() } else { waits };
        let mirror = if against == Some(Comparison::Shadow) { leg.mirror } else { Weight::NONE };
        way.push(Stretch { weight: leg.weight, mirror, matched: leg.matched, lasts, against, needs_verdict });
    }
    way
}

fn comparison(leg: Leg, has_stable: bool) -> Option<Comparison> {
    legs::against(leg, has_stable).map(|against| match against {
        Against::Stable => Comparison::Stable,
        Against::Bound => Comparison::Bound,
        Against::Shadow => Comparison::Shadow,
    })
}

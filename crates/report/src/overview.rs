//! Where a rollout stands in a few words, for overviews of many.

use tagship_domain::{
    overview::PlaceOverview,
    report::StepPosition,
    rollout::{Kind, RolloutState},
};

use crate::sentence::phase_name;

/// The newest rollout of a place: while it runs with step and share of traffic, afterwards with how it ended.
pub(crate) fn rollout(place: &PlaceOverview) -> String {
    match &place.rollout {
        None if place.current.is_none() => "never deployed".to_owned(),
        None => "none yet".to_owned(),
        Some(state) if state.holds_lock() => running(state),
        Some(state) => ended(state),
    }
}

fn running(state: &RolloutState) -> String {
    let mut facts = vec![format!("{} {}", state.candidate.version, phase_name(state.phase).to_lowercase())];
    facts.extend(StepPosition::of(state).map(|step| format!("step {} of {}", step.number, step.count)));
    facts.push(format!("{} of traffic", state.weight.applied));
    facts.push(format!("since {}", state.since.readable()));
    format!("{}: {}", facts.join(", "), state.message)
}

fn ended(state: &RolloutState) -> String {
    let kind = if state.kind == Kind::Rollback { " (rollback)" } else { "" };
    let phase = phase_name(state.phase).to_lowercase();
    format!("{}{kind} {phase}: {}", state.candidate.version, state.message)
}

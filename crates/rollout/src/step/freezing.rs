//! Waiting: a freeze of the plan keeps a rollout from beginning, and its candidate from more traffic than it has. What is
//! measured still counts, and the way back is always open. It goes on by itself when the freeze ends; a person may lead it
//! on before, which is on record.

use tagship_domain::{
    Provenance, Timestamp,
    freeze::frozen_until,
    rollout::{Effect, Intended, Observation, Phase, Reason, RolloutState, Unfrozen},
    traffic::Weight,
};

use super::{
    advance,
    change::{enter, intend, is_report},
    legs, pausing,
    transition::Judgement,
};

/// The end of the freeze that holds a rollout now; absent where none does, or a person has overruled it.
pub(crate) fn holds(state: &RolloutState, now: Timestamp) -> Option<Timestamp> {
    let until = frozen_until(&state.plan.freeze, now)?;
    let overruled = state.unfrozen.as_ref().is_some_and(|word| now < word.until);
    (!overruled).then_some(until)
}

/// The end of the freeze that keeps a phase that is done from leading on; absent where it may.
pub(super) fn stops(state: &RolloutState, now: Timestamp) -> Option<Timestamp> {
    let next = match state.phase {
        Phase::Pending => return holds(state, now),
        Phase::Validating => Some(legs::leg(&state.plan, 0)),
        Phase::Progressing | Phase::Baking if legs::is_last(state) => None,
        Phase::Progressing | Phase::Baking => Some(legs::leg(&state.plan, state.step + 1)),
        _ => return None,
    };
    let share = next.map_or(Weight::ALL, |leg| leg.weight);
    let begins_match = next.is_some_and(|leg| leg.matched) && state.routing.matched.is_none();
    holds(state, now).filter(|_| share > state.weight.desired || begins_match)
}

/// Holds a rollout where it is until a freeze ends.
pub(super) fn wait(state: &mut RolloutState, achieved: &str, until: Timestamp, now: Timestamp) {
    let interrupted = state.phase;
    // What an earlier rollout left to do is not for the freeze to forget.
    let left_over: Vec<Intended> = match interrupted {
        Phase::Pending => state.intended.drain(..).filter(|left| !is_report(&left.effect)).collect(),
        _ => vec![],
    };
    let before = if achieved.is_empty() { String::new() } else { format!("{achieved}; ") };
    let message =
        format!("{before}a freeze holds it until {}, or until someone promotes it", until.readable());
    enter(state, Phase::Waiting, Reason::Schedule, message, now);
    state.interrupted = Some(interrupted);
    state.intended.extend(left_over);
    intend(state, Effect::Publish);
}

/// Good when the freeze is over; bad as soon as something turns out bad.
pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    let travels = matches!(state.interrupted, Some(Phase::Progressing | Phase::Baking));
    match travels.then(|| pausing::watch(state, observation)).flatten() {
        Some(bad) => bad,
        None if holds(state, observation.now).is_none() => Judgement::Good("the freeze is over".to_owned()),
        None => Judgement::Wait(state.message.clone()),
    }
}

/// Goes on with what the freeze interrupted. That is judged again, for much may have changed meanwhile.
pub(super) fn go_on(state: &mut RolloutState, why: &str, now: Timestamp) {
    let phase = match state.interrupted {
        None | Some(Phase::Pending) => return advance::validate(state, now),
        Some(phase) => phase,
    };
    let settled = state.settled;
    let message =
        format!("{why}; {} stays at {} until it is looked at", state.candidate.version, state.weight.desired);
    enter(state, phase, Reason::OnTrack, message, now);
    state.settled = settled;
    intend(state, Effect::Publish);
}

/// Records that a person leads it on in spite of a freeze, where one holds.
pub(super) fn overrule(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    if let Some(until) = holds(state, now) {
        state.unfrozen = Some(Unfrozen { by: by.clone(), until });
    }
}

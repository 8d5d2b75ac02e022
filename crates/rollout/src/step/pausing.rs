//! Paused: the share of traffic stays as it is until a person decides. What is measured still counts: a candidate that
//! turns out bad goes back, whoever waits.

use tagship_domain::{
    Provenance, Timestamp,
    analysis::MetricPhase,
    rollout::{Effect, Observation, Phase, Reason, RolloutState},
};

use super::{
    advance,
    change::{enter, intend},
    looking,
    transition::Judgement,
    travelling,
};
use crate::analysis::{self, Standing};

/// Holds a rollout where it is.
pub(super) fn pause(state: &mut RolloutState, reason: Reason, why: &str, now: Timestamp) {
    let interrupted = state.phase;
    if matches!(reason, Reason::InconclusiveAnalysis | Reason::NoData) {
        for judge in state.judges.values_mut() {
            if matches!(judge.phase, MetricPhase::Pending | MetricPhase::Running) {
                judge.phase = MetricPhase::Inconclusive;
            }
        }
    }
    let message = format!("{why}; waiting for {} to promote, resume or abort", state.by.actor);
    enter(state, Phase::Paused, reason, message, now);
    state.interrupted = Some(interrupted);
    intend(state, Effect::Publish);
}

/// Bad as soon as something turns out bad; otherwise it waits.
pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    let waiting = Judgement::Wait(state.message.clone());
    match travelling::unapplied(state, observation) {
        Some(Judgement::Bad(reason, cause)) => return Judgement::Bad(reason, cause),
        Some(_) => return waiting,
        None => {}
    }
    match looking::take(state, observation) {
        Some(Standing::Rollback { reason, cause }) => Judgement::Bad(reason, cause),
        _ => waiting,
    }
}

/// Goes on with what a pause interrupted. Time that was spent before the pause counts, except where it was spent
/// in vain: then the leg begins anew.
pub(super) fn resume(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    if state.reason == Reason::StepPause {
        return lead_on(state, by, now);
    }
    let in_vain = matches!(state.reason, Reason::InconclusiveAnalysis | Reason::NoData);
    let settled = state.settled.filter(|_| !in_vain).map(|settled| settled.after(now.since(state.since)));
    analysis::resume(&mut state.judges);
    advance::begin_leg(state, state.step, &format!("{} resumed it", by.actor), now);
    if state.settled.is_some() {
        state.settled = settled.or(state.settled);
    }
}

/// Goes on to what comes next, past what is waited for.
pub(super) fn lead_on(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    if state.reason != Reason::StepPause {
        state.waived = Some(by.clone());
    }
    advance::next_leg(state, &format!("{} led it on", by.actor), now);
}

/// Goes on to the end, past all steps and measurements.
pub(super) fn promote_full(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    state.waived = Some(by.clone());
    advance::promote(state, &format!("{} promoted it in full", by.actor), now);
}

//! Paused: the share of traffic stays as it is until a person decides. What is measured still counts: a candidate that
//! turns out bad goes back, whoever waits.

use tagship_domain::{
    Provenance, Timestamp,
    analysis::MetricPhase,
    plan::OnFailure,
    rollout::{Effect, Observation, Phase, Reason, RolloutState},
};

use super::{
    advance,
    change::{enter, intend},
    freezing, looking,
    transition::Judgement,
    travelling,
};
use crate::analysis::{self, Standing};

/// Holds a rollout where it is.
pub(super) fn pause(state: &mut RolloutState, reason: Reason, why: &str, now: Timestamp) {
    let interrupted = state.interrupted.filter(|_| state.phase.stands_still()).unwrap_or(state.phase);
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

/// Holds a rollout whose metric is bad, where the plan leaves it to a person what to do about that. Nothing but a person
/// leads on from here, and no deadline does.
pub(super) fn hold_bad(state: &mut RolloutState, cause: &str, now: Timestamp) {
    let (reason, what) = match (state.plan.on_failure, &state.stable) {
        (OnFailure::Propose, Some(stable)) => {
            (Reason::RollbackProposed, format!("going back to {} is proposed", stable.version))
        }
        (OnFailure::Propose, None) => {
            (Reason::RollbackProposed, "taking it out of service is proposed".to_owned())
        }
        (OnFailure::Freeze | OnFailure::Rollback, _) => {
            (Reason::Frozen, format!("{} stays at {}", state.candidate.version, state.weight.desired))
        }
    };
    state.cause = Some(cause.to_owned());
    pause(state, reason, &format!("{cause}; {what}"), now);
}

/// Bad as soon as something turns out bad; otherwise it waits.
pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    watch(state, observation).unwrap_or_else(|| Judgement::Wait(state.message.clone()))
}

/// What turned out bad while it stands still; nothing new where a person knows already that a metric is bad.
pub(super) fn watch(state: &mut RolloutState, observation: &Observation) -> Option<Judgement> {
    match travelling::unapplied(state, observation) {
        Some(Judgement::Bad(reason, cause)) => return Some(Judgement::Bad(reason, cause)),
        Some(_) => return None,
        None => {}
    }
    match looking::take(state, observation)? {
        Standing::Rollback { reason, cause } if !is_known_bad(state) => Some(Judgement::Bad(reason, cause)),
        _ => None,
    }
}

fn is_known_bad(state: &RolloutState) -> bool {
    state.phase == Phase::Paused && matches!(state.reason, Reason::Frozen | Reason::RollbackProposed)
}

/// Goes on with what a pause interrupted. Time that was spent before the pause counts, except where it was spent
/// in vain: then the leg begins anew, and a metric that was bad is measured from the beginning.
pub(super) fn resume(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    if state.reason == Reason::StepPause {
        return lead_on(state, by, now);
    }
    let is_bad = is_known_bad(state);
    let in_vain = is_bad || matches!(state.reason, Reason::InconclusiveAnalysis | Reason::NoData);
    let settled = state.settled.filter(|_| !in_vain).map(|settled| settled.after(now.since(state.since)));
    analysis::resume(&mut state.judges);
    if is_bad {
        state.cause = None;
        state.judges.retain(|_, judge| judge.phase != MetricPhase::Failed);
    }
    advance::begin_leg(state, state.step, &format!("{} resumed it", by.actor), now);
    if state.settled.is_some() {
        state.settled = settled.or(state.settled);
    }
}

/// Goes on to what comes next, past what is waited for.
pub(super) fn lead_on(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    freezing::overrule(state, by, now);
    if state.phase == Phase::Waiting {
        return freezing::go_on(state, &format!("{} led it on in spite of a freeze", by.actor), now);
    }
    if state.reason != Reason::StepPause {
        state.waived = Some(by.clone());
    }
    state.cause = None;
    advance::next_leg(state, &format!("{} led it on", by.actor), now);
}

/// Goes on to the end, past all steps and measurements.
pub(super) fn promote_full(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    freezing::overrule(state, by, now);
    state.waived = Some(by.clone());
    state.cause = None;
    advance::promote(state, &format!("{} promoted it in full", by.actor), now);
}

//! The two ways in which a state changes: it enters a phase, and it intends an effect.

use std::mem::discriminant;

use tagship_domain::{
    Duration, Timestamp,
    rollout::{Effect, Intended, Phase, Reason, RolloutState},
};

use crate::start::after;

/// Enters a phase. Only reports to people outlive the phase that intended them. That monitoring is why a version is left
/// stays the reason for as long as that goes as planned.
pub(super) fn enter(state: &mut RolloutState, phase: Phase, reason: Reason, message: String, now: Timestamp) {
    let goes_well = matches!(reason, Reason::OnTrack | Reason::Completed);
    state.phase = phase;
    state.reason = if goes_well && state.reason == Reason::GuardFired { Reason::GuardFired } else { reason };
    state.message = message;
    state.since = after(state.since, now);
    state.deadline = (!phase.is_terminal() && !phase.stands_still())
        .then(|| state.since.after(state.plan.progress_deadline));
    if !phase.stands_still() {
        state.settled = None;
        state.interrupted = None;
    }
    state.intended.retain(|intended| is_report(&intended.effect));
}

/// Intends an effect under the next number. A report replaces an older one of its kind that was not delivered.
pub(super) fn intend(state: &mut RolloutState, effect: Effect) {
    if is_report(&effect) {
        state.intended.retain(|intended| discriminant(&intended.effect) != discriminant(&effect));
    }
    state.seq += 1;
    state.intended.push(Intended::new(state.seq, effect));
}

/// Intends an effect that is done only after a time in the phase that was entered.
pub(super) fn intend_after(state: &mut RolloutState, delay: Duration, effect: Effect) {
    intend(state, effect);
    let since = state.since;
    if let Some(intended) = state.intended.last_mut() {
        intended.not_before = (delay > Duration::default()).then(|| since.after(delay));
    }
}

/// The intention of an effect, where it is not done yet.
pub(crate) fn intends(state: &RolloutState, which: impl Fn(&Effect) -> bool) -> Option<&Intended> {
    state.intended.iter().find(|intended| which(&intended.effect))
}

/// Whether an effect only tells somebody something. It moves nothing here, fails nothing and keeps nothing waiting.
pub(crate) fn is_report(effect: &Effect) -> bool {
    matches!(effect, Effect::SetDeployment { .. } | Effect::Publish | Effect::Dispatch { .. })
}

/// Whether a rollout can do without an effect: reports, unloading what has no traffic, and taking back a routing that
/// means nothing where one version has all traffic.
pub(super) fn is_optional(effect: &Effect) -> bool {
    match effect {
        Effect::Route { routing } => routing.is_plain(),
        Effect::Cleanup { .. } => true,
        effect => is_report(effect),
    }
}

/// Whether an effect changes what the registry says.
pub(super) fn is_registry(effect: &Effect) -> bool {
    matches!(effect, Effect::AssignStage { .. } | Effect::UnassignStage { .. })
}

/// An effect as people call it.
pub(super) fn name(effect: &Effect) -> String {
    match effect {
        Effect::Prepare => "load the candidate".to_owned(),
        Effect::SetWeight { weight } => format!("give the candidate {weight} of the traffic"),
        Effect::Route { routing } => match (&routing.matched, &routing.shadow, &routing.sticky) {
            (Some(matched), ..) => format!("give the candidate the requests with `{}`", matched.rule()),
            (None, Some(shadow), _) => format!("copy {} of the requests to the candidate", shadow.share),
            (None, None, Some(header)) => format!("keep clients on their side by the header {header}"),
            (None, None, None) => "share requests by weight alone".to_owned(),
        },
        Effect::Promote => "make the candidate stable".to_owned(),
        Effect::Rollback => "give all traffic back".to_owned(),
        Effect::Cleanup { version } => format!("unload {version}"),
        Effect::AssignStage { version } => format!("assign {version} in the registry"),
        Effect::UnassignStage { version } => format!("unassign {version} in the registry"),
        Effect::SetDeployment { .. } => "report the deployment".to_owned(),
        Effect::Publish => "publish the report".to_owned(),
        Effect::Dispatch { environment } => format!("ask for the deployment to {environment}"),
    }
}

/// What is waited for while an effect is not done, with what went wrong last.
pub(super) fn waiting_for(intended: &Intended) -> String {
    let what = name(&intended.effect);
    match (&intended.error, intended.attempts) {
        (Some(error), attempts) => format!("could not {what} in {attempts} attempts so far: {error}"),
        (None, 0) => format!("about to {what}"),
        (None, _) => format!("waiting for the order to {what} to take effect"),
    }
}

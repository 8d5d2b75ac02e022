//! A rollback that failed: what it leaves as it is, and what a person can have done with it.

use tagship_domain::{
    Provenance, Timestamp,
    event::Command,
    rollout::{DeploymentState, Effect, Observation, PersonCommand, Phase, Reason, RolloutState, Unlocked},
    traffic::{TargetState, Weight},
};

use super::{
    advance,
    back::{go_back, return_traffic},
    candidate::Candidate,
    change::{enter, intend},
};

/// The rollback itself does not work. What it was for stays the reason; what stopped it is the message.
pub(super) fn get_stuck(state: &mut RolloutState, trouble: &str, now: Timestamp) {
    let began = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let message = format!("a person is needed, going back failed: {trouble} (went back because: {began})");
    enter(state, Phase::RollbackFailed, state.reason, message, now);
    intend(state, Effect::SetDeployment { state: DeploymentState::Error });
    intend(state, Effect::Publish);
}

/// A rollback cannot be completed. What it brought back keeps the traffic that it has, and a person is told: by itself it
/// neither returns to the version that was left nor lets another rollout begin.
pub(super) fn stop_on_the_way(
    state: &mut RolloutState,
    reason: Reason,
    trouble: &str,
    observation: &Observation,
) {
    let version = &state.candidate.version;
    let stands = match Candidate::of(&state.candidate, &observation.target) {
        Candidate::Ready(weight) => format!("{version} keeps {weight} of the traffic"),
        candidate => candidate.trouble(&state.candidate).unwrap_or_default(),
    };
    let began =
        state.cause.as_ref().map(|cause| format!(" (went back because: {cause})")).unwrap_or_default();
    let message = format!("a person is needed, going back to {version} failed: {trouble}; {stands}{began}");
    // Why monitoring left a version stays the reason, as it does where going back works.
    let reason = if state.reason == Reason::GuardFired { Reason::GuardFired } else { reason };
    enter(state, Phase::RollbackFailed, reason, message, observation.now);
    state.weight.desired = Weight::ALL;
    intend(state, Effect::SetDeployment { state: DeploymentState::Error });
    intend(state, Effect::Publish);
}

/// Does what a person asks of a rollback that failed: tries it again, or, where it kept what it brought back, gives the
/// traffic back to what it left.
pub(super) fn decided(state: &mut RolloutState, asked: &PersonCommand, now: Timestamp) {
    match (state.keeps_way_back(), asked.command) {
        (true, Command::Abort) => {
            let known = state.cause.take().map(|known| format!(" ({known})")).unwrap_or_default();
            go_back(state, Reason::ManualAbort, &format!("{} stopped it{known}", asked.by.actor), now);
        }
        (true, _) => {
            advance::promote(state, &format!("{} has going back tried again", asked.by.actor), now);
            intend(state, Effect::Publish);
        }
        (false, _) => try_again(state, &asked.by, now),
    }
}

fn try_again(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    let cause = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let message = format!("{} has going back tried again: {cause}", by.actor);
    enter(state, Phase::RollingBack, state.reason, message, now);
    intend(state, Effect::Publish);
    return_traffic(state);
}

/// Takes the lock of a rollout away that could not go back, in a person's name and with what was seen to serve.
pub(super) fn unlock(state: &mut RolloutState, word: &Unlocked, target: &TargetState) {
    let weight = target.arm(&state.candidate.version).map(|arm| arm.weight);
    state.weight.applied = weight.unwrap_or(Weight::NONE);
    let shares: Vec<String> = target
        .arms
        .iter()
        .filter(|arm| arm.weight > Weight::NONE)
        .map(|arm| format!("{} has {} of the traffic", arm.version, arm.weight))
        .collect();
    let serves = if shares.is_empty() { "nothing serves".to_owned() } else { shares.join(", ") };
    let why = if word.reason.is_empty() { String::new() } else { format!(" ({})", word.reason) };
    state.message = format!("{} took the lock away{why}: {serves}; {}", word.by.actor, state.message);
    state.unlocked = Some(word.clone());
    intend(state, Effect::Publish);
}

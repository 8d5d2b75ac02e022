//! The way back: what bad news means in each phase, and when traffic has arrived at stable again.

use tagship_domain::{
    Provenance, Timestamp,
    rollout::{DeploymentState, Effect, Observation, Observed, Phase, Reason, RolloutState},
    routing::Routing,
    traffic::Weight,
};

use super::{
    advance,
    candidate::Candidate,
    change::{enter, intend, intend_after, is_report, waiting_for},
    transition::Judgement,
};

/// Leads back from a phase that went wrong: before traffic moved there is nothing to undo, afterwards traffic goes
/// back, and where that does not work a person is needed.
pub(super) fn give_up(state: &mut RolloutState, reason: Reason, cause: &str, now: Timestamp) {
    match state.phase {
        Phase::Pending | Phase::Validating if reason == Reason::NewerVersion => give_way(state, cause, now),
        Phase::Pending | Phase::Validating => fail(state, reason, cause, now),
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Promoting | Phase::Finalising => {
            go_back(state, reason, cause, now);
        }
        Phase::RollingBack => get_stuck(state, cause, now),
        Phase::Succeeded | Phase::Failed | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded => {}
    }
}

fn fail(state: &mut RolloutState, reason: Reason, cause: &str, now: Timestamp) {
    let still = match &state.stable {
        Some(stable) => format!("{} still serves", stable.version),
        None => "nothing serves, as before".to_owned(),
    };
    let message = format!("{} got no traffic, {still}: {cause}", state.candidate.version);
    state.cause = Some(cause.to_owned());
    enter(state, Phase::Failed, reason, message, now);
    conclude(state, DeploymentState::Failure);
}

/// Ends before traffic moved, because a newer version takes over.
fn give_way(state: &mut RolloutState, cause: &str, now: Timestamp) {
    let message = format!("{} gave way before it had traffic: {cause}", state.candidate.version);
    state.cause = Some(cause.to_owned());
    enter(state, Phase::Superseded, Reason::NewerVersion, message, now);
    conclude(state, DeploymentState::Inactive);
}

fn go_back(state: &mut RolloutState, reason: Reason, cause: &str, now: Timestamp) {
    let message = match &state.stable {
        Some(stable) => format!("giving all traffic back to {}: {cause}", stable.version),
        None => format!("taking {} out of service: {cause}", state.candidate.version),
    };
    state.cause = Some(cause.to_owned());
    enter(state, Phase::RollingBack, reason, message, now);
    state.weight.desired = Weight::NONE;
    intend(state, Effect::Publish);
    intend(state, Effect::Rollback);
    advance::route(state, Routing::default());
}

/// Tries again what did not work.
pub(super) fn try_again(state: &mut RolloutState, by: &Provenance, now: Timestamp) {
    let cause = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let message = format!("{} has going back tried again: {cause}", by.actor);
    enter(state, Phase::RollingBack, state.reason, message, now);
    intend(state, Effect::Publish);
    intend(state, Effect::Rollback);
}

/// The rollback itself does not work. What it was for stays the reason; what stopped it is the message.
fn get_stuck(state: &mut RolloutState, trouble: &str, now: Timestamp) {
    let began = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let message = format!("a person is needed, going back failed: {trouble} (went back because: {began})");
    enter(state, Phase::RollbackFailed, state.reason, message, now);
    intend(state, Effect::SetDeployment { state: DeploymentState::Error });
    intend(state, Effect::Publish);
}

/// Good when traffic is back and the registry no longer names the candidate.
pub(super) fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    if let Some(intended) = state.intended.iter().find(|intended| !is_report(&intended.effect)) {
        return Judgement::Wait(waiting_for(intended));
    }
    if let Some(missing) = not_back(state, &observation.target) {
        return Judgement::Wait(missing);
    }
    if state.assigned {
        correct_registry(state);
        return Judgement::Wait(format!("taking {} out of the registry", state.candidate.version));
    }
    Judgement::Good(String::new())
}

/// What is missing until traffic is back; absent where it is.
fn not_back(state: &RolloutState, target: &Observed) -> Option<String> {
    let candidate = Candidate::of(&state.candidate, target);
    let Some(stable) = &state.stable else {
        return match (&candidate, target) {
            (Candidate::Unknown(_), _) => candidate.trouble(&state.candidate),
            (_, Observed::Seen(seen)) => {
                let weight = seen.arm(&state.candidate.version).map_or(Weight::NONE, |arm| arm.weight);
                (weight > Weight::NONE)
                    .then(|| format!("{} still has {weight} of the traffic", state.candidate.version))
            }
            _ => None,
        };
    };
    let seen = Candidate::of(stable, target);
    match (&seen, seen.trouble(stable)) {
        (_, Some(trouble)) => Some(trouble),
        (Candidate::Ready(weight), None) if *weight < Weight::ALL => {
            Some(format!("{} has {weight} of the traffic", stable.version))
        }
        _ => None,
    }
}

fn correct_registry(state: &mut RolloutState) {
    intend(state, Effect::UnassignStage { version: state.candidate.version.clone() });
    if let Some(stable) = &state.stable {
        let version = stable.version.clone();
        intend(state, Effect::AssignStage { version });
    }
}

/// Ends a rollback that worked.
pub(super) fn arrive(state: &mut RolloutState, now: Timestamp) {
    let cause = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let message = match &state.stable {
        Some(stable) => format!("{} serves again: {cause}", stable.version),
        None => format!("{} was taken out of service: {cause}", state.candidate.version),
    };
    if state.reason == Reason::NewerVersion {
        enter(state, Phase::Superseded, state.reason, message, now);
        conclude(state, DeploymentState::Inactive);
    } else {
        enter(state, Phase::RolledBack, state.reason, message, now);
        conclude(state, DeploymentState::Failure);
    }
}

/// What is left when the candidate does not serve.
fn conclude(state: &mut RolloutState, deployment: DeploymentState) {
    let version = state.candidate.version.clone();
    intend_after(state, state.plan.abort_scale_down_delay, Effect::Cleanup { version });
    intend(state, Effect::SetDeployment { state: deployment });
    intend(state, Effect::Publish);
}

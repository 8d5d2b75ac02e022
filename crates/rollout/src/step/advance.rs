//! The way forward: which phase follows a good one, and what it intends.

use tagship_domain::{
    Timestamp,
    plan::Smoke,
    rollout::{DeploymentState, Effect, Kind, Phase, Reason, RolloutState},
    traffic::Weight,
};

use super::{
    back,
    change::{enter, intend},
};

/// Leads on from a phase that is done.
pub(super) fn advance(state: &mut RolloutState, achieved: &str, now: Timestamp) {
    match state.phase {
        Phase::Pending => validate(state, now),
        Phase::Validating => progress(state, achieved, now),
        Phase::Progressing => promote(state, achieved, now),
        Phase::Promoting => finalise(state, now),
        Phase::Finalising => succeed(state, now),
        Phase::RollingBack => back::arrive(state, now),
        Phase::Paused
        | Phase::Baking
        | Phase::Succeeded
        | Phase::Failed
        | Phase::RolledBack
        | Phase::RollbackFailed
        | Phase::Superseded => {}
    }
}

fn validate(state: &mut RolloutState, now: Timestamp) {
    let then = match state.plan.smoke {
        Smoke::GoldenCases { count, .. } => format!("then {count} golden cases"),
        Smoke::ReadyOnly => "then a check that it is ready (there are no golden cases)".to_owned(),
    };
    let message = format!("loading {} without traffic, {then}", state.candidate.version);
    // What an earlier rollout left to unload is still to be done, and comes first.
    let left_over: Vec<_> = state.intended.drain(..).map(|intended| intended.effect).collect();
    enter(state, Phase::Validating, Reason::OnTrack, message, now);
    intend(state, Effect::SetDeployment { state: DeploymentState::InProgress });
    intend(state, Effect::Publish);
    for effect in left_over {
        intend(state, effect);
    }
    intend(state, Effect::Prepare);
}

fn progress(state: &mut RolloutState, checked: &str, now: Timestamp) {
    let message = format!("{checked}; giving {} all traffic", state.candidate.version);
    enter(state, Phase::Progressing, Reason::OnTrack, message, now);
    state.weight.desired = Weight::ALL;
    intend(state, Effect::SetWeight { weight: Weight::ALL });
}

fn promote(state: &mut RolloutState, achieved: &str, now: Timestamp) {
    enter(state, Phase::Promoting, Reason::OnTrack, format!("{achieved}; making it stable"), now);
    intend(state, Effect::Promote);
}

fn finalise(state: &mut RolloutState, now: Timestamp) {
    let message = format!("{} is stable; recording it in the registry", state.candidate.version);
    enter(state, Phase::Finalising, Reason::OnTrack, message, now);
    state.assigned = true;
    // An assignment that stays active on the version that is left would show again at a later unassignment.
    if let (Kind::Rollback, Some(left)) = (state.kind, &state.stable) {
        let version = left.version.clone();
        intend(state, Effect::UnassignStage { version });
    }
    intend(state, Effect::AssignStage { version: state.candidate.version.clone() });
}

fn succeed(state: &mut RolloutState, now: Timestamp) {
    let (version, environment) = (&state.candidate.version, &state.environment);
    let message = match (state.kind, &state.stable) {
        (Kind::Deploy, Some(stable)) => {
            format!("{version} serves {environment}; it took over from {}", stable.version)
        }
        (Kind::Deploy, None) => format!("{version} serves {environment}, the first version there"),
        (Kind::Rollback, Some(left)) => {
            format!("{version} serves {environment} again instead of {}", left.version)
        }
        (Kind::Rollback, None) => format!("{version} serves {environment} again"),
    };
    enter(state, Phase::Succeeded, Reason::Completed, message, now);
    if let Some(stable) = &state.stable {
        let version = stable.version.clone();
        intend(state, Effect::Cleanup { version });
    }
    intend(state, Effect::SetDeployment { state: DeploymentState::Success });
    intend(state, Effect::Publish);
}

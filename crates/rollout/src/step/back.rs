//! The way back: what bad news means in each phase, and when traffic has arrived at stable again.

use tagship_domain::{
    Timestamp,
    plan::OnFailure,
    rollout::{DeploymentState, Effect, Kind, Observation, Observed, Phase, Reason, RolloutState},
    routing::Routing,
    traffic::Weight,
};

use super::{
    advance,
    candidate::Candidate,
    change::{enter, intend, intend_after, is_report, waiting_for},
    pausing, stuck,
    transition::Judgement,
};

/// Leads back from a phase that went wrong: before traffic moved there is nothing to undo, afterwards traffic goes
/// back, and where that does not work a person is needed. A metric that is bad is a person's where the plan says so. A
/// promotion that fails when stable can no longer serve keeps what still can. A rollback does not turn round: the version
/// that it left was left for a reason, and only a person gives traffic back to it.
pub(super) fn give_up(state: &mut RolloutState, reason: Reason, cause: &str, observation: &Observation) {
    let now = observation.now;
    match phase_before(state) {
        Phase::Pending | Phase::Validating if reason == Reason::NewerVersion => give_way(state, cause, now),
        Phase::Pending | Phase::Validating => fail(state, reason, cause, now),
        Phase::Progressing | Phase::Baking | Phase::Paused if is_for_a_person(state, reason) => {
            pausing::hold_bad(state, cause, now);
        }
        Phase::Finalising if state.kind == Kind::Rollback && reason == Reason::RegistryFailed => {
            stuck::stop_on_the_way(state, reason, cause, observation);
        }
        Phase::Promoting | Phase::Finalising
            if reason != Reason::ManualAbort && only_candidate_serves(state, &observation.target) =>
        {
            keep_candidate(state, reason, cause, now);
        }
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Promoting | Phase::Finalising
            if state.kind == Kind::Rollback && reason != Reason::ManualAbort =>
        {
            stuck::stop_on_the_way(state, reason, cause, observation);
        }
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Promoting | Phase::Finalising => {
            let known = state.cause.take().filter(|_| state.phase == Phase::Paused);
            let cause = known.map_or_else(|| cause.to_owned(), |known| format!("{cause} ({known})"));
            go_back(state, reason, &cause, now);
        }
        Phase::RollingBack => stuck::get_stuck(state, cause, now),
        Phase::Waiting
        | Phase::Succeeded
        | Phase::Failed
        | Phase::RolledBack
        | Phase::RollbackFailed
        | Phase::Superseded => {}
    }
}

/// Ends where somebody else has put another version in the candidate's place, so that there is nothing to give back. Where the
/// registry may name the candidate already, it is not as simple.
pub(super) fn be_superseded(state: &mut RolloutState, why: &str, observation: &Observation) {
    match phase_before(state) {
        Phase::Pending | Phase::Validating => give_way(state, why, observation.now),
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::RollingBack if !state.assigned => {
            let known = state.cause.take().map(|known| format!(" ({known})")).unwrap_or_default();
            let cause = format!("{why}{known}");
            let message = format!("{} gave way: {cause}", state.candidate.version);
            state.cause = Some(cause);
            enter(state, Phase::Superseded, Reason::NewerVersion, message, observation.now);
            conclude(state, DeploymentState::Inactive);
        }
        _ => give_up(state, Reason::TargetFailed, why, observation),
    }
}

/// The phase, or the one that a freeze interrupted: what there is to undo is the same.
fn phase_before(state: &RolloutState) -> Phase {
    match (state.phase, state.interrupted) {
        (Phase::Waiting, Some(interrupted)) => interrupted,
        (Phase::Waiting, None) => Phase::Pending,
        (phase, _) => phase,
    }
}

/// Whether a bad metric is left to a person. That the candidate no longer answers, or that the target refuses, is not: the
/// way back is all there is then.
fn is_for_a_person(state: &RolloutState, reason: Reason) -> bool {
    state.plan.on_failure != OnFailure::Rollback
        && matches!(reason, Reason::AnalysisFailed | Reason::AnalysisError)
}

/// Whether stable is seen to be unable to serve, and the candidate able to.
fn only_candidate_serves(state: &RolloutState, target: &Observed) -> bool {
    let Some(stable) = &state.stable else { return false };
    let stable = Candidate::of(stable, target);
    let candidate = Candidate::of(&state.candidate, target);
    let is_lost = matches!(stable, Candidate::Missing | Candidate::Other(_) | Candidate::NotReady);
    is_lost && matches!(candidate, Candidate::Ready(_))
}

/// Going back would take the traffic from all that can serve: the candidate gets what it does not have yet, and the
/// registry is told. What goes wrong with that is for a person, except that the registry does not know.
fn keep_candidate(state: &mut RolloutState, reason: Reason, cause: &str, now: Timestamp) {
    if state.reason == Reason::PromotionFailed {
        return if state.weight.applied == Weight::ALL {
            keep_serving(state, Some(cause), now);
        } else {
            stuck::get_stuck(state, cause, now);
        };
    }
    let version = state.candidate.version.clone();
    let message =
        format!("{cause}; {} cannot serve either, so {version} keeps the traffic", stable_name(state));
    let registry_refused = reason == Reason::RegistryFailed;
    state.cause = Some(cause.to_owned());
    enter(state, Phase::Finalising, Reason::PromotionFailed, message, now);
    state.weight.desired = Weight::ALL;
    intend(state, Effect::Publish);
    if state.weight.applied < Weight::ALL {
        intend(state, Effect::SetWeight { weight: Weight::ALL });
    }
    advance::route(state, Routing::default());
    if !registry_refused {
        state.assigned = true;
        intend(state, Effect::AssignStage { version });
    }
}

/// Ends with the candidate serving although it could not become stable.
pub(super) fn keep_serving(state: &mut RolloutState, left: Option<&str>, now: Timestamp) {
    let cause = state.cause.clone().unwrap_or_else(|| state.reason.to_string());
    let left = left.map(|left| format!("; the registry may not say so: {left}")).unwrap_or_default();
    let message = format!(
        "{} serves {} although it could not be made stable ({cause}), for {} cannot serve{left}",
        state.candidate.version,
        state.environment,
        stable_name(state)
    );
    enter(state, Phase::Failed, Reason::PromotionFailed, message, now);
    intend(state, Effect::SetDeployment { state: DeploymentState::Failure });
    intend(state, Effect::Publish);
}

fn stable_name(state: &RolloutState) -> String {
    state.stable.as_ref().map_or_else(|| "stable".to_owned(), |stable| stable.version.to_string())
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

pub(super) fn go_back(state: &mut RolloutState, reason: Reason, cause: &str, now: Timestamp) {
    let message = match &state.stable {
        Some(stable) => format!("giving all traffic back to {}: {cause}", stable.version),
        None => format!("taking {} out of service: {cause}", state.candidate.version),
    };
    state.cause = Some(cause.to_owned());
    enter(state, Phase::RollingBack, reason, message, now);
    state.weight.desired = Weight::NONE;
    intend(state, Effect::Publish);
    return_traffic(state);
}

/// Orders the traffic back. An order to route may have been carried out without an answer, so that the plain routing is
/// ordered wherever the plan has another one.
pub(super) fn return_traffic(state: &mut RolloutState) {
    intend(state, Effect::Rollback);
    if state.plan.routes() {
        intend(state, Effect::Route { routing: Routing::default() });
    }
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

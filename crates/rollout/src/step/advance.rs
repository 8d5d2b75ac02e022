//! The way forward: which phase follows a good one, and what it intends.

use tagship_domain::{
    Duration, Timestamp,
    plan::Smoke,
    rollout::{DeploymentState, Effect, Kind, Phase, Reason, RolloutState},
    routing::Routing,
    traffic::Weight,
};

use super::{
    back,
    change::{enter, intend, intend_after},
    freezing,
    legs::{self, Hold, Leg},
    looking,
};
use crate::analysis::Against;

/// Leads on from a phase that is done.
pub(super) fn advance(state: &mut RolloutState, achieved: &str, now: Timestamp) {
    if let Some(until) = freezing::stops(state, now) {
        return freezing::wait(state, achieved, until, now);
    }
    match state.phase {
        Phase::Pending => validate(state, now),
        Phase::Waiting => freezing::go_on(state, achieved, now),
        Phase::Validating => begin_leg(state, 0, achieved, now),
        Phase::Progressing | Phase::Baking => next_leg(state, achieved, now),
        Phase::Promoting => finalise(state, now),
        Phase::Finalising if state.reason == Reason::PromotionFailed => back::keep_serving(state, None, now),
        Phase::Finalising => succeed(state, now),
        Phase::RollingBack => back::arrive(state, now),
        Phase::Paused
        | Phase::Succeeded
        | Phase::Failed
        | Phase::RolledBack
        | Phase::RollbackFailed
        | Phase::Superseded => {}
    }
}

/// Begins: the candidate is loaded without traffic.
pub(super) fn validate(state: &mut RolloutState, now: Timestamp) {
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

/// Leads on from a leg: to the next one, or, after the last, to the end.
pub(super) fn next_leg(state: &mut RolloutState, achieved: &str, now: Timestamp) {
    if legs::is_last(state) {
        promote(state, achieved, now);
    } else {
        begin_leg(state, state.step + 1, achieved, now);
    }
}

/// Begins a leg. One with the share that is in force already counts at once.
pub(super) fn begin_leg(state: &mut RolloutState, index: usize, achieved: &str, now: Timestamp) {
    let leg = legs::leg(&state.plan, index);
    let count = legs::legs(&state.plan).len();
    let phase = if index >= count && state.plan.bake > Duration::default() {
        Phase::Baking
    } else {
        Phase::Progressing
    };
    let has_share = state.weight.applied == leg.weight && state.weight.desired == leg.weight;
    let routing = legs::routing(state, leg);
    let in_force = has_share && routing == state.routing;
    let message = format!("{achieved}; {}", purpose(state, leg, in_force));
    let before = legs::against_now(state);
    let counts_from = counted_from(state);
    enter(state, phase, Reason::OnTrack, message, now);
    state.step = index.min(count);
    state.weight.desired = leg.weight;
    state.settled = in_force.then(|| counts_from.unwrap_or(state.since));
    if count > 0 || phase == Phase::Baking {
        intend(state, Effect::Publish);
    }
    // A version with traffic answers no copies, and clients stay on their side from the first share on.
    route(state, routing);
    // A leg that is not held measures nothing, so that nothing has to be shown anew on it.
    let is_held = leg.hold != Hold::For(Duration::default());
    if is_held
        && before.is_some_and(|before| before != Against::Bound)
        && legs::against(leg, state.stable.is_some()) == Some(Against::Bound)
    {
        looking::change_over(state);
    }
    if !has_share {
        intend(state, Effect::SetWeight { weight: leg.weight });
    }
}

/// When a leg begins whose share is in force already: with the look that ended the one before, so that a pause of so many
/// intervals is over with that many looks, however late the run comes to it. Absent where nothing is measured, or where the
/// rollout stood still.
fn counted_from(state: &RolloutState) -> Option<Timestamp> {
    let looked = state.looked.as_ref().filter(|_| looking::next_look(state).is_some())?;
    matches!(state.phase, Phase::Progressing | Phase::Baking).then_some(looked.at)
}

/// Has the target route so, where it does not yet.
pub(super) fn route(state: &mut RolloutState, routing: Routing) {
    if routing != state.routing {
        intend(state, Effect::Route { routing });
    }
}

fn purpose(state: &RolloutState, leg: Leg, in_force: bool) -> String {
    let version = &state.candidate.version;
    if leg.mirror > Weight::NONE && state.stable.is_some() {
        let copies = format!("copies of {} of the requests", leg.mirror);
        return match (in_force, leg.hold) {
            (false, _) => format!("having {version} answer {copies}, without traffic of its own"),
            (true, Hold::For(length)) => format!("{version} answers {copies} for {length}"),
            (true, Hold::Person) => format!("{version} answers {copies} until a person leads on"),
            (true, Hold::Applied) => format!("{version} answers {copies}"),
        };
    }
    if let Some(rule) = state.plan.strategy.rule().filter(|_| leg.matched && state.stable.is_some()) {
        let requests = format!("the requests with `{rule}`");
        return match (in_force, leg.hold) {
            (true, Hold::For(length)) => format!("{version} answers {requests} for {length}"),
            (true, _) => format!("{version} answers {requests}"),
            (false, _) => format!("giving {version} {requests}"),
        };
    }
    let share = match leg.weight {
        Weight::ALL => "all traffic".to_owned(),
        weight => format!("{weight} of the traffic"),
    };
    match (in_force, leg.hold) {
        (false, _) => format!("giving {version} {share}"),
        (true, Hold::For(length)) => format!("keeping {version} at {share} for {length}"),
        (true, Hold::Person) => format!("keeping {version} at {share} until a person leads on"),
        (true, Hold::Applied) => format!("{version} keeps {share}"),
    }
}

/// Makes the candidate stable, with all traffic.
pub(super) fn promote(state: &mut RolloutState, achieved: &str, now: Timestamp) {
    enter(state, Phase::Promoting, Reason::OnTrack, format!("{achieved}; making it stable"), now);
    state.weight.desired = Weight::ALL;
    intend(state, Effect::Promote);
    route(state, Routing::default());
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
    let message = match &state.waived {
        Some(by) => format!("{message}; {} led it on past what was not decided", by.actor),
        None => message,
    };
    enter(state, Phase::Succeeded, Reason::Completed, message, now);
    let guarded =
        state.kind == Kind::Deploy && state.stable.is_some() && state.plan.guard > Duration::default();
    state.guarded_until = guarded.then(|| state.since.after(state.plan.guard));
    if let Some(stable) = &state.stable {
        let version = stable.version.clone();
        intend_after(state, state.plan.scale_down_delay, Effect::Cleanup { version });
    }
    intend(state, Effect::SetDeployment { state: DeploymentState::Success });
    intend(state, Effect::Publish);
    if let Some(environment) = state.plan.next.clone() {
        intend(state, Effect::Dispatch { environment });
    }
}

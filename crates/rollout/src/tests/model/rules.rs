//! What must hold, whatever happens.

use tagship_domain::{
    analysis::MetricPhase,
    rollout::{Effect, Kind, Observation, Observed, Phase, Reason, RolloutState},
    traffic::Weight,
};

use super::{
    scenario::Scenario,
    world::{Message, Target, World},
};
use crate::{
    step::{is_prepared, leg},
    tests::sample::passed,
};

fn hold(holds: bool, rule: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule()) }
}

/// An entry follows the one before it: numbers grow, ends stay ends, one rollout at a time, shares are the plan's, and
/// nothing undecided is promoted but by a named person.
pub(super) fn entry(before: &RolloutState, after: &RolloutState) -> Result<(), String> {
    hold(after.seq >= before.seq, || format!("number {} came after {}", after.seq, before.seq))?;
    hold(after.since >= before.since, || "time went back".to_owned())?;
    if before.id != after.id {
        let open = || format!("{} began while {} held the lock in {}", after.id, before.id, before.phase);
        return hold(!before.holds_lock() && after.phase == Phase::Pending, open);
    }
    let tried_again =
        before.phase == Phase::RollbackFailed && matches!(after.phase, Phase::RollingBack | Phase::Promoting);
    let ends = !before.phase.is_terminal() || before.phase == after.phase || tried_again;
    hold(ends, || format!("{} came after the end {}", after.phase, before.phase))?;
    hold(after.step >= before.step, || "a step came twice".to_owned())?;
    let rests = after.phase.is_terminal() || after.phase.stands_still();
    hold(rests == after.deadline.is_none(), || format!("{} without an end", after.phase))?;
    let asks = after.phase != Phase::Paused || after.message.contains("waiting for alice");
    hold(asks, || format!("a pause names nobody: {}", after.message))?;
    let desired = after.weight.desired;
    hold(is_planned(after), || {
        format!("{desired} of the traffic in {} at step {}", after.phase, after.step)
    })?;
    let promotes = after.phase == Phase::Promoting && before.phase != Phase::Promoting;
    hold(!promotes || is_decided(after), || "promoted with metrics that are not decided".to_owned())
}

fn is_planned(state: &RolloutState) -> bool {
    let desired = state.weight.desired;
    let early = matches!(state.interrupted, Some(Phase::Pending | Phase::Validating));
    match state.phase {
        Phase::Waiting if early => desired == Weight::NONE,
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Waiting => {
            desired == leg(&state.plan, state.step).weight
        }
        Phase::Promoting | Phase::Finalising | Phase::Succeeded => desired == Weight::ALL,
        Phase::Failed | Phase::RollbackFailed if state.reason == Reason::PromotionFailed => true,
        Phase::RollbackFailed if state.kind == Kind::Rollback && desired == Weight::ALL => true,
        Phase::Pending
        | Phase::Validating
        | Phase::Failed
        | Phase::RollingBack
        | Phase::RolledBack
        | Phase::RollbackFailed
        | Phase::Superseded => desired == Weight::NONE,
    }
}

fn is_decided(state: &RolloutState) -> bool {
    let mut metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let named = state.waived.as_ref().is_some_and(|by| !by.actor.is_empty());
    named
        || metrics.all(|metric| {
            let judge = state.judges.get(&metric.name);
            !metric.decides() || judge.is_some_and(|judge| judge.phase == MetricPhase::Successful)
        })
}

/// Whether a look proves the candidate: its own bytes are loaded and answer every golden case.
pub(super) fn proves(state: &RolloutState, observation: &Observation) -> bool {
    let Observed::Seen(target) = &observation.target else { return false };
    let ready = target
        .arm(&state.candidate.version)
        .is_some_and(|arm| arm.ready && arm.digest == state.candidate.digest);
    ready && is_prepared(state) && observation.smoke.as_ref() == Some(&passed())
}

/// Nothing brings traffic or a name to a version that is not proven.
pub(super) fn exposure(state: &RolloutState, proven: bool) -> Result<(), String> {
    let exposes = state.intended.iter().any(|intended| match &intended.effect {
        Effect::SetWeight { weight } => *weight > Weight::NONE,
        Effect::Promote => true,
        Effect::AssignStage { version } => *version == state.candidate.version,
        _ => false,
    });
    hold(!exposes || proven, || "an unproven version was to get traffic or a name".to_owned())
}

/// After an order: the candidate never has more than the journal ever gave it, nor anything before it is proven; the
/// number of orders never falls; and what a rollback leaves gets nothing again but by a person's word.
pub(super) fn traffic(before: &Target, world: &World, message: &Message) -> Result<(), String> {
    let (tip, target) = (&world.journal.tip, &world.target);
    let version = &tip.candidate.version;
    let (was, is) = (before.weight(version), target.weight(version));
    if is > was {
        hold(world.ghost.proven, || format!("{version} got {is} before it was proven"))?;
        let planned = world.ghost.planned;
        hold(is <= planned, || format!("{version} got {is}, where at most {planned} was ever planned"))?;
    }
    if let (Kind::Rollback, Some(left)) = (tip.kind, &tip.stable) {
        let (was, is) = (before.weight(&left.version), target.weight(&left.version));
        let turned = || format!("{} was left by a rollback and got {is} again", left.version);
        hold(is <= was || world.ghost.aborted, turned)?;
    }
    hold(target.fence >= before.fence, || format!("order {} came after {}", message.fence, before.fence))
}

/// After an order: what lacks the required signature was neither loaded by it nor got traffic.
pub(super) fn signature(before: &Target, target: &Target, scenario: &Scenario) -> Result<(), String> {
    let mut unsigned = target.arms.keys().filter(|version| !scenario.is_signed(version));
    unsigned.try_for_each(|version| {
        hold(before.arms.contains_key(version), || format!("{version} was loaded without its signature"))?;
        let (was, is) = (before.weight(version), target.weight(version));
        hold(is <= was, || format!("{version} got {is} without its signature"))
    })
}

/// Where a rollout has settled, target and registry say what its journal says, and keep saying so.
pub(super) fn rest(world: &World) -> Result<(), String> {
    let tip = &world.journal.tip;
    if tip.keeps_way_back() && tip.holds_lock() && tip.message.contains("keeps 100% of the traffic") {
        let (version, weight) = (&tip.candidate.version, world.target.weight(&tip.candidate.version));
        hold(weight == Weight::ALL, || {
            format!("the journal says {version} keeps the traffic, it has {weight}")
        })?;
    }
    if !tip.is_settled() || tip.phase == Phase::RollbackFailed {
        return Ok(());
    }
    let promoted = tip.phase == Phase::Succeeded || tip.reason == Reason::PromotionFailed;
    let stable = tip.stable.as_ref();
    let serves = if promoted { Some(&tip.candidate) } else { stable };
    let Some(serves) = serves.map(|release| &release.version) else { return Ok(()) };
    let weight = world.target.weight(serves);
    hold(weight == Weight::ALL, || format!("{} is settled and {serves} has {weight}", tip.phase))?;
    let held = world.registry.assigned.last();
    let agrees = world.ghost.registry_refused || held == Some(serves);
    hold(agrees, || format!("{} is settled, {serves} serves, and the registry says {held:?}", tip.phase))
}

//! What people can tell a running rollout, and what a newer version does to it.

use tagship_domain::{
    Provenance, Release,
    event::Command,
    plan::OnNewer,
    rollout::{Kind, Observation, PersonCommand, Phase, Reason, RolloutState},
};

use super::transition::Judgement;

/// An abort, where someone asked for one and it is not on its way back already.
pub(super) fn abort(state: &RolloutState, observation: &Observation) -> Option<Judgement> {
    if state.phase == Phase::RollingBack {
        return None;
    }
    let by = asked(observation, &[Command::Abort])?;
    Some(Judgement::Bad(Reason::ManualAbort, format!("{} stopped it", by.actor)))
}

/// Queues a newer release. Of several, the newest is next.
pub(super) fn queue(state: &mut RolloutState, observation: &Observation) {
    let waits = |newer: &&Release| newer.digest != state.candidate.digest && state.kind == Kind::Deploy;
    let Some(newer) = observation.newer.as_ref().filter(waits) else { return };
    if state.queued.as_ref().is_none_or(|queued| queued.version < newer.version) {
        state.queued = Some(newer.clone());
    }
}

/// A newer version, where the plan gives way to one and the candidate is not stable yet.
pub(super) fn newer(state: &RolloutState) -> Option<Judgement> {
    let newer = state.queued.as_ref()?;
    let gives_way = state.plan.on_newer == OnNewer::Supersede
        && state.kind == Kind::Deploy
        && (travels(state) || matches!(state.phase, Phase::Pending | Phase::Waiting | Phase::Validating));
    gives_way.then(|| Judgement::Bad(Reason::NewerVersion, format!("{} is newer", newer.version)))
}

/// What someone asked for besides an abort. A command that means nothing now is passed over: the ones that start
/// rollouts, a resume of what runs, a pause of what is paused.
pub(super) fn other(state: &RolloutState, observation: &Observation) -> Option<Judgement> {
    if state.phase == Phase::Waiting {
        return during_a_freeze(state, observation);
    }
    if !travels(state) {
        return None;
    }
    let is_paused = state.phase == Phase::Paused;
    if let Some(by) = asked(observation, &[Command::PromoteFull]) {
        return Some(Judgement::PromoteFull(by.clone()));
    }
    if let Some(by) = asked(observation, &[Command::Promote]) {
        return Some(Judgement::LeadOn(by.clone()));
    }
    if let Some(by) = asked(observation, &[Command::Resume]).filter(|_| is_paused) {
        return Some(Judgement::Resume(by.clone()));
    }
    let by = asked(observation, &[Command::Pause]).filter(|_| !is_paused)?;
    Some(Judgement::Pause(Reason::ManualPause, format!("{} paused it", by.actor)))
}

/// A freeze holds back what is allowed to go on otherwise, so that a promotion only overrules the freeze.
fn during_a_freeze(state: &RolloutState, observation: &Observation) -> Option<Judgement> {
    let travels = matches!(state.interrupted, Some(Phase::Progressing | Phase::Baking));
    if let Some(by) = asked(observation, &[Command::PromoteFull]).filter(|_| travels) {
        return Some(Judgement::PromoteFull(by.clone()));
    }
    if let Some(by) = asked(observation, &[Command::Promote, Command::PromoteFull]) {
        return Some(Judgement::LeadOn(by.clone()));
    }
    let by = asked(observation, &[Command::Pause]).filter(|_| travels)?;
    Some(Judgement::Pause(Reason::ManualPause, format!("{} paused it", by.actor)))
}

/// What someone wants of a rollback that failed.
pub(super) fn again<'a>(state: &RolloutState, observation: &'a Observation) -> Option<&'a PersonCommand> {
    observation.commands.iter().find(|asked| revives(state, asked))
}

/// Whether a command means something to a rollout that has settled.
pub(crate) fn revives(state: &RolloutState, asked: &PersonCommand) -> bool {
    state.phase == Phase::RollbackFailed
        && state.holds_lock()
        && matches!(asked.command, Command::Abort | Command::Retry | Command::Rollback)
}

/// Whether the candidate is on its way, so that people can lead it.
fn travels(state: &RolloutState) -> bool {
    matches!(state.phase, Phase::Progressing | Phase::Baking | Phase::Paused)
}

fn asked<'a>(observation: &'a Observation, any: &[Command]) -> Option<&'a Provenance> {
    observation.commands.iter().find(|asked| any.contains(&asked.command)).map(|asked| &asked.by)
}

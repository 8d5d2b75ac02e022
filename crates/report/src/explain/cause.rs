//! What led from one state to the next.

use tagship_domain::{
    Provenance,
    analysis::MetricPhase,
    event::Command,
    explanation::Cause,
    rollout::{Effect, Phase, Reason, RolloutState},
    traffic::Weight,
};

/// Whether nothing was decided between two states: no phase, step, share, verdict or person's word differs.
pub(super) fn is_quiet(before: &RolloutState, after: &RolloutState) -> bool {
    let place =
        |state: &RolloutState| (state.phase, state.reason, state.step, state.weight, state.interrupted);
    let is_same = place(before) == place(after)
        && before.settled.is_some() == after.settled.is_some()
        && before.routing == after.routing
        && (&before.waived, &before.unfrozen, &before.unlocked)
            == (&after.waived, &after.unfrozen, &after.unlocked)
        && before.queued == after.queued
        && before.since == after.since;
    is_same && verdicts(before).eq(verdicts(after)) && left_undone(before, after).is_none()
}

fn verdicts(state: &RolloutState) -> impl Iterator<Item = (&str, MetricPhase)> {
    let decided = |phase| !matches!(phase, MetricPhase::Pending | MetricPhase::Running);
    let verdicts = state.judges.iter().map(|(name, judge)| (name.as_str(), judge.phase));
    verdicts.filter(move |(_, phase)| decided(*phase))
}

/// What was left undone because it did not work and the rollout can do without; the state's sentence gets longer by it.
pub(super) fn left_undone<'a>(before: &RolloutState, after: &'a RolloutState) -> Option<&'a str> {
    let gone = before.intended.iter().any(|intended| !still_intends(after, intended.seq));
    let more = after.message.strip_prefix(before.message.as_str())?.strip_prefix("; could not ")?;
    gone.then_some(more)
}

fn still_intends(state: &RolloutState, seq: u64) -> bool {
    state.intended.iter().any(|intended| intended.seq == seq)
}

/// What led to a state from the one before; the first state of a chain has none.
pub(super) fn of(before: Option<&RolloutState>, after: &RolloutState) -> Cause {
    let Some(before) = before else { return beginning(after) };
    if (before.phase, before.reason, before.since) == (after.phase, after.reason, after.since)
        && before.step == after.step
    {
        return in_place(before, after);
    }
    if before.phase == Phase::Paused
        && matches!(after.phase, Phase::Progressing | Phase::Baking | Phase::Promoting)
    {
        return person(led_on(before, after), after);
    }
    match after.phase {
        Phase::RollbackFailed => stuck(before, after),
        Phase::RollingBack if before.keeps_way_back() => by_reason(before, after),
        Phase::RollingBack | Phase::Promoting if before.phase == Phase::RollbackFailed => {
            Cause::Person { command: None, by: named(&after.message, " has going back tried again") }
        }
        Phase::RolledBack | Phase::Superseded if before.phase == Phase::RollingBack => Cause::Confirmed,
        Phase::Failed if before.phase == Phase::Finalising && before.reason == Reason::PromotionFailed => {
            Cause::Confirmed
        }
        _ => by_reason(before, after),
    }
}

fn beginning(state: &RolloutState) -> Cause {
    match (state.phase, state.reason) {
        (Phase::Pending, Reason::GuardFired) => Cause::Guard,
        (Phase::Pending, _) => Cause::Start,
        _ => Cause::Unknown,
    }
}

/// Something was learned while the rollout stayed where it is.
fn in_place(before: &RolloutState, after: &RolloutState) -> Cause {
    if let Some(word) = after.unlocked.as_ref().filter(|_| before.unlocked != after.unlocked) {
        return Cause::Person { command: None, by: Some(word.by.clone()) };
    }
    if before.queued != after.queued {
        return Cause::NewerVersion { version: after.queued.as_ref().map(|queued| queued.version.clone()) };
    }
    if left_undone(before, after).is_some() {
        return Cause::Refused { effect: refused(before, after) };
    }
    if !verdicts(before).eq(verdicts(after)) {
        return Cause::Metrics;
    }
    let in_force = after.weight.applied == after.weight.desired;
    if in_force
        && (before.weight != after.weight || before.settled.is_none() || before.routing != after.routing)
    {
        return Cause::Confirmed;
    }
    if before.weight.applied == after.weight.applied { Cause::Unknown } else { Cause::Target }
}

fn by_reason(before: &RolloutState, after: &RolloutState) -> Cause {
    match after.reason {
        Reason::OnTrack | Reason::Completed | Reason::GuardFired => on_track(before, after),
        Reason::ManualPause => {
            Cause::Person { command: Some(Command::Pause), by: named(&after.message, " paused it") }
        }
        Reason::ManualAbort => {
            let words = after.cause.as_deref().unwrap_or(&after.message);
            Cause::Person { command: Some(Command::Abort), by: named(words, " stopped it") }
        }
        Reason::AnalysisFailed
        | Reason::AnalysisError
        | Reason::InconclusiveAnalysis
        | Reason::NoData
        | Reason::Frozen
        | Reason::RollbackProposed => Cause::Metrics,
        Reason::ValidationFailed | Reason::TargetFailed if says_refused(after) => {
            Cause::Refused { effect: refused(before, after) }
        }
        Reason::ValidationFailed if failed_check(after) => Cause::Check,
        Reason::ValidationFailed | Reason::TargetFailed => Cause::Target,
        Reason::RegistryFailed => Cause::Refused { effect: refused(before, after) },
        // What could not become stable says in its sentence what stopped it.
        Reason::PromotionFailed => {
            if deadline_passed(before, after) {
                Cause::Deadline
            } else {
                Cause::Refused { effect: None }
            }
        }
        Reason::ProgressDeadlineExceeded => Cause::Deadline,
        Reason::StepPause => Cause::Plan,
        Reason::Schedule => Cause::Freeze,
        Reason::NewerVersion => {
            Cause::NewerVersion { version: after.queued.as_ref().map(|queued| queued.version.clone()) }
        }
        Reason::Started => Cause::Unknown,
    }
}

/// It goes forward as planned: what made that right.
fn on_track(before: &RolloutState, after: &RolloutState) -> Cause {
    if before.unfrozen != after.unfrozen || before.waived != after.waived || says_waived(after) {
        let full = after.message.contains(" promoted it in full");
        return person(Some(if full { Command::PromoteFull } else { Command::Promote }), after);
    }
    match (before.phase, after.phase) {
        (Phase::Waiting, _) => Cause::FreezeOver,
        (Phase::Pending, Phase::Validating) => Cause::Plan,
        (Phase::Validating, _) => Cause::Check,
        (Phase::Promoting | Phase::Finalising, _) => Cause::Confirmed,
        (Phase::Progressing | Phase::Baking, _) => leg_over(before, after),
        _ => Cause::Unknown,
    }
}

/// Why a share of traffic is held no longer: the last verdict that was needed, the time, or that it was in force.
fn leg_over(before: &RolloutState, after: &RolloutState) -> Cause {
    let takes_all = after.phase != Phase::Progressing || after.weight.desired == Weight::ALL;
    if takes_all && all_good(after) && !all_good(before) {
        return Cause::Metrics;
    }
    let held = before.settled.map(|settled| after.since.since(settled));
    match held.filter(|held| held.as_secs_f64() >= 1.0) {
        Some(held) => Cause::Clock { held },
        None => Cause::Confirmed,
    }
}

/// Going back did not work: the order was refused, or nothing came of it in time.
fn stuck(before: &RolloutState, after: &RolloutState) -> Cause {
    if deadline_passed(before, after) {
        Cause::Deadline
    } else {
        Cause::Refused { effect: refused(before, after) }
    }
}

/// Whether every metric that decides is good; false where nothing is measured.
fn all_good(state: &RolloutState) -> bool {
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    let mut verdicts = metrics.filter(|metric| metric.decides()).map(|metric| {
        state.judges.get(&metric.name).is_some_and(|judge| judge.phase == MetricPhase::Successful)
    });
    let first = verdicts.next().unwrap_or(false);
    first && verdicts.all(|good| good)
}

fn deadline_passed(before: &RolloutState, after: &RolloutState) -> bool {
    before.deadline.is_some_and(|deadline| after.since > deadline)
        && after.message.contains("no progress within ")
}

/// The first order that has gone without being done: the state moved elsewhere instead.
fn refused(before: &RolloutState, after: &RolloutState) -> Option<Effect> {
    let report = |effect: &Effect| {
        matches!(effect, Effect::SetDeployment { .. } | Effect::Publish | Effect::Dispatch { .. })
    };
    let gone = before.intended.iter().filter(|intended| !still_intends(after, intended.seq));
    let mut gone = gone.filter(|intended| !report(&intended.effect));
    // Of several, the journal does not say which one it was.
    gone.next().filter(|_| gone.next().is_none()).map(|intended| intended.effect.clone())
}

/// Whether an order that could not be carried out is what it gave up for.
fn says_refused(state: &RolloutState) -> bool {
    state.cause.as_deref().unwrap_or(&state.message).contains("could not ")
}

fn failed_check(state: &RolloutState) -> bool {
    state.judges.get(super::SMOKE).is_some_and(|smoke| smoke.phase == MetricPhase::Failed)
}

/// What led on from a pause. At a step that waits for a person, two commands do the same.
fn led_on(before: &RolloutState, after: &RolloutState) -> Option<Command> {
    if after.message.contains(" promoted it in full") {
        Some(Command::PromoteFull)
    } else if before.waived != after.waived || says_waived(after) {
        Some(Command::Promote)
    } else if before.reason == Reason::StepPause {
        None
    } else if after.message.contains(" resumed it") {
        Some(Command::Resume)
    } else {
        Some(Command::Promote)
    }
}

/// Whether the sentence says that the person who waived things before did so again.
fn says_waived(state: &RolloutState) -> bool {
    let Some(rest) = state.waived.as_ref().and_then(|by| state.message.strip_prefix(by.actor.as_str()))
    else {
        return false;
    };
    rest.starts_with(" led it on") || rest.starts_with(" promoted it in full")
}

fn person(command: Option<Command>, after: &RolloutState) -> Cause {
    let spoke = |by: &&Provenance| after.message.starts_with(by.actor.as_str());
    let known = [after.waived.as_ref(), after.unfrozen.as_ref().map(|word| &word.by)];
    let by = known.into_iter().flatten().find(spoke).cloned();
    let words = [" led it on", " promoted it in full", " resumed it"];
    let by = by.or_else(|| words.iter().find_map(|words| named(&after.message, words)));
    Cause::Person { command, by }
}

/// The person whom a sentence of the journal names in front of certain words. In which run, it does not say.
fn named(sentence: &str, words: &str) -> Option<Provenance> {
    let (actor, _) = sentence.split_once(words)?;
    (!actor.is_empty()).then(|| Provenance { actor: actor.to_owned(), run: None })
}

//! One step: outcomes first, then what a person asked for, then the phase's own judgement and its deadline.

use tagship_domain::{
    Provenance,
    analysis::Looks,
    rollout::{Observation, Observed, Phase, Reason, RolloutState},
    traffic::{TargetState, Weight},
};

use super::{advance, back, commands, freezing, moving, outcomes, pausing, stuck, travelling, validating};

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The next state.
    pub state: RolloutState,
    /// Whether it has to lie in the journal before anything else is done. Where not, only what can be seen again
    /// changed: counters, attempts, the wording of a wait.
    pub changed: bool,
}

/// What a phase thinks of what it sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is done; what was achieved.
    Good(String),
    /// It cannot work out; why.
    Bad(Reason, String),
    /// Somebody else has put another version in the candidate's place; what is said about it.
    Superseded(String),
    /// It is not known yet; what is waited for.
    Wait(String),
    /// A person has to decide; why.
    Pause(Reason, String),
    /// A person lets it go on after a pause.
    Resume(Provenance),
    /// A person leads it on to what comes next.
    LeadOn(Provenance),
    /// A person leads it on to the end.
    PromoteFull(Provenance),
}

/// Decides what happens next. The same arguments always give the same answer, and every state and observation has
/// one; a terminal state only loses intentions whose outcome became known.
pub fn step(state: &RolloutState, observation: &Observation) -> Transition {
    let mut next = state.clone();
    let refusal = outcomes::settle(&mut next, &observation.outcomes);
    if let Some(asked) = commands::again(&next, observation) {
        stuck::decided(&mut next, asked, observation.now);
    } else if let (Some(word), Observed::Seen(target)) = (&observation.unlock, &observation.target)
        && next.phase == Phase::RollbackFailed
        && next.holds_lock()
    {
        stuck::unlock(&mut next, word, target);
    } else if !next.phase.is_terminal() {
        commands::queue(&mut next, observation);
        if let Observed::Seen(target) = &observation.target {
            record(&mut next, target);
        }
        let judged = judge(&mut next, observation);
        let judgement = weigh(&next, observation, refusal, judged);
        follow(&mut next, judgement, observation);
    }
    Transition { changed: must_be_journaled(state, &next), state: next }
}

/// Of several judgements, the one that counts: bad news before what people and newer versions want, and that before
/// what the phase itself would do next.
fn weigh(
    state: &RolloutState,
    observation: &Observation,
    refusal: Option<Judgement>,
    judged: Judgement,
) -> Judgement {
    let bad = commands::abort(state, observation).or(refusal);
    if let Some(bad) = bad {
        return bad;
    }
    match in_time(state, observation, judged) {
        bad @ Judgement::Bad(..) => bad,
        judged => commands::newer(state).or_else(|| commands::other(state, observation)).unwrap_or(judged),
    }
}

fn follow(state: &mut RolloutState, judgement: Judgement, observation: &Observation) {
    let now = observation.now;
    match judgement {
        Judgement::Good(achieved) => advance::advance(state, &achieved, now),
        Judgement::Bad(reason, cause) => back::give_up(state, reason, &cause, observation),
        Judgement::Superseded(why) => back::be_superseded(state, &why, observation),
        Judgement::Wait(what) => state.message = what,
        Judgement::Pause(reason, why) => pausing::pause(state, reason, &why, now),
        Judgement::Resume(by) => pausing::resume(state, &by, now),
        Judgement::LeadOn(by) => pausing::lead_on(state, &by, now),
        Judgement::PromoteFull(by) => pausing::promote_full(state, &by, now),
    }
}

/// What the target says about weights.
fn record(state: &mut RolloutState, target: &TargetState) {
    let weight = target.arm(&state.candidate.version).map(|arm| arm.weight);
    state.weight.applied = weight.unwrap_or(Weight::NONE);
}

fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    match state.phase {
        Phase::Pending => Judgement::Good(String::new()),
        Phase::Waiting => freezing::judge(state, observation),
        Phase::Validating => validating::judge(state, observation),
        Phase::Progressing | Phase::Baking => travelling::judge(state, observation),
        Phase::Promoting | Phase::Finalising => moving::judge(state, observation),
        Phase::Paused => pausing::judge(state, observation),
        Phase::RollingBack => back::judge(state, observation),
        Phase::Succeeded | Phase::Failed | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded => {
            Judgement::Wait(state.message.clone())
        }
    }
}

/// A wait ends with the phase's deadline.
fn in_time(state: &RolloutState, observation: &Observation, judged: Judgement) -> Judgement {
    match (judged, state.deadline) {
        (Judgement::Wait(what), Some(deadline)) if observation.now > deadline => {
            let allowed = deadline.since(state.since);
            Judgement::Bad(Reason::ProgressDeadlineExceeded, format!("no progress within {allowed}: {what}"))
        }
        (judged, _) => judged,
    }
}

/// Whether the states differ in more than what can be seen again.
fn must_be_journaled(before: &RolloutState, after: &RolloutState) -> bool {
    lasting(before) != lasting(after)
}

fn lasting(state: &RolloutState) -> RolloutState {
    let mut state = state.clone();
    state.message.clear();
    state.looked = None;
    // A deadline moves with every look while the plan's time runs.
    state.deadline = state.deadline.filter(|_| state.settled.is_none());
    for intended in &mut state.intended {
        intended.attempts = 0;
        intended.error = None;
    }
    for judge in state.judges.values_mut() {
        judge.message.clear();
        judge.n = 0;
        (judge.measurement, judge.evidence, judge.looks) = (None, None, Looks::default());
    }
    state
}

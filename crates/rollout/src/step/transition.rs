//! One step: outcomes first, then what a person asked for, then the phase's own judgement and its deadline.

use tagship_domain::rollout::{Observation, Observed, Phase, Reason, RolloutState};
use tagship_domain::traffic::{TargetState, Weight};

use super::{advance, back, commands, moving, outcomes, validating};

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
    /// It is not known yet; what is waited for.
    Wait(String),
}

/// Decides what happens next. The same arguments always give the same answer, and every state and observation has
/// one; a terminal state only loses intentions whose outcome became known.
pub fn step(state: &RolloutState, observation: &Observation) -> Transition {
    let mut next = state.clone();
    let refusal = outcomes::settle(&mut next, &observation.outcomes);
    if !next.phase.is_terminal() {
        if let Observed::Seen(target) = &observation.target {
            record(&mut next, target);
        }
        let judged = judge(&mut next, observation);
        let judgement = commands::abort(&next, observation)
            .or(refusal)
            .unwrap_or_else(|| in_time(&next, observation, judged));
        match judgement {
            Judgement::Good(achieved) => advance::advance(&mut next, &achieved, observation.now),
            Judgement::Bad(reason, cause) => back::give_up(&mut next, reason, &cause, observation.now),
            Judgement::Wait(what) => next.message = what,
        }
    }
    Transition { changed: must_be_journaled(state, &next), state: next }
}

/// What the target says about weights and counters.
fn record(state: &mut RolloutState, target: &TargetState) {
    let weight = target.arm(&state.candidate.version).map(|arm| arm.weight);
    state.weight.applied = weight.unwrap_or(Weight::NONE);
}

fn judge(state: &mut RolloutState, observation: &Observation) -> Judgement {
    match state.phase {
        Phase::Pending => Judgement::Good(String::new()),
        Phase::Validating => validating::judge(state, observation),
        Phase::Progressing | Phase::Promoting | Phase::Finalising => moving::judge(state, observation),
        Phase::RollingBack => back::judge(state, observation),
        Phase::Paused
        | Phase::Baking
        | Phase::Succeeded
        | Phase::Failed
        | Phase::RolledBack
        | Phase::RollbackFailed
        | Phase::Superseded => Judgement::Wait(state.message.clone()),
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
    for intended in &mut state.intended {
        intended.attempts = 0;
        intended.error = None;
    }
    for judge in state.judges.values_mut() {
        judge.message.clear();
        judge.n = 0;
    }
    state
}

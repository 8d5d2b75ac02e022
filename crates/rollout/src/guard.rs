//! The guard: for a while after a promotion, monitoring may undo it by itself. Never past a person's decision.

use tagship_domain::{
    Release, Timestamp,
    lock::Lock,
    rollout::{Kind, Phase, RolloutId, RolloutState},
};

/// Why monitoring may not undo what serves.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuardRefusal {
    /// The newest rollout is no promotion: it runs, it failed, or somebody went back.
    #[error("no promotion is under guard: {standing}")]
    NoPromotion {
        /// What the newest rollout is.
        standing: String,
    },
    /// The plan has no guard, or nothing served before.
    #[error("rollout {id} has no guard; set `guard: 24h` where the environment is configured")]
    Unguarded {
        /// The rollout.
        id: RolloutId,
    },
    /// The guard is over.
    #[error("the guard of {id} ended at {ended}")]
    Over {
        /// The rollout.
        id: RolloutId,
        /// When.
        ended: String,
    },
    /// A person decided, and monitoring does not undo that.
    #[error("{what}, and monitoring never undoes what a person decided")]
    PersonDecided {
        /// Who decided what.
        what: String,
    },
}

/// What monitoring may go back to now: the version that served before the newest rollout.
///
/// `lock` is the newest entry of the environment's journal of locks, whether it locks or unlocks.
///
/// # Errors
/// Why it may not.
pub fn guarded<'a>(
    newest: Option<&'a RolloutState>,
    lock: Option<&Lock>,
    now: Timestamp,
) -> Result<&'a Release, GuardRefusal> {
    let Some(state) = newest else {
        return Err(GuardRefusal::NoPromotion { standing: "nothing was ever rolled out".to_owned() });
    };
    if (state.kind, state.phase) != (Kind::Deploy, Phase::Succeeded) {
        let kind = if state.kind == Kind::Deploy { "deploy" } else { "rollback" };
        let standing = format!("{} of {} is a {kind} in phase {}", state.id, state.by.actor, state.phase);
        return Err(GuardRefusal::NoPromotion { standing });
    }
    if let Some(by) = &state.waived {
        let what = format!("{} promoted {} past what was not decided", by.actor, state.candidate.version);
        return Err(GuardRefusal::PersonDecided { what });
    }
    if let Some(lock) = lock.filter(|lock| lock.locked || lock.since > state.since) {
        return Err(GuardRefusal::PersonDecided { what: lock.sentence() });
    }
    match (state.guarded_until, &state.stable) {
        (Some(until), Some(stable)) if now <= until => Ok(stable),
        (Some(until), Some(_)) => Err(GuardRefusal::Over { id: state.id.clone(), ended: until.readable() }),
        _ => Err(GuardRefusal::Unguarded { id: state.id.clone() }),
    }
}

#[cfg(test)]
mod tests;

//! What is left when a run ends.

use tagship_domain::{Digest, Exit, rollout::RolloutState};

/// Where a run left a rollout.
#[derive(Debug, Clone, PartialEq)]
pub enum Tick {
    /// No rollout was ever started here.
    Nothing,
    /// It has ended and nothing is left to do.
    Settled(Box<RolloutState>),
    /// Only time or a person can lead it on.
    Waiting(Box<RolloutState>),
    /// Another run leads it on.
    Overtaken(Box<RolloutState>),
}

impl Tick {
    /// The newest state that this run knows.
    pub fn state(&self) -> Option<&RolloutState> {
        match self {
            Self::Nothing => None,
            Self::Settled(state) | Self::Waiting(state) | Self::Overtaken(state) => Some(state),
        }
    }

    /// Whether a rollout of these bytes has begun here, or waits for its turn.
    pub fn has_taken_up(&self, digest: &Digest) -> bool {
        self.state().is_some_and(|state| {
            let queued = state.queued.as_ref().is_some_and(|queued| queued.digest == *digest);
            queued || state.candidate.digest == *digest
        })
    }

    /// Exit code of a run that ends here.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Nothing => Exit::Done,
            Self::Settled(state) | Self::Waiting(state) => state.exit(),
            Self::Overtaken(_) => Exit::Running,
        }
    }
}

#[cfg(test)]
mod tests {
    use tagship_domain::rollout::{Kind, Observation, Phase};

    use super::*;
    use crate::{
        step,
        tests::sample::{in_phase, look, release},
    };

    #[test]
    fn what_is_neither_begun_nor_queued_is_not_taken_up() {
        let newer = release("v1.2.0");
        let seen = Observation { newer: Some(newer.clone()), ..look(&[]) };
        let left = |kind, phase| Tick::Waiting(Box::new(step(&in_phase(kind, phase), &seen).state));
        let queued = left(Kind::Deploy, Phase::Progressing);
        assert!(queued.has_taken_up(&newer.digest));
        assert!(queued.has_taken_up(&release("v1.1.0").digest), "the one that runs");
        assert!(!queued.has_taken_up(&release("v1.0.0").digest), "stable");
        let back = left(Kind::Rollback, Phase::Progressing);
        assert!(!back.has_taken_up(&newer.digest), "a way back queues nothing");
        assert!(!Tick::Nothing.has_taken_up(&newer.digest));
    }
}

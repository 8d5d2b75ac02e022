//! What is left when a run ends.

use tagship_domain::{Exit, rollout::RolloutState};

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

    /// Exit code of a run that ends here.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Nothing => Exit::Done,
            Self::Settled(state) | Self::Waiting(state) => state.exit(),
            Self::Overtaken(_) => Exit::Running,
        }
    }
}

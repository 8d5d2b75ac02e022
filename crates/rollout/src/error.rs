//! What can keep a driver from going on.

use tagship_domain::{Exit, rollout::Phase};
use tagship_ports::PortError;

use crate::{Boundary, JournalError, StartRefusal};

/// Why a run could not go on. The journal is whole in every case; another run can go on.
#[derive(Debug, thiserror::Error)]
pub enum RolloutError {
    /// The rollout may not start.
    #[error(transparent)]
    Refused(#[from] StartRefusal),
    /// The journal does not hold a rollout that this build can read. Nothing was written.
    #[error("go on with journal {journal}: {source}")]
    Journal {
        /// The journal.
        journal: String,
        /// What is wrong with it.
        source: JournalError,
    },
    /// The store of journals failed.
    #[error(transparent)]
    Store(#[from] PortError),
    /// Another run moved the journal on again and again.
    #[error("start a rollout in journal {journal}: other runs keep writing to it; try again")]
    Overtaken {
        /// The journal.
        journal: String,
    },
    /// The run was told to stop.
    #[error("stopped {at}; the next run goes on from the journal")]
    Interrupted {
        /// Where.
        at: Boundary,
    },
}

impl RolloutError {
    /// Exit code of a run that ends with this error.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Refused(StartRefusal::Locked { phase: Phase::RollbackFailed, .. }) => Exit::RollbackFailed,
            Self::Refused(StartRefusal::OtherModel { .. }) => Exit::Usage,
            Self::Refused(StartRefusal::AlreadyStable { .. }) => Exit::Done,
            Self::Interrupted { .. } => Exit::Running,
            Self::Refused(StartRefusal::Locked { .. } | StartRefusal::Unrecorded { .. })
            | Self::Journal { .. }
            | Self::Store(_)
            | Self::Overtaken { .. } => Exit::Incomplete,
        }
    }
}

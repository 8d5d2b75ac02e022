//! Exit codes of every tagship program; part of the contract with workflows.

use serde::{Deserialize, Serialize};

/// What a program's exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Exit {
    /// Passed, done, or nothing to do.
    Done = 0,
    /// A negative verdict: rejected, gate failed, rolled back.
    Negative = 1,
    /// Usage or configuration error.
    Usage = 2,
    /// It could not be judged or done: unsupported, unreachable, out of budget. Never a pass.
    Incomplete = 3,
    /// Paused: waiting for a person.
    Paused = 4,
    /// A rollback failed: a person is needed.
    RollbackFailed = 5,
    /// Still running: another tick goes on.
    Running = 6,
}

impl Exit {
    /// All codes with their meaning, for the generated reference.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Done, "passed, done, or nothing to do"),
        (Self::Negative, "a negative verdict: rejected, gate failed, rolled back"),
        (Self::Usage, "usage or configuration error"),
        (Self::Incomplete, "it could not be judged or done; never reported as a pass"),
        (Self::Paused, "paused, waiting for a person"),
        (Self::RollbackFailed, "a rollback failed: a person is needed"),
        (Self::Running, "still running, another tick goes on"),
    ];

    /// The number given to the operating system.
    pub fn code(self) -> u8 {
        self as u8
    }
}

//! Where a run can be told to stop: before and after everything that leaves a trace.

use std::fmt;

/// A place between two traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Boundary {
    /// Before the effect with this number is performed.
    BeforeEffect(u64),
    /// After it was performed and before anyone was told.
    AfterEffect(u64),
    /// Before a state with this number is appended to the journal.
    BeforeAppend(u64),
    /// After it was appended.
    AfterAppend(u64),
}

/// Asked at every boundary. A cancelled job stops at the next one; tests stop at each of them.
pub trait Interruption: Send + Sync {
    /// Whether the run has to stop here.
    fn stops(&self, at: Boundary) -> bool;
}

/// Nothing interrupts the run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Never;

impl Interruption for Never {
    fn stops(&self, _: Boundary) -> bool {
        false
    }
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeEffect(seq) => write!(f, "before effect {seq}"),
            Self::AfterEffect(seq) => write!(f, "after effect {seq}"),
            Self::BeforeAppend(seq) => write!(f, "before the journal entry with number {seq}"),
            Self::AfterAppend(seq) => write!(f, "after the journal entry with number {seq}"),
        }
    }
}

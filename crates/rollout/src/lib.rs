//! Rollouts: a pure state machine, its journal, and a driver that knows no rule.
//!
//! [`step`] decides: from the recorded state and one look at the world to the next state, with what is to be done
//! as numbered intentions. [`Driver`] does: it performs what is intended, looks, asks [`step`], and appends every
//! transition to the journal *before* anything of it is performed. A run may die at any instruction; the next one
//! reads the journal and goes on. Whoever starts a rollout decides that it may start at all: validation, gate and
//! approval lie before this crate.

mod agreement;
pub mod analysis;
pub mod backtest;
mod discrepancies;
mod driver;
mod effects;
mod error;
pub mod forecast;
mod guard;
mod history;
mod interruption;
mod journal;
mod lock;
mod look;
mod moment;
mod observe;
mod sources;
mod spectator;
mod start;
mod step;
mod tick;
mod world;

pub use agreement::check_stage;
pub use discrepancies::{Tags, Views, discrepancies};
pub use driver::{Begin, Driver, Told};
pub use error::RolloutError;
pub use guard::{GuardRefusal, guarded};
pub use history::{BlockedRelease, EndedRollout, blocked, chain, ended, ids, series, succeeded, timeline};
pub use interruption::{Boundary, Interruption, Never};
pub use journal::{JournalError, ROLLOUTS, entry, headline, journal_name, place_of, state_of};
pub use lock::{LOCKS, LockError, LockOutcome, lock, lock_journal, newest_lock, read_lock, unlock};
pub use look::{Questions, questions};
pub use spectator::{Nobody, Spectator};
pub use start::{StartRefusal, StartRequest, start};
pub use step::{Transition, step};
pub use tick::Tick;
pub use world::World;

#[cfg(test)]
mod tests;

//! Backtests: what an analysis would have said about looks that were recorded.
//!
//! [`Recording`] reads them, [`Policy`] says what judges them, [`replay`] judges. The verdicts are those of a rollout,
//! by the same code.

mod policy;
mod recording;
mod replay;
#[cfg(test)]
mod tests;

pub use policy::{Policy, PolicyMismatch};
pub use recording::{Recording, RecordingError};
pub use replay::replay;

//! Analysis of live traffic: from counts to verdicts with numbers, and from verdicts to what the rollout should do.
//!
//! [`windows`] takes the difference of two snapshots of counters, [`look`] judges it. Both are pure. Weights, pauses
//! and the time that undecided metrics may take are the state machine's business, not this module's.
//!
//! Metric phases and limits have the meaning they have in Argo Rollouts, with two differences: a metric that was never
//! measured is never successful, and of several verdicts the worst counts within a metric too.

mod horizon;
mod judge;
mod kayenta;
mod measure;
mod message;
mod own;
mod phase;
mod quantile;
mod score;
mod standing;
#[cfg(test)]
mod tests;
mod threshold;
mod window;

pub(crate) use horizon::has_ended;
pub(crate) use judge::{alternatives, speed};
pub use own::own_window;
pub use phase::resume;
pub use standing::{Against, Standing, look};
pub use threshold::{ConditionError, check_conditions, value_window};
pub use window::{Arms, windows};

//! Always-valid sequential tests: evidence that may be looked at after every window of counts.
//!
//! Each window's *block e-value* has a mean of at most 1 under its null hypothesis, whatever the true rates are, even
//! when they change from window to window. Their product is a nonnegative supermartingale, so under the null it ever
//! reaches `1/alpha` with probability at most alpha (Ville's inequality), at any number of looks. A power of at most 1
//! of an e-value, a limit from above and a mean of several e-values are still e-values, which is what tempering,
//! capping and mixing over alternatives rest on.
//!
//! What is guaranteed assumes that requests are independent within a window, given the conditions of that window,
//! which both versions share. Tempering helps where they are not, and proves nothing.

mod alternatives;
pub mod boundary;
pub mod bucket;
pub mod detection;
mod dispersion;
pub mod fixed;
pub mod interval;
mod logs;
pub mod merge;
pub mod multinomial;
pub mod paired;
pub mod planner;
mod process;

#[cfg(test)]
mod tests;

pub use alternatives::Alternatives;
pub use process::{Speed, evidence};

/// Error rate of every test: an e-value of `1/ALPHA` rejects.
pub const ALPHA: f64 = 0.05;

/// The e-value at which a test rejects: 20.
pub const REJECTS: f64 = 1.0 / ALPHA;

/// Log evidence of a metric after a look. Both are comparable with `ln` [`REJECTS`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogEvidence {
    /// Against "no worse than tolerated".
    pub rollback: f64,
    /// Against "not within the promotion margin".
    pub promotion: f64,
}

/// A sum of counts, at most the largest there is.
pub(crate) fn total<'a>(counts: impl IntoIterator<Item = &'a u64>) -> u64 {
    counts.into_iter().fold(0, |sum, count| sum.saturating_add(*count))
}

/// A count as a double. Counts of requests are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^53")]
pub(crate) fn real(count: u64) -> f64 {
    count as f64
}

//! Drift of a column: do the reference and the current rows come from one distribution, and how far apart are they?
//!
//! Each test takes two [`Sample`]s of numbers or the [`Counts`] of categories, and knows nothing of profiles, thresholds
//! and verdicts. The definitions are those of the papers that each file names; where the libraries of the field differ, of
//! scipy.

mod anderson_darling;
mod binomial_term;
pub mod bins;
mod counts;
mod cramer_von_mises;
mod distances;
mod epps_singleton;
mod gathered;
mod kolmogorov;
mod kolmogorov_smirnov;
mod location;
mod sample;
mod shares;

pub use anderson_darling::anderson_darling;
pub use counts::{Counts, two_proportions};
pub use cramer_von_mises::cramer_von_mises;
pub use distances::{energy, wasserstein};
pub use epps_singleton::epps_singleton;
pub use gathered::Gathered;
pub use kolmogorov_smirnov::kolmogorov_smirnov;
pub use location::{mann_whitney_less, student};
pub use sample::{Pooled, Sample, pooled};
pub use shares::{Empty, Shares};

/// What a test found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tested {
    /// The test statistic; its meaning and unit are the test's.
    pub statistic: f64,
    /// The probability of a statistic at least as extreme where nothing has changed.
    pub p_value: f64,
}

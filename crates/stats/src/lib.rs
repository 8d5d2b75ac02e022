//! Statistics for judging models: distributions, tests and scores on paired rows, the bootstrap, non-inferiority,
//! always-valid sequential tests of live traffic, and the judge of Kayenta.
//!
//! Pure `f64` arithmetic: the same input gives the same bits on every machine with IEEE doubles, random draws
//! included, because they come from [`random`] and a seed that the caller names.
//! Must not know: what is judged, where the numbers come from, or what is done about them. Of the domain's words it
//! uses those of counts and evidence only.

pub mod binomial;
pub mod bootstrap;
pub mod calibration;
mod differences;
pub mod drift;
pub mod fixed_horizon;
pub mod gamma;
pub mod interval;
pub mod kayenta;
pub mod mann_whitney;
pub mod mcnemar;
pub mod multiplicity;
pub mod non_inferiority;
pub mod normal;
pub mod paired;
pub mod quantile;
pub mod random;
mod ranks;
pub mod roc;
pub mod scores;
pub mod sequential;
pub mod streams;

pub use fixed_horizon::FixedHorizon;
pub use interval::Interval;
pub use paired::{Paired, PairedRow};

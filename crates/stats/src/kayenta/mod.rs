//! The judge of Kayenta (`NetflixACAJudge-v1.0`): one class a metric by Mann-Whitney, one score over groups of metrics.
//!
//! An option for policies that come from there; <https://github.com/spinnaker/kayenta>, `kayenta-judge`. Confidence and
//! tolerance are constants there too. It looks at a period that has ended: with a new verdict at every look over the same
//! points the rate of false alarms grows with the number of looks, which the sequential tests do not allow.
//!
//! Same verdicts, with these differences, all of which make an unknown visible:
//! - below [`MIN_POINTS`] points a side, or with a value that is not finite, a metric is [`Class::Inconclusive`]; there
//!   three against three points are `High`;
//! - roots of the test's staircase are exact, so ties and constants give one answer; there the root finder's last step
//!   decides, and random noise is added to constants;
//! - a side without points fails no metric silently: with NaN replaced, only two empty sides pass;
//! - the ratio of means is used where both are positive; elsewhere it has no meaning, and the interval decides alone;
//! - a group of which nothing is known adds nothing to the score; there it counts as 100;
//! - weights that cannot add up are an error.

mod clean;
mod metric;
mod score;
mod settings;

#[cfg(test)]
mod tests;

pub use metric::{Class, Judged, Reason, judge};
pub use score::{Cause, Entry, GroupScore, Score, ScoreError, Thresholds, Verdict, score};
pub use settings::{Direction, Limits, Measure, Nan, Outliers, Settings};

/// Confidence of the interval of the shift.
pub const CONFIDENCE: f64 = 0.98;

/// The interval must lie this share of the estimated shift away from zero.
pub const TOLERANCE: f64 = 0.25;

/// Points a side below which nothing is said.
pub const MIN_POINTS: usize = 5;

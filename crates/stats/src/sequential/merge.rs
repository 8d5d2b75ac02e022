//! One error rate for a whole rollout that is watched by several metrics.
//!
//! The weighted mean of e-values is an e-value however they depend on each other, because the mean of a sum needs no
//! independence; among ways of merging that do not prefer a metric none is stronger throughout than the plain mean
//! (V. Vovk and R. Wang, "E-values: calibration, combination and applications", Annals of Statistics 49, 2021). Of
//! e-processes the same holds at every look, as long as each look's e-value has a mean of at most 1 given all that any of
//! the metrics has shown before. So `sum w_i E_i >= 1/alpha` happens at any look of the whole rollout with probability at
//! most alpha, if no metric is worse than tolerated; each metric against [`super::REJECTS`] on its own has alpha apiece.
//!
//! The weights are settled before the first look. This is for verdicts of which *any* metric suffices, i.e. rollback.
//! Where *every* metric must agree, i.e. for promotion, each keeps its own alpha: the weakest evidence decides.

use std::fmt;

use super::logs;

/// The evidence of one metric and how much it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Its weight, not negative.
    pub weight: f64,
    /// Its log e-value; negative infinity is an e-value of 0.
    pub log: f64,
}

/// The evidence of all metrics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Merged {
    /// Log e-value, comparable with `ln` [`super::REJECTS`].
    pub log: f64,
    /// Position of the metric that adds most.
    pub strongest: usize,
}

/// Why evidence cannot be merged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum MergeError {
    /// The weight at this position is negative or not a number.
    Weight(usize),
    /// The weights add up to this, not to 1.
    WeightSum(f64),
    /// The evidence at this position is NaN or infinitely strong.
    Evidence(usize),
}

/// As a fragment of a sentence.
impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Weight(at) => write!(f, "the weight of metric {at} is negative or not a number"),
            Self::WeightSum(sum) => write!(f, "the weights of the metrics add up to {sum}, not to 1"),
            Self::Evidence(at) => write!(f, "the evidence of metric {at} is not finite"),
        }
    }
}

impl std::error::Error for MergeError {}

/// Weights may miss 1 by this much.
const ROUNDING: f64 = 1e-9;

/// `ln(sum w_i exp(log_i))`, for weights that add up to 1.
///
/// # Errors
/// Says what is wrong with a weight or with the evidence; see [`MergeError`].
pub fn merge(parts: &[Part]) -> Result<Merged, MergeError> {
    check(parts)?;
    let weighted = || parts.iter().map(|part| part.log + part.weight.ln());
    let strongest = weighted().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let (strongest, _) = strongest.ok_or(MergeError::WeightSum(0.0))?;
    Ok(Merged { log: logs::sum(weighted()), strongest })
}

fn check(parts: &[Part]) -> Result<(), MergeError> {
    if let Some(at) = parts.iter().position(|part| !(0.0..=1.0 + ROUNDING).contains(&part.weight)) {
        return Err(MergeError::Weight(at));
    }
    if let Some(at) = parts.iter().position(|part| part.log.is_nan() || part.log == f64::INFINITY) {
        return Err(MergeError::Evidence(at));
    }
    let sum: f64 = parts.iter().map(|part| part.weight).sum();
    if (sum - 1.0).abs() <= ROUNDING { Ok(()) } else { Err(MergeError::WeightSum(sum)) }
}

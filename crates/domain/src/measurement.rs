//! The numbers that a judge shows of one metric.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::{JudgeState, MetricReading};

/// The numbers of one metric after one look. Shares and quantiles are over all looks so far.
///
/// Of pairs, `value` and `stable` are the shares of pairs in which only that version was wrong; their difference is
/// the difference in accuracy. Of a distribution of labels, `value` is the total variation distance between the two.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measurement {
    /// The candidate's value: failure share, accuracy, quantile of latency in milliseconds, or distance.
    pub value: Option<f64>,
    /// Stable's value.
    pub stable: Option<f64>,
    /// The candidate's value in this look alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<f64>,
    /// Interval that holds the candidate's true value at every look at once with 95 % confidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ci: Option<[f64; 2]>,
    /// Observations of stable and of the candidate.
    pub n: [u64; 2],
    /// Evidence that the candidate is worse than tolerated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_value: Option<f64>,
    /// Evidence at which it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails_at: Option<f64>,
    /// Evidence that the candidate keeps the promotion margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion_e_value: Option<f64>,
    /// Evidence at which it is good enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub succeeds_at: Option<f64>,
    /// Anytime-valid p-value: the smallest 1/e so far, at most 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// Digits that count of a number that is only shown: more would be the greater part of a journal.
const DIGITS: usize = 6;

impl Measurement {
    /// The same with as many digits as anybody reads. Nothing is decided by these numbers: that rests on the evidence.
    #[must_use]
    pub fn rounded(self) -> Self {
        Self {
            value: self.value.map(rounded),
            stable: self.stable.map(rounded),
            look: self.look.map(rounded),
            ci: self.ci.map(|ends| ends.map(rounded)),
            e_value: self.e_value.map(rounded),
            promotion_e_value: self.promotion_e_value.map(rounded),
            p: self.p.map(rounded),
            ..self
        }
    }
}

fn rounded(value: f64) -> f64 {
    format!("{value:.precision$e}", precision = DIGITS - 1).parse().unwrap_or(value)
}

impl Measurement {
    /// With its name and verdict.
    pub fn named(&self, name: &str, judged: &JudgeState) -> MetricReading {
        MetricReading {
            name: name.to_owned(),
            phase: judged.phase,
            message: judged.message.clone(),
            measurement: self.clone(),
        }
    }
}

//! Quality of a model that serves: how good its predictions were where labels have come, and how good they probably are
//! where none have.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::schema::Document;

/// What predictions and labels say about a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityReport {
    /// What the model predicts.
    pub task: QualityTask,
    /// Predictions that were read.
    pub rows: u64,
    /// Predictions that belong to no window, because they have no time.
    #[serde(default, skip_serializing_if = "is_none")]
    pub untimed: u64,
    /// Of these rows, those with a label.
    pub labelled: u64,
    /// Share of the predictions that have a label; absent where there is no prediction.
    pub coverage: Option<f64>,
    /// How long labels took; absent where times are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_lag: Option<LabelLag>,
    /// Confidence of all intervals, 0.95 for 95 %.
    pub confidence: f64,
    /// Scores of all labelled rows.
    pub scores: Vec<QualityScore>,
    /// Predicted probabilities against what came true, from 0 to 1; empty where there are no probabilities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reliability: Vec<ReliabilityBin>,
    /// The same for parts of the rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<QualitySlice>,
    /// What is expected of the rows without labels; absent where it was not asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<QualityEstimate>,
    /// What else was seen.
    pub findings: Vec<QualityFinding>,
    /// Whether the model is as good as was asked for; null where that cannot be said or nothing was asked for, which is
    /// never the same as yes.
    pub good: Option<bool>,
}

/// What a model predicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityTask {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityMetric {
    /// Share of right predictions.
    Accuracy,
    /// Of the rows that are predicted to be of the class, the share that is.
    Precision,
    /// Of the rows of the class, the share that is predicted to be.
    Recall,
    /// Harmonic mean of precision and recall; of several classes the mean over them.
    F1,
    /// Area under the ROC curve.
    Auc,
    /// Mean of `-ln p` of what came true.
    LogLoss,
    /// Mean squared distance of probabilities to what came true.
    Brier,
    /// Expected calibration error: the mean distance of predicted probabilities to what came true, over ten bins.
    CalibrationError,
    /// Root of the mean squared error.
    Rmse,
    /// Mean absolute error.
    Mae,
}

/// One score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityScore {
    /// What is measured.
    pub metric: QualityMetric,
    /// Its value; null where the rows do not give one.
    pub value: Option<f64>,
    /// Where the value of endlessly many such rows lies, lower and upper end.
    pub interval: Option<[f64; 2]>,
    /// Rows that it rests on.
    pub n: u64,
    /// What is asked for; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<QualityBound>,
    /// Whether the whole interval keeps the bound (true) or breaks it (false); null where it holds the bound, where there is no
    /// value, or where nothing is asked for.
    pub good: Option<bool>,
    /// Why there is no value or no verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is asked of a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityBound {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

/// How long labels took to come, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LabelLag {
    /// Half of the labels were faster.
    pub median: f64,
    /// Nine of ten labels were faster.
    pub p90: f64,
    /// The slowest one.
    pub longest: f64,
}

/// Rows whose predicted probability of the positive class lies in a tenth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReliabilityBin {
    /// Lower and upper end.
    pub range: [f64; 2],
    /// Rows in it.
    pub n: u64,
    /// Mean predicted probability.
    pub predicted: f64,
    /// Share of rows that are of the class.
    pub observed: f64,
}

/// A part of the rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualitySlice {
    /// The column that divides them.
    pub column: String,
    /// The value of the part; absent for rows without one.
    pub value: Option<String>,
    /// Predictions in it.
    pub rows: u64,
    /// Of these, those with a label.
    pub labelled: u64,
    /// Its scores; intervals are wider, so that they hold for all slices together.
    pub scores: Vec<QualityScore>,
}

/// What is expected of predictions without labels, by confidence-based performance estimation: probabilities are calibrated on
/// labelled rows of the past, and say how often predictions should be right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityEstimate {
    /// Rows that it is about.
    pub rows: u64,
    /// Labelled rows of the reference.
    pub reference: u64,
    /// Calibration error on reference rows that were held out: of the scores as they are, and calibrated.
    pub calibration_error: Option<[f64; 2]>,
    /// The expected scores; empty where it is refused.
    pub scores: Vec<QualityScore>,
    /// Standard error of the accuracy that comes from the number of rows alone.
    pub sampling_error: Option<f64>,
    /// Why there is no estimate; absent where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
    /// What it rests on.
    pub assumption: String,
}

/// Something that scores do not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QualityFinding {
    /// What it is.
    pub code: QualityCode,
    /// In one sentence.
    pub message: String,
}

/// What can be seen beside scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QualityCode {
    /// Fewer labels than a verdict needs.
    TooFewLabels,
    /// A smaller share of predictions has a label than is asked for.
    LowCoverage,
    /// Labels that belong to no prediction.
    UnmatchedLabels,
    /// Predictions without a time, where only those of a window count.
    RowsWithoutTime,
    /// Values that are no numbers, or no probabilities; their rows are left out of the scores that need them.
    UnusableValues,
    /// A slice breaks a bound.
    SliceIsBad,
    /// More slices than are judged.
    TooManySlices,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Document for QualityReport {
    const SCHEMA: &'static str = "tagship/quality/v1";
}

impl QualityMetric {
    /// Every metric.
    pub const ALL: [Self; 10] = [
        Self::Accuracy,
        Self::Precision,
        Self::Recall,
        Self::F1,
        Self::Auc,
        Self::LogLoss,
        Self::Brier,
        Self::CalibrationError,
        Self::Rmse,
        Self::Mae,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::F1 => "f1",
            Self::Auc => "auc",
            Self::LogLoss => "log-loss",
            Self::Brier => "brier",
            Self::CalibrationError => "calibration-error",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// The metric of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.as_str() == name)
    }

    /// Whether more is better.
    pub fn is_better_high(self) -> bool {
        matches!(self, Self::Accuracy | Self::Precision | Self::Recall | Self::F1 | Self::Auc)
    }
}

impl QualityBound {
    /// The number.
    pub fn limit(self) -> f64 {
        match self {
            Self::AtLeast(limit) | Self::AtMost(limit) => limit,
        }
    }

    /// Whether everything between two ends keeps it (true), breaks it (false), or some of both (absent).
    pub fn judge(self, [low, high]: [f64; 2]) -> Option<bool> {
        let (kept, broken) = match self {
            Self::AtLeast(limit) => (low >= limit, high < limit),
            Self::AtMost(limit) => (high <= limit, low > limit),
        };
        (kept || broken).then_some(kept)
    }
}

impl fmt::Display for QualityMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for QualityTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Binary => "binary",
            Self::Multiclass => "multiclass",
            Self::Regression => "regression",
        })
    }
}

/// `0.9 or more`.
impl fmt::Display for QualityBound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "{limit} or more"),
            Self::AtMost(limit) => write!(f, "{limit} or less"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_judged_by_the_whole_interval() {
        for (bound, interval, expect) in [
            (QualityBound::AtLeast(0.9), [0.91, 0.95], Some(true)),
            (QualityBound::AtLeast(0.9), [0.80, 0.89], Some(false)),
            (QualityBound::AtLeast(0.9), [0.89, 0.95], None),
            (QualityBound::AtMost(2.0), [1.0, 2.0], Some(true)),
            (QualityBound::AtMost(2.0), [2.1, 3.0], Some(false)),
            (QualityBound::AtMost(2.0), [f64::NAN, f64::NAN], None),
        ] {
            assert_eq!(bound.judge(interval), expect, "{bound} {interval:?}");
        }
    }
}

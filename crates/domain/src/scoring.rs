//! Scores that do not add up over looks: one figure at a horizon that was settled before the first look.
//!
//! Whoever computes such a score anew with every row and stops at the first good or bad answer is wrong far more often than
//! its interval says. So it is judged once, and looks before that decide nothing.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::Duration;

/// What is computed, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scoring {
    /// The score.
    pub score: Score,
    /// The class that is told from the rest; absent for scores of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<String>,
    /// How much worse than stable's the candidate's score may be, in units of the score; above 0.
    pub margin: f64,
    /// When it is judged.
    pub horizon: Horizon,
}

/// A score of predictions against labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Harmonic mean of precision and recall of a class.
    F1,
    /// Of what is predicted to be of the class, the share that is.
    Precision,
    /// Of what is of the class, the share that is predicted to be.
    Recall,
    /// Area under the ROC curve; predictions are scores, the higher the likelier the class.
    Auc,
    /// Mean of `-ln p` of what came true; predictions are probabilities of the class.
    LogLoss,
    /// Mean squared distance of the predicted probability of the class to what came true.
    Brier,
    /// Root of the mean squared error of predicted numbers.
    Rmse,
    /// Mean absolute error of predicted numbers.
    Mae,
}

/// When a score is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Horizon {
    /// At the first look that finds this many labelled predictions of the candidate; the first ones count.
    Rows(u64),
    /// At the first look that ends this long after the first one.
    After(Duration),
}

/// Labelled predictions of both versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labelled {
    /// The predictions.
    pub rows: LabelledRows,
    /// sha256 of the rows, in hex; absent where nothing was digested.
    #[serde(default)]
    pub digest: Option<String>,
}

/// Labelled predictions, in the order of their source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelledRows {
    /// Both versions predicted the same things: label, stable's prediction, the candidate's.
    Paired(Vec<[String; 3]>),
    /// Each predicted things of its own: label and prediction.
    Apart {
        /// Of stable.
        stable: Vec<[String; 2]>,
        /// Of the candidate.
        candidate: Vec<[String; 2]>,
    },
}

impl Labelled {
    /// Most rows of a version that are judged; each figure draws them two thousand times.
    pub const MOST: usize = 50_000;
}

impl LabelledRows {
    /// Labelled predictions of stable and of the candidate.
    pub fn counts(&self) -> [u64; 2] {
        match self {
            Self::Paired(rows) => [rows.len() as u64; 2],
            Self::Apart { stable, candidate } => [stable.len() as u64, candidate.len() as u64],
        }
    }

    /// Keeps the first `rows` of the candidate, and of pairs.
    pub fn truncate(&mut self, rows: usize) {
        match self {
            Self::Paired(pairs) => pairs.truncate(rows),
            Self::Apart { candidate, .. } => candidate.truncate(rows),
        }
    }
}

impl Score {
    /// Every score.
    pub const ALL: [Self; 8] = [
        Self::F1,
        Self::Precision,
        Self::Recall,
        Self::Auc,
        Self::LogLoss,
        Self::Brier,
        Self::Rmse,
        Self::Mae,
    ];

    /// As the configuration writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::F1 => "f1",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::Auc => "auc",
            Self::LogLoss => "log-loss",
            Self::Brier => "brier",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// Whether low ones are good.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::LogLoss | Self::Brier | Self::Rmse | Self::Mae)
    }

    /// Whether it is about one class.
    pub fn is_of_class(self) -> bool {
        !matches!(self, Self::Rmse | Self::Mae)
    }
}

impl Scoring {
    /// Whether a label or a prediction is the class; numbers are compared as numbers.
    pub fn is_positive(&self, text: &str) -> bool {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        let positive = self.positive.as_deref().unwrap_or_default();
        match (number(text), number(positive)) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
            _ => text == positive,
        }
    }

    /// What a good candidate keeps, e.g. `f1 >= stable - 0.01`.
    pub fn words(&self) -> String {
        let (sign, margin) = (if self.score.is_loss() { "<= stable +" } else { ">= stable -" }, self.margin);
        format!("{} {sign} {margin}", self.score.as_str())
    }
}

/// `judged once, at 2,000 labelled predictions`: what people must know about it.
impl fmt::Display for Horizon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "judged once, at {} labelled predictions", grouped(*rows)),
            Self::After(length) => write!(f, "judged once, {length} after the first look"),
        }
    }
}

fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + 6);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_is_asked_for_and_when() {
        let scoring =
            |score| Scoring { score, positive: None, margin: 0.01, horizon: Horizon::Rows(1_234_567) };
        assert_eq!(scoring(Score::F1).words(), "f1 >= stable - 0.01");
        assert_eq!(scoring(Score::LogLoss).words(), "log-loss <= stable + 0.01");
        let said = scoring(Score::F1).horizon.to_string();
        assert_eq!(said, "judged once, at 1,234,567 labelled predictions");
        let after = Horizon::After(Duration::from_secs(86_400)).to_string();
        assert_eq!(after, "judged once, 1d after the first look");
    }

    #[test]
    fn only_the_first_rows_of_the_candidate_are_kept() {
        let row = || ["1".to_owned(), "0".to_owned()];
        let mut rows = LabelledRows::Apart { stable: vec![row(); 9], candidate: vec![row(); 5] };
        rows.truncate(3);
        assert_eq!(rows.counts(), [9, 3]);
        let mut pairs = LabelledRows::Paired(vec![["1".to_owned(), "0".to_owned(), "1".to_owned()]; 4]);
        pairs.truncate(3);
        assert_eq!(pairs.counts(), [3, 3]);
    }
}

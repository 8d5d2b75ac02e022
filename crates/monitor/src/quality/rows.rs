//! Predictions as they were logged, and what scores need of them.

use tagship_domain::{
    Timestamp,
    quality::{QualityCode, QualityFinding, QualityTask},
};

use super::Settings;

/// One prediction, with its label where it has come.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prediction {
    /// What was predicted: a class or a number.
    pub predicted: Option<String>,
    /// What was right.
    pub label: Option<String>,
    /// Probability of the positive class, or another score that rises with it.
    pub score: Option<String>,
    /// When it was predicted.
    pub at: Option<Timestamp>,
    /// When the label came.
    pub labelled_at: Option<Timestamp>,
    /// Values of the columns that divide the rows, in their order.
    pub parts: Vec<Option<String>>,
}

/// What of a prediction is scored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Labelled<'a> {
    /// One of several classes; for two, whether each is the positive one, and the score.
    Class { truth: &'a str, predicted: &'a str, is_positive: bool, says_positive: bool, score: Option<f64> },
    /// A number.
    Number { truth: f64, predicted: f64 },
}

/// Rows that are left out of scores.
#[derive(Debug, Default)]
pub(super) struct Unusable {
    rows: u64,
    scores: u64,
    scored: u64,
    unscored: u64,
}

impl Unusable {
    pub(super) fn finding(&self) -> Vec<QualityFinding> {
        let mut parts = vec![];
        if self.rows > 0 {
            parts.push(format!("{} labelled rows lack a usable prediction or label", self.rows));
        }
        if self.scores > 0 {
            parts.push(format!("{} scores are no numbers", self.scores));
        }
        if self.scored > 0 && self.unscored > 0 {
            parts.push(format!("{} labelled rows have no score", self.unscored));
        }
        if parts.is_empty() {
            return vec![];
        }
        vec![QualityFinding { code: QualityCode::UnusableValues, message: parts.join("; ") }]
    }
}

impl Prediction {
    /// What scores need of it; absent where it has no label or no value that can be compared with it.
    pub(super) fn labelled(&self, settings: &Settings, unusable: &mut Unusable) -> Option<Labelled<'_>> {
        let label = self.label.as_deref()?;
        let found = match settings.task {
            QualityTask::Regression => self.predicted.as_deref().and_then(|predicted| {
                Some(Labelled::Number { truth: finite(label)?, predicted: finite(predicted)? })
            }),
            QualityTask::Binary | QualityTask::Multiclass => self.predicted.as_deref().map(|predicted| {
                let score = self.score.as_deref().and_then(|score| {
                    let number = finite(score);
                    unusable.scores += u64::from(number.is_none());
                    number
                });
                unusable.scored += u64::from(score.is_some());
                unusable.unscored += u64::from(self.score.is_none());
                let is = |class: &str| class == settings.positive;
                let (is_positive, says_positive) = (is(label), is(predicted));
                Labelled::Class { truth: label, predicted, is_positive, says_positive, score }
            }),
        };
        unusable.rows += u64::from(found.is_none());
        found
    }
}

/// A value as it is compared with others: numbers by what they are, so that `1` and `1.0` are one class.
#[must_use]
pub fn canonical(text: String) -> String {
    match finite(&text) {
        Some(number) => number.to_string(),
        None => text,
    }
}

pub(super) fn finite(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

//! Scores that do not add up over rows, of two models on the same rows: F1, precision and recall from counts; root mean
//! squared and mean absolute error, log loss and Brier score from predictions.
//!
//! The interval of the difference is that of the paired [bootstrap](crate::bootstrap). All of them are figures at a
//! [fixed horizon](crate::FixedHorizon), not valid when looked at repeatedly.

pub mod confusion;
pub mod losses;
pub mod matrix;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::interval::Interval;

/// One score of two models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScorePair {
    /// Score of the first (stable) one.
    pub first: f64,
    /// Score of the second (candidate) one.
    pub second: f64,
    /// Interval of the difference, second minus first.
    pub interval: Interval,
    /// Which scores are good.
    pub better: Better,
}

/// Which scores are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// High ones.
    Higher,
    /// Low ones.
    Lower,
}

impl ScorePair {
    /// Score of the second minus score of the first.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.second - self.first
    }

    /// Interval of how much better the second one is, as [`crate::non_inferiority::judge`] takes it.
    #[must_use]
    pub fn gain(&self) -> Interval {
        let Interval { low, high, confidence } = self.interval;
        match self.better {
            Better::Higher => self.interval,
            Better::Lower => Interval { low: -high, high: -low, confidence },
        }
    }
}

/// Why there is no score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScoreError {
    /// There are no rows.
    NoRows,
    /// The score divides by zero: no row is of the class, or none is predicted to be.
    Undefined,
    /// A value at this row is not finite, or so large that the score is not.
    NotFinite(usize),
    /// A prediction at this row is not a probability.
    NotAProbability(usize),
    /// The plan has no resamples, or a confidence that is not between 0 and 1.
    Plan,
}

/// As a fragment of a sentence.
impl fmt::Display for ScoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRows => f.write_str("there are no rows"),
            Self::Undefined => f.write_str("no row is of the class, or none is predicted to be"),
            Self::NotFinite(row) => write!(f, "a value of row {row} is not finite"),
            Self::NotAProbability(row) => write!(f, "a prediction of row {row} is not within 0 to 1"),
            Self::Plan => f.write_str("the bootstrap has no resamples or a confidence outside of 0 to 1"),
        }
    }
}

impl std::error::Error for ScoreError {}

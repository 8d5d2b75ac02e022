//! An interval that an unknown value lies in with stated confidence.

use std::fmt;

/// A two-sided confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Confidence level between 0 and 1, e.g. 0.95.
    pub confidence: f64,
}

impl Interval {
    /// The smallest interval that holds both; the confidence of `self`.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high), ..self }
    }

    /// Whether `value` lies inside, ends included.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// `[low, high]` with four decimals and signs, as a difference is written.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{:+.4}, {:+.4}]", self.low, self.high)
    }
}

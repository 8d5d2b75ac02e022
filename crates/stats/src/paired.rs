//! Two models on the same rows.

use crate::{interval::Interval, normal};

/// How often each of two classifiers is right where both saw the same rows.
///
/// Rows on which both are right or both are wrong say nothing about which is better, so only the rest is
/// counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paired {
    /// All rows.
    pub rows: u64,
    /// Rows that only the first (stable) one gets right: `b` of the usual table.
    pub only_first: u64,
    /// Rows that only the second (candidate) one gets right: `c` of the usual table.
    pub only_second: u64,
}

/// One row with its truth and what two models said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedRow<T> {
    /// What is true: whether the row is of the class, or a number.
    pub truth: T,
    /// What the first (stable) one said: a score, a probability or a number.
    pub first: f64,
    /// What the second (candidate) one said.
    pub second: f64,
}

impl Paired {
    /// Accuracy of the second minus accuracy of the first: `(c - b) / n`; 0 where there are no rows.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    pub fn difference(&self) -> f64 {
        if self.rows == 0 {
            return 0.0;
        }
        (self.only_second as f64 - self.only_first as f64) / self.rows as f64
    }

    /// A confidence interval of [`Paired::difference`] by Agresti and Min, "Simple improved confidence intervals
    /// for comparing matched proportions" (Statistics in Medicine 24, 2005): Wald's interval after 1/2 is added to
    /// each of the four cells. With `n' = n + 2` and `d = (c - b) / n'` it is
    /// `d +- z sqrt(((b + c + 1) - (c - b)^2 / n') ) / n'`, cut to [-1, 1].
    ///
    /// Unlike the plain interval it has a width where the two never disagree: no disagreement on ten rows is
    /// little evidence, on ten thousand it is a lot.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    pub fn interval(&self, confidence: f64) -> Interval {
        let (b, c) = (self.only_first as f64, self.only_second as f64);
        let n = self.rows as f64 + 2.0;
        let centre = (c - b) / n;
        let half = normal::quantile(f64::midpoint(1.0, confidence)) / n
            * ((b + c + 1.0) - (c - b) * (c - b) / n).max(0.0).sqrt();
        Interval { low: (centre - half).max(-1.0), high: (centre + half).min(1.0), confidence }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(paired: (u64, u64, u64), low: f64, high: f64) {
        let (rows, only_first, only_second) = paired;
        let interval = Paired { rows, only_first, only_second }.interval(0.95);
        assert!(
            (interval.low - low).abs() < 5e-5 && (interval.high - high).abs() < 5e-5,
            "{interval} is not {low} to {high}"
        );
    }

    #[test]
    fn the_interval_follows_the_formula() {
        check((1144, 107, 132), -0.004_67, 0.048_30);
        check((1000, 0, 0), -0.001_956, 0.001_956);
        check((3, 0, 0), -0.391_99, 0.391_99);
        check((0, 0, 0), -0.979_98, 0.979_98);
    }

    #[test]
    fn the_difference_is_second_minus_first() {
        let close = |paired: Paired, expect: f64| assert!((paired.difference() - expect).abs() < 1e-12);
        close(Paired { rows: 100, only_first: 2, only_second: 5 }, 0.03);
        close(Paired { rows: 0, only_first: 0, only_second: 0 }, 0.0);
    }
}

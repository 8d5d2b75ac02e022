//! The confusion matrix of one classifier, and its scores with intervals.
//!
//! Intervals of shares are Wilson's (E. Wilson, JASA 22, 1927); those of F1 come from drawing the matrix again, cell by cell, so
//! that their cost does not grow with the rows.

use std::collections::BTreeMap;

use crate::{
    binomial,
    bootstrap::{Plan, percentiles},
    interval::Interval,
    normal,
    random::Random,
};

/// Rows by true and by predicted class, both numbers from 0 on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    cells: BTreeMap<(usize, usize), u64>,
}

impl Matrix {
    /// Adds a row.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        *self.cells.entry((truth, predicted)).or_insert(0) += 1;
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.cells.values().sum()
    }

    /// Rows whose true and predicted class are such.
    #[must_use]
    pub fn count(&self, is: impl Fn(usize, usize) -> bool) -> u64 {
        self.cells.iter().filter(|((truth, predicted), _)| is(*truth, *predicted)).map(|(_, rows)| rows).sum()
    }

    /// F1 of a class; absent where no row is of it or predicted to be.
    #[must_use]
    pub fn f1(&self, class: usize) -> Option<f64> {
        let right = self.count(|truth, said| truth == class && said == class);
        let either = self.count(|truth, said| (truth == class) != (said == class));
        ratio(2 * right, 2 * right + either)
    }

    /// Mean F1 of all classes that a row is of or predicted to be; absent where there are no rows.
    #[must_use]
    pub fn macro_f1(&self) -> Option<f64> {
        let mut classes: Vec<usize> = self.cells.keys().flat_map(|(truth, said)| [*truth, *said]).collect();
        classes.sort_unstable();
        classes.dedup();
        let each: Vec<f64> = classes.iter().filter_map(|class| self.f1(*class)).collect();
        let count = ratio(each.len() as u64, 1)?;
        (count > 0.0).then(|| each.iter().sum::<f64>() / count)
    }

    /// Interval of a score of the matrix. A draw in which it has no value counts as the worst for the lower end and as the
    /// best for the upper one. Absent for a plan without resamples.
    #[must_use]
    pub fn interval(&self, score: impl Fn(&Self) -> Option<f64>, plan: &Plan) -> Option<Interval> {
        let end = |undefined: f64| {
            let mut random = Random::new(plan.seed);
            percentiles(
                std::iter::repeat_with(|| score(&self.resampled(&mut random)).unwrap_or(undefined)),
                plan,
            )
        };
        Some(Interval { high: end(1.0)?.high, ..end(0.0)? })
    }

    /// As many rows, drawn from these with replacement: a multinomial draw, each cell binomial of the rows that are left.
    fn resampled(&self, random: &mut Random) -> Self {
        let (mut rows, mut left) = (self.rows(), self.rows());
        let cells = self.cells.iter().map(|(place, cell)| {
            let drawn = binomial::draw(random, rows, ratio(*cell, left).unwrap_or(0.0));
            rows -= drawn;
            left -= cell;
            (*place, drawn)
        });
        Self { cells: cells.filter(|(_, rows)| *rows > 0).collect() }
    }
}

/// Wilson's interval of a share; absent where there is nothing to share.
#[must_use]
pub fn wilson(part: u64, whole: u64, confidence: f64) -> Option<Interval> {
    let share = ratio(part, whole)?;
    let n = ratio(whole, 1)?;
    let z = normal::quantile(f64::midpoint(1.0, confidence));
    let spread = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    let (middle, scale) = (share + z * z / (2.0 * n), 1.0 + z * z / n);
    Some(Interval {
        low: ((middle - spread) / scale).clamp(0.0, share),
        high: ((middle + spread) / scale).clamp(share, 1.0),
        confidence,
    })
}

/// A share; absent where there is nothing to share.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
#[must_use]
pub fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(cells: &[(usize, usize, u64)]) -> Matrix {
        Matrix { cells: cells.iter().map(|(truth, said, rows)| ((*truth, *said), *rows)).collect() }
    }

    fn close(actual: f64, expect: f64) {
        assert!((actual - expect).abs() < 1e-12, "{actual} {expect}");
    }

    #[test]
    fn scores_are_those_of_scikit_learn() {
        // f1_score(average=None) of these rows: 0.8, 0.5714..., 0.6666...
        let three = matrix(&[(0, 0, 4), (0, 1, 1), (1, 1, 2), (1, 2, 1), (2, 2, 2), (2, 0, 1), (1, 0, 0)]);
        close(three.f1(0).unwrap(), 0.8);
        close(three.f1(1).unwrap(), 2.0 / 3.0);
        close(three.f1(2).unwrap(), 2.0 / 3.0);
        close(three.macro_f1().unwrap(), (0.8 + 4.0 / 3.0) / 3.0);
        assert_eq!((Matrix::default().macro_f1(), three.f1(7)), (None, None));
    }

    #[test]
    fn intervals_hold_the_value_and_shrink_with_rows() {
        let small = matrix(&[(1, 1, 40), (1, 0, 10), (0, 1, 5), (0, 0, 45)]);
        let large = matrix(&[(1, 1, 4000), (1, 0, 1000), (0, 1, 500), (0, 0, 4500)]);
        let plan = Plan::default();
        let [few, many] = [&small, &large].map(|matrix| matrix.interval(|drawn| drawn.f1(1), &plan).unwrap());
        let f1 = small.f1(1).unwrap();
        assert!(few.contains(f1) && many.contains(f1), "{few} {many}");
        let width = |interval: Interval| interval.high - interval.low;
        assert!((width(few) / width(many) - 10.0).abs() < 1.0, "{few} {many}");
    }

    #[test]
    fn wilson_is_the_published_interval() {
        // Newcombe 1998, table I: 81 of 263 gives 0.2553 to 0.3662; 0 of 20 gives 0 to 0.1611.
        let some = wilson(81, 263, 0.95).unwrap();
        assert!((some.low - 0.2553).abs() < 5e-5 && (some.high - 0.3662).abs() < 5e-5, "{some}");
        let none = wilson(0, 20, 0.95).unwrap();
        assert!(none.low.abs() < 1e-12 && (none.high - 0.1611).abs() < 5e-5, "{none}");
        assert_eq!(wilson(0, 0, 0.95), None);
    }
}

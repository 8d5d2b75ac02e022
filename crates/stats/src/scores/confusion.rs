//! F1, precision and recall of two classifiers on the same rows, for one class against the rest.

use super::{Better, ScoreError, ScorePair};
use crate::{
    binomial,
    bootstrap::{Plan, percentiles},
    fixed_horizon::FixedHorizon,
    random::Random,
};

/// What is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Of the rows that are predicted to be of the class, the share that is.
    Precision,
    /// Of the rows of the class, the share that is predicted to be.
    Recall,
    /// The harmonic mean of both: `2 TP / (2 TP + FP + FN)`.
    F1,
}

/// Rows by truth and by what both models said: all that these scores depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    cells: [u64; 8],
}

/// Counts of one model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Confusion {
    right: u64,
    false_alarms: u64,
    missed: u64,
}

impl Counts {
    /// Adds rows that are, or are not, of the class and that the models say so of, or not.
    pub fn add(&mut self, truth: bool, first: bool, second: bool, rows: u64) {
        let cell = &mut self.cells[usize::from(truth) * 4 + usize::from(first) * 2 + usize::from(second)];
        *cell = cell.saturating_add(rows);
    }

    /// All rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.cells.iter().fold(0, |sum, cell| sum.saturating_add(*cell))
    }

    /// Of the first and the second model.
    fn confusions(&self) -> [Confusion; 2] {
        [2, 1].map(|says_so| {
            let of = |truth: bool, said: bool| {
                let cells = self.cells.iter().enumerate();
                cells
                    .filter(|(at, _)| (at & 4 != 0) == truth && (at & says_so != 0) == said)
                    .fold(0, |sum, (_, cell)| u64::saturating_add(sum, *cell))
            };
            Confusion { right: of(true, true), false_alarms: of(false, true), missed: of(true, false) }
        })
    }

    /// As many rows, drawn from these with replacement: a multinomial draw, cell by cell, each binomial of the rows that
    /// are left. So the cost does not grow with the rows.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    fn resampled(&self, random: &mut Random) -> Self {
        let (mut rows, mut left) = (self.rows(), self.rows());
        let cells = self.cells.map(|cell| {
            let share = if left == 0 { 0.0 } else { cell as f64 / left as f64 };
            let drawn = binomial::draw(random, rows, share);
            rows -= drawn;
            left = left.saturating_sub(cell);
            drawn
        });
        Self { cells }
    }
}

/// `None` where it would divide by zero.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn value(measure: Measure, confusion: Confusion) -> Option<f64> {
    let Confusion { right, false_alarms, missed } = confusion;
    let (right, false_alarms, missed) = (right as f64, false_alarms as f64, missed as f64);
    let (part, whole) = match measure {
        Measure::Precision => (right, right + false_alarms),
        Measure::Recall => (right, right + missed),
        Measure::F1 => (2.0 * right, 2.0 * right + false_alarms + missed),
    };
    (whole > 0.0).then(|| part / whole)
}

fn both(measure: Measure, counts: &Counts) -> Option<[f64; 2]> {
    let [first, second] = counts.confusions();
    Some([value(measure, first)?, value(measure, second)?])
}

/// Compares two classifiers on the same rows.
///
/// A resample in which the score is undefined may be anything: it counts as the worst for the lower end of the interval
/// and as the best for the upper one.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`].
pub fn compare(
    counts: &Counts,
    measure: Measure,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    of_resamples(both(measure, counts), counts.rows(), plan, |random| {
        both(measure, &counts.resampled(random))
    })
}

/// Compares two classifiers that answered rows of their own, independent of each other. Each side's counts have the same
/// model in both places.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`].
pub fn compare_apart(
    first: &Counts,
    second: &Counts,
    measure: Measure,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let both = |first: &Counts, second: &Counts| {
        Some([value(measure, first.confusions()[0])?, value(measure, second.confusions()[1])?])
    };
    of_resamples(both(first, second), first.rows().min(second.rows()), plan, |random| {
        both(&first.resampled(random), &second.resampled(random))
    })
}

/// The scores with the interval that resamples give.
fn of_resamples(
    scores: Option<[f64; 2]>,
    rows: u64,
    plan: &Plan,
    resampled: impl Fn(&mut Random) -> Option<[f64; 2]>,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    if rows == 0 {
        return Err(ScoreError::NoRows);
    }
    let [first, second] = scores.ok_or(ScoreError::Undefined)?;
    let end = |undefined: f64| {
        let mut random = Random::new(plan.seed);
        let difference = || resampled(&mut random).map_or(undefined, |[first, second]| second - first);
        percentiles(std::iter::repeat_with(difference), plan).ok_or(ScoreError::Plan)
    };
    let (low, high) = (end(-1.0)?.low, end(1.0)?.high);
    let interval = crate::Interval { low, high, confidence: plan.confidence };
    Ok(FixedHorizon::new(ScorePair { first, second, interval, better: Better::Higher }))
}

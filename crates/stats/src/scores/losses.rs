//! Scores that are means of a loss by row, or the root of one: the lower the better.

use super::{Better, ScoreError, ScorePair};
use crate::{
    bootstrap::{Plan, percentiles},
    fixed_horizon::FixedHorizon,
    paired::PairedRow,
    random::Random,
};

/// How far predicted numbers are off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The root of the mean squared error.
    Rmse,
    /// The mean absolute error.
    Mae,
}

/// How good predicted probabilities are. Both are lowest for the true ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// Mean of `-ln p` of what came true, with `p` no closer to 0 than the machine's epsilon.
    LogLoss,
    /// Mean squared distance to what came true (0 or 1).
    Brier,
}

/// Compares predicted numbers. Costs `rows * resamples` draws.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`].
pub fn numbers(
    rows: &[PairedRow<f64>],
    error: Error,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let losses = rows.iter().map(|row| [error.loss(row.truth, row.first), error.loss(row.truth, row.second)]);
    compare(&losses.collect::<Vec<_>>(), error.finish(), plan)
}

/// Compares numbers that two models predicted for rows of their own, independent of each other; each row is the truth and
/// what was predicted. Costs `rows * resamples` draws.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`]. Rows of the second one count on after those of the first.
pub fn numbers_apart(
    first: &[(f64, f64)],
    second: &[(f64, f64)],
    error: Error,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let losses = |rows: &[(f64, f64)]| rows.iter().map(|row| error.loss(row.0, row.1)).collect::<Vec<_>>();
    compare_apart(&losses(first), &losses(second), error.finish(), plan)
}

/// Compares predicted probabilities. Costs `rows * resamples` draws.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`].
pub fn forecasts(
    rows: &[PairedRow<bool>],
    forecast: Forecast,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let probability = |p: f64| (0.0..=1.0).contains(&p);
    if let Some(row) = rows.iter().position(|row| !probability(row.first) || !probability(row.second)) {
        return Err(ScoreError::NotAProbability(row));
    }
    let losses =
        rows.iter().map(|row| [forecast.loss(row.truth, row.first), forecast.loss(row.truth, row.second)]);
    compare(&losses.collect::<Vec<_>>(), std::convert::identity, plan)
}

/// Compares probabilities that two models predicted for rows of their own, independent of each other; each row is the truth
/// and what was predicted. Costs `rows * resamples` draws.
///
/// # Errors
/// Says why there is no score; see [`ScoreError`]. Rows of the second one count on after those of the first.
pub fn forecasts_apart(
    first: &[(bool, f64)],
    second: &[(bool, f64)],
    forecast: Forecast,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let mut probabilities = first.iter().chain(second).map(|(_, p)| p);
    if let Some(row) = probabilities.position(|p| !(0.0..=1.0).contains(p)) {
        return Err(ScoreError::NotAProbability(row));
    }
    let losses =
        |rows: &[(bool, f64)]| rows.iter().map(|row| forecast.loss(row.0, row.1)).collect::<Vec<_>>();
    compare_apart(&losses(first), &losses(second), std::convert::identity, plan)
}

impl Error {
    fn loss(self, truth: f64, predicted: f64) -> f64 {
        let off = predicted - truth;
        match self {
            Self::Rmse => off * off,
            Self::Mae => off.abs(),
        }
    }

    fn finish(self) -> fn(f64) -> f64 {
        match self {
            Self::Rmse => f64::sqrt,
            Self::Mae => std::convert::identity,
        }
    }
}

impl Forecast {
    fn loss(self, truth: bool, p: f64) -> f64 {
        let of_what_came_true = if truth { p } else { 1.0 - p };
        match self {
            Self::LogLoss => -of_what_came_true.max(f64::EPSILON).ln(),
            Self::Brier => (1.0 - of_what_came_true).powi(2),
        }
    }
}

/// Losses by row, of the first and the second model; `finish` makes the score of their mean.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn compare(
    losses: &[[f64; 2]],
    finish: fn(f64) -> f64,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    let rows = losses.len();
    if rows == 0 {
        return Err(ScoreError::NoRows);
    }
    check(losses)?;
    let scores = |drawn: &mut dyn Iterator<Item = usize>| {
        let sums = drawn.fold([0.0, 0.0], |sums, row| [sums[0] + losses[row][0], sums[1] + losses[row][1]]);
        sums.map(|sum| finish(sum / rows as f64))
    };
    let [first, second] = scores(&mut (0..rows));
    let mut random = Random::new(plan.seed);
    let difference = || {
        let [first, second] = scores(&mut (0..rows).map(|_| random.below(rows)));
        second - first
    };
    let interval = percentiles(std::iter::repeat_with(difference), plan).ok_or(ScoreError::Plan)?;
    Ok(FixedHorizon::new(ScorePair { first, second, interval, better: Better::Lower }))
}

/// Whether each loss is finite and no sum of as many can overflow.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn check(losses: &[[f64; 2]]) -> Result<(), ScoreError> {
    let most = f64::MAX / losses.len().max(1) as f64;
    let unfit = |row: &[f64; 2]| row.iter().any(|loss| loss.is_nan() || *loss > most);
    losses.iter().position(unfit).map_or(Ok(()), |row| Err(ScoreError::NotFinite(row)))
}

/// Losses of rows of their own; `finish` makes the score of their mean.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn compare_apart(
    first: &[f64],
    second: &[f64],
    finish: fn(f64) -> f64,
    plan: &Plan,
) -> Result<FixedHorizon<ScorePair>, ScoreError> {
    if first.is_empty() || second.is_empty() {
        return Err(ScoreError::NoRows);
    }
    let both = |losses: &[f64]| losses.iter().map(|loss| [*loss; 2]).collect::<Vec<_>>();
    check(&both(&[first, second].concat()))?;
    let score = |losses: &[f64]| finish(losses.iter().sum::<f64>() / losses.len() as f64);
    let mut random = Random::new(plan.seed);
    let mut resampled = |losses: &[f64]| {
        let sum: f64 = (0..losses.len()).map(|_| losses[random.below(losses.len())]).sum();
        finish(sum / losses.len() as f64)
    };
    let difference = || {
        let first = resampled(first);
        resampled(second) - first
    };
    let interval = percentiles(std::iter::repeat_with(difference), plan).ok_or(ScoreError::Plan)?;
    Ok(FixedHorizon::new(ScorePair {
        first: score(first),
        second: score(second),
        interval,
        better: Better::Lower,
    }))
}

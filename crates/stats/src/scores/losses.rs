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
    let loss = |off: f64| match error {
        Error::Rmse => off * off,
        Error::Mae => off.abs(),
    };
    let losses = rows.iter().map(|row| [loss(row.first - row.truth), loss(row.second - row.truth)]);
    let finish = match error {
        Error::Rmse => f64::sqrt,
        Error::Mae => std::convert::identity,
    };
    compare(&losses.collect::<Vec<_>>(), finish, plan)
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
    let losses = rows.iter().map(|row| {
        [row.first, row.second].map(|p| {
            let of_what_came_true = if row.truth { p } else { 1.0 - p };
            match forecast {
                Forecast::LogLoss => -of_what_came_true.max(f64::EPSILON).ln(),
                Forecast::Brier => (1.0 - of_what_came_true).powi(2),
            }
        })
    });
    compare(&losses.collect::<Vec<_>>(), std::convert::identity, plan)
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

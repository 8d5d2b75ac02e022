//! The paired percentile bootstrap: how far a mean difference would move if other rows had been drawn.
//!
//! B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13. Rows are resampled as
//! pairs, so that what both models find hard stays hard for both. Draws come from [`Random`] and a seed: the
//! same data and seed give the same interval.
//! A bootstrap can only draw differences that it has seen: where few rows differ its interval is too narrow.

use crate::{binomial, interval::Interval, normal, paired::Paired, quantile::quantile, random::Random};

/// How often to resample, at which confidence, from which seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Number of resamples.
    pub resamples: usize,
    /// Confidence level between 0 and 1.
    pub confidence: f64,
    /// Seed of the random numbers.
    pub seed: u64,
}

/// 2000 resamples at 95 %.
impl Default for Plan {
    fn default() -> Self {
        Self { resamples: 2000, confidence: 0.95, seed: 1 }
    }
}

/// Percentile interval of the mean of `differences`, one per row (second minus first). `None` where there are
/// no rows or no resamples, or a difference is not finite.
///
/// Costs `rows * resamples` draws; for right-or-wrong rows [`accuracy`] gives the same distribution for less.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn mean(differences: &[f64], plan: &Plan) -> Option<Interval> {
    if differences.is_empty() || differences.iter().any(|d| !d.is_finite()) {
        return None;
    }
    let mut random = Random::new(plan.seed);
    let rows = differences.len();
    let resample = || (0..rows).map(|_| differences[random.below(rows)]).sum::<f64>() / rows as f64;
    percentiles(std::iter::repeat_with(resample), plan)
}

/// Most values that [`mean_of_many`] draws again.
const DRAWN: usize = 20_000;

/// Interval of the mean of any number of values: [`mean`] up to 20,000, and above that, where it is the same to the eye, that of
/// the normal approximation.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn mean_of_many(values: &[f64], plan: &Plan) -> Option<Interval> {
    if values.len() <= DRAWN {
        return mean(values, plan);
    }
    let rows = values.len() as f64;
    let middle = values.iter().sum::<f64>() / rows;
    let squares = values.iter().map(|value| (value - middle).powi(2)).sum::<f64>();
    let half = normal::quantile(f64::midpoint(1.0, plan.confidence)) * (squares / (rows - 1.0) / rows).sqrt();
    half.is_finite().then_some(Interval {
        low: middle - half,
        high: middle + half,
        confidence: plan.confidence,
    })
}

/// Percentile interval of the difference in accuracy. `None` where there are no rows or no resamples.
///
/// Drawing `n` rows with replacement and counting the discordant ones is a multinomial draw, which is made
/// directly: `b*` is binomial of `n` and `b/n`, `c*` given `b*` is binomial of `n - b*` and `c/(n - b)`. So the
/// cost does not grow with the rows.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn accuracy(paired: &Paired, plan: &Plan) -> Option<Interval> {
    let Paired { rows, only_first, only_second } = *paired;
    let others = rows.checked_sub(only_first)?;
    if rows == 0 || only_second > others {
        return None;
    }
    let mut random = Random::new(plan.seed);
    let p_first = only_first as f64 / rows as f64;
    let p_second = if others == 0 { 0.0 } else { only_second as f64 / others as f64 };
    let resample = || {
        let first = binomial::draw(&mut random, rows, p_first);
        let second = binomial::draw(&mut random, rows - first, p_second);
        (second as f64 - first as f64) / rows as f64
    };
    percentiles(std::iter::repeat_with(resample), plan)
}

/// The `(1 -+ confidence)/2` quantiles of the first `plan.resamples` values. `None` where there are none, or the
/// confidence is not between 0 and 1.
pub(crate) fn percentiles(values: impl Iterator<Item = f64>, plan: &Plan) -> Option<Interval> {
    if !(0.0..=1.0).contains(&plan.confidence) {
        return None;
    }
    let mut values: Vec<f64> = values.take(plan.resamples).collect();
    values.sort_by(f64::total_cmp);
    let tail = (1.0 - plan.confidence) / 2.0;
    let (low, high) = (quantile(&values, tail)?, quantile(&values, 1.0 - tail)?);
    Some(Interval { low, high, confidence: plan.confidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_interval_and_another_one_nearly_the_same() {
        let paired = Paired { rows: 2000, only_first: 40, only_second: 70 };
        let plan = Plan::default();
        let interval = accuracy(&paired, &plan).unwrap();
        assert_eq!(accuracy(&paired, &plan), Some(interval));
        let other = accuracy(&paired, &Plan { seed: 2, ..plan }).unwrap();
        assert!((interval.low - other.low).abs() < 2e-3 && (interval.high - other.high).abs() < 2e-3);
        // The normal approximation: 0.015 +- 1.96 * 0.005203.
        assert!((interval.low - 0.0048).abs() < 1e-3 && (interval.high - 0.0252).abs() < 1e-3, "{interval}");
    }

    #[test]
    fn counting_and_drawing_rows_agree() {
        let paired = Paired { rows: 500, only_first: 30, only_second: 10 };
        let mut rows = vec![0.0; 460];
        rows.extend([-1.0; 30]);
        rows.extend([1.0; 10]);
        let (by_count, by_row) =
            (accuracy(&paired, &Plan::default()).unwrap(), mean(&rows, &Plan::default()).unwrap());
        assert!((by_count.low - by_row.low).abs() <= 3e-3, "{by_count} {by_row}");
        assert!((by_count.high - by_row.high).abs() <= 3e-3, "{by_count} {by_row}");
    }

    #[test]
    fn nothing_to_draw_from_is_no_interval() {
        let plan = Plan::default();
        assert_eq!(mean(&[], &plan), None);
        assert_eq!(mean(&[1.0, f64::NAN], &plan), None);
        assert_eq!(accuracy(&Paired { rows: 0, only_first: 0, only_second: 0 }, &plan), None);
        assert_eq!(accuracy(&Paired { rows: 3, only_first: 2, only_second: 2 }, &plan), None);
        assert_eq!(mean(&[1.0], &Plan { resamples: 0, ..plan }), None);
        assert_eq!(mean(&[1.0], &Plan { confidence: f64::NAN, ..plan }), None);
    }
}

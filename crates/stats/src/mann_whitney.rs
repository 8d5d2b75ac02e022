//! The Mann-Whitney test: does one sample tend to larger values than another, and by how much?
//!
//! H. Mann and D. Whitney, "On a test of whether one of two random variables is stochastically larger than the other"
//! (Annals of Mathematical Statistics 18, 1947); the estimate of the shift and its interval are those of J. Hodges and
//! E. Lehmann, "Estimates of location based on rank tests" (Annals of Mathematical Statistics 34, 1963). Normal
//! approximation with the correction for ties (E. Lehmann, "Nonparametrics", 1975, section 1.3) and for continuity.
//!
//! The test statistic, seen as a function of the shift, is a staircase with a step at every pairwise difference. So its
//! roots are differences themselves and are found exactly; a root finder gets near to them only, from either side.

use std::fmt;

use crate::{differences::Differences, interval::Interval, normal, ranks::ties};

/// Values must be closer to zero than this, so that differences and sums stay finite.
pub const LARGEST: f64 = 1e300;

/// How the second of two samples lies to the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The Hodges-Lehmann estimate of the shift: the median of all differences, second minus first.
    pub estimate: f64,
    /// Interval of the shift; both ends are differences that occur.
    pub interval: Interval,
    /// Two-sided p-value of "no shift".
    pub p_value: f64,
    /// How often a value of the second is larger than one of the first, ties half: the common language effect size,
    /// `U / (m n)`.
    pub superiority: f64,
}

/// Why two samples cannot be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// One has no values.
    Empty,
    /// A value is NaN, infinite or beyond [`LARGEST`].
    NotFinite,
    /// All values are the same.
    AllTied,
    /// Not even the whole range of the differences holds the shift with the confidence that was asked for.
    TooFew,
}

/// As a fragment of a sentence.
impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a side has no values",
            Self::NotFinite => "a value is not finite",
            Self::AllTied => "all values are the same",
            Self::TooFew => "too few values for an interval of this confidence",
        })
    }
}

impl std::error::Error for Unfit {}

/// Compares two samples, in any order of their values.
///
/// # Errors
/// Says why they cannot be compared; see [`Unfit`].
pub fn compare(first: &[f64], second: &[f64], confidence: f64) -> Result<Comparison, Unfit> {
    let (first, second) = (sorted(first)?, sorted(second)?);
    let differences = Differences::of(&first, &second).ok_or(Unfit::Empty)?;
    let pooled = sorted(&[first.as_slice(), &second].concat())?;
    if pooled.first() >= pooled.last() {
        return Err(Unfit::AllTied);
    }
    let interval =
        interval(&differences, deviation(&first, &second, ties(&first) + ties(&second)), confidence)?;
    let last = differences.count() - 1;
    let estimate =
        f64::midpoint(differences.sorted_at(last / 2), differences.sorted_at(differences.count() / 2));
    let superiority = superiority(&differences);
    let distance = (superiority - 0.5).abs() * real(differences.count());
    let z = (distance - 0.5).max(0.0) / deviation(&first, &second, ties(&pooled));
    Ok(Comparison { estimate, interval, p_value: normal::erfc(z / std::f64::consts::SQRT_2), superiority })
}

/// The values in order.
fn sorted(values: &[f64]) -> Result<Vec<f64>, Unfit> {
    if values.iter().any(|value| value.is_nan() || value.abs() > LARGEST) {
        return Err(Unfit::NotFinite);
    }
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    Ok(values)
}

/// Standard deviation of U where no shift is left, for the given sum over ties: the root of
/// `m n / 12 ((m + n + 1) - ties / ((m + n)(m + n - 1)))`.
fn deviation(first: &[f64], second: &[f64], ties: f64) -> f64 {
    let (m, n) = (real(first.len() as u64), real(second.len() as u64));
    let all = m + n;
    (m * n / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)))).max(0.0).sqrt()
}

/// The shifts that the test would not reject. Between two neighbouring differences only values of the same sample can be
/// tied, so `deviation` is that of ties within the samples; beyond the lower end more than
/// `m n / 2 + 1/2 + z * deviation` differences lie above.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, below the count of pairs"
)]
fn interval(differences: &Differences<'_>, deviation: f64, confidence: f64) -> Result<Interval, Unfit> {
    let z = normal::quantile(f64::midpoint(1.0, confidence.clamp(0.0, 1.0)));
    let position = (real(differences.count()) / 2.0 - 0.5 - z * deviation).ceil();
    if position.is_nan() || position < 1.0 {
        return Err(Unfit::TooFew);
    }
    let at = position as u64 - 1;
    let low = differences.sorted_at(at);
    let high = differences.sorted_at(differences.count() - 1 - at);
    Ok(Interval { low, high, confidence })
}

/// The share of positive differences, those that are zero half.
fn superiority(differences: &Differences<'_>) -> f64 {
    let (not_larger, smaller) = (differences.at_most(0.0), differences.at_most(-f64::from_bits(1)));
    1.0 - f64::midpoint(real(not_larger), real(smaller)) / real(differences.count())
}

#[expect(clippy::cast_precision_loss, reason = "counts of pairs are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_with_ties_agree_with_scipy() {
        let (first, second) = ([1.0, 2.0, 2.0, 3.0, 5.0, 8.0], [4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 9.0]);
        let comparison = compare(&first, &second, 0.95).unwrap();
        let interval = Interval { low: 0.0, high: 7.0, confidence: 0.95 };
        assert_eq!(comparison.interval, interval);
        assert!((comparison.estimate - 4.0).abs() < 1e-12);
        assert!((comparison.p_value - 0.037_259_909_504_905_916).abs() < 1e-12, "{comparison:?}");
        assert!((comparison.superiority - 36.0 / 42.0).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_compared_says_why() {
        let some = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(compare(&[], &some, 0.95), Err(Unfit::Empty));
        assert_eq!(compare(&some, &[f64::NAN], 0.95), Err(Unfit::NotFinite));
        assert_eq!(compare(&[1.0; 7], &[1.0; 9], 0.95), Err(Unfit::AllTied));
        assert_eq!(compare(&[1.0], &[2.0], 0.95), Err(Unfit::TooFew));
        // Three against three cannot show a shift with 98 %, five against five can.
        assert_eq!(compare(&some[..3], &[7.0, 8.0, 9.0], 0.98), Err(Unfit::TooFew));
        assert!(compare(&some, &[6.0, 7.0, 8.0, 9.0, 10.0], 0.98).is_ok());
        for confidence in [1.0, 2.0, f64::NAN] {
            assert_eq!(compare(&some, &some.map(|x| x * 2.0), confidence), Err(Unfit::TooFew));
        }
    }

    #[test]
    fn many_points_need_no_room_for_their_pairs() {
        let first: Vec<f64> = (0..20_000).map(f64::from).collect();
        let second: Vec<f64> = first.iter().map(|x| x + 700.0).collect();
        let comparison = compare(&first, &second, 0.98).unwrap();
        assert!((comparison.estimate - 700.0).abs() < 1e-9 && comparison.interval.contains(700.0));
        assert!(comparison.p_value < 1e-12);
    }
}

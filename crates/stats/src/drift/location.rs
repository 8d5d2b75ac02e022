//! Tests of whether two samples lie at the same place: Student's and that of Mann and Whitney to one side.

use std::f64::consts::SQRT_2;

use super::{
    Tested,
    sample::{Sample, pooled, real},
};
use crate::{gamma::student_two_sided, normal};

/// Up to so many values of the smaller sample, and without ties, the p-value is exact.
const EXACT: usize = 8;

/// Student's test of equal means, for equal variances, to two sides; the statistic is reference minus current in standard
/// errors. `None` where there are fewer than three values in all, or both sides are the same constant: then it does not apply.
#[must_use]
pub fn student(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (real(reference.count()), real(current.count()));
    if reference.count() == 0 || current.count() == 0 || n + m < 3.0 {
        return None;
    }
    let degrees = n + m - 2.0;
    let variance = (reference.squares() + current.squares()) / degrees;
    let difference = reference.mean() - current.mean();
    if variance <= 0.0 && difference.abs() <= 0.0 {
        return None;
    }
    // Two different constants are infinitely many errors apart.
    let statistic = difference / (variance * (1.0 / n + 1.0 / m)).sqrt();
    Some(Tested { statistic, p_value: student_two_sided(statistic, degrees) })
}

/// The test of Mann and Whitney against "the reference is smaller": the statistic is U of the reference, the number of pairs
/// in which its value is the larger, ties half. `None` where a sample is empty.
///
/// H. Mann and D. Whitney (Annals of Mathematical Statistics 18, 1947); corrected for ties and continuity, exact for small
/// samples, as `scipy.stats.mannwhitneyu(alternative="less")`. Drift to smaller values never shows.
#[must_use]
pub fn mann_whitney_less(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (reference.count(), current.count());
    if n == 0 || m == 0 {
        return None;
    }
    let all = real(n + m);
    let (mut statistic, mut before, mut ties) = (0.0, 0, 0.0);
    for at in pooled(reference, current) {
        statistic += real(at.reference) * (real(before) + real(at.current) / 2.0);
        before += at.current;
        let tied = real(at.reference + at.current);
        ties += tied.powi(3) - tied;
    }
    let p_value = if ties <= 0.0 && n.min(m) <= EXACT {
        at_most(n, m, statistic)
    } else {
        let pairs = real(n) * real(m);
        let deviation = (pairs / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)))).sqrt();
        // Where all values are the same, none is smaller.
        let z = (pairs / 2.0 - statistic - 0.5) / deviation;
        if deviation > 0.0 { normal::erfc(z / SQRT_2) / 2.0 } else { 1.0 }
    };
    Some(Tested { statistic, p_value: p_value.clamp(0.0, 1.0) })
}

/// P(U <= u) of `n` and `m` values without ties: the number of ways in which they can lie is a product of polynomials.
fn at_most(n: usize, m: usize, u: f64) -> f64 {
    // Coefficients of the Gaussian binomial: how many orders have each U.
    let (small, large) = (n.min(m), n.max(m));
    let mut ways = vec![0.0; n * m + 1];
    ways[0] = 1.0;
    for factor in 1..=small {
        for at in (large + factor..ways.len()).rev() {
            ways[at] -= ways[at - large - factor];
        }
        for at in factor..ways.len() {
            ways[at] += ways[at - factor];
        }
    }
    let all: f64 = ways.iter().sum();
    let below = ways.iter().enumerate().take_while(|(at, _)| real(*at) <= u);
    below.map(|(_, ways)| ways).sum::<f64>() / all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::of(values.to_vec())
    }

    #[test]
    fn exact_tails_are_those_of_counting() {
        // Three and two: ten orders, one of which has U = 0, one U = 1, two U = 2.
        assert!((at_most(3, 2, 0.0) - 0.1).abs() < 1e-12 && (at_most(2, 3, 2.0) - 0.4).abs() < 1e-12);
        assert!((at_most(3, 2, 6.0) - 1.0).abs() < 1e-12);
        let tested = mann_whitney_less(&sample(&[1.0, 2.0, 4.0]), &sample(&[3.0, 5.0])).unwrap();
        assert!((tested.statistic - 1.0).abs() < 1e-12 && (tested.p_value - 0.2).abs() < 1e-12, "{tested:?}");
    }

    #[test]
    fn only_one_direction_is_seen() {
        let low: Vec<f64> = (0..50).map(f64::from).collect();
        let high: Vec<f64> = low.iter().map(|x| x + 40.0).collect();
        let up = mann_whitney_less(&sample(&low), &sample(&high)).unwrap();
        let down = mann_whitney_less(&sample(&high), &sample(&low)).unwrap();
        assert!(up.p_value < 1e-9 && down.p_value > 0.999, "{up:?} {down:?}");
    }

    #[test]
    fn what_does_not_apply_has_no_answer() {
        let constant = sample(&[2.0; 20]);
        assert_eq!(student(&constant, &constant), None);
        let other = student(&constant, &sample(&[3.0; 20])).unwrap();
        assert!(other.p_value <= 0.0 && other.statistic.is_infinite());
        assert_eq!(mann_whitney_less(&constant, &constant).map(|tested| tested.p_value), Some(1.0));
        assert_eq!(
            (student(&constant, &sample(&[])), mann_whitney_less(&sample(&[]), &constant)),
            (None, None)
        );
    }
}

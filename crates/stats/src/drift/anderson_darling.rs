//! The two-sample test of Anderson and Darling, which weighs the tails.
//!
//! F. Scholz and M. Stephens, "K-sample Anderson-Darling tests" (Journal of the American Statistical Association 82, 1987),
//! equation 7, for values that may be tied; as `scipy.stats.anderson_ksamp` with `variant="midrank"`.

use super::{
    Tested,
    sample::{Sample, pooled, real},
};

/// The published table ends at these levels.
const P_VALUES: (f64, f64) = (0.001, 0.25);
/// Statistics at the ends of the table.
const ENDS: (f64, f64) = (0.325, 6.546);

/// The standardised statistic, and its p-value between 0.001 and 0.25, where the published table ends. `None` where there
/// are fewer than four values in all, a sample is empty, or all values are the same.
#[must_use]
pub fn anderson_darling(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (real(reference.count()), real(current.count()));
    let all = n + m;
    if reference.count() == 0 || current.count() == 0 || all < 4.0 {
        return None;
    }
    let (mut below, mut of_reference, mut of_current) = (0.0, 0.0, 0.0);
    let mut sums = (0.0, 0.0);
    for at in pooled(reference, current) {
        let (one, other) = (real(at.reference), real(at.current));
        let tied = one + other;
        let middle = below + tied / 2.0;
        let weight = tied / all / (middle * (all - middle) - all * tied / 4.0);
        if weight.is_infinite() || weight.is_nan() {
            return None;
        }
        sums.0 += weight * (all * (of_reference + one / 2.0) - middle * n).powi(2);
        sums.1 += weight * (all * (of_current + other / 2.0) - middle * m).powi(2);
        (below, of_reference, of_current) = (below + tied, of_reference + one, of_current + other);
    }
    let raw = (all - 1.0) / all * (sums.0 / n + sums.1 / m);
    let statistic = (raw - 1.0) / variance(n, m, reference.count() + current.count()).sqrt();
    Some(Tested { statistic, p_value: p_value(statistic) })
}

/// The variance of the raw statistic of two samples that have one distribution.
fn variance(n: f64, m: f64, count: usize) -> f64 {
    let all = n + m;
    let sizes = 1.0 / n + 1.0 / m;
    // From the largest term on down, with the sum of 1/j for j > i on the way.
    let (mut harmonic, mut double) = (0.0, 0.0);
    for i in (1..count).rev() {
        if i + 1 < count {
            double += harmonic / (all - real(i));
        }
        harmonic += 1.0 / real(i);
    }
    let cubic = 4.0 * double - 6.0 + (10.0 - 6.0 * double) * sizes;
    let square = 12.0 * double + 8.0 * harmonic - 22.0 + (2.0 * double - 14.0 * harmonic - 4.0) * sizes;
    let linear = 36.0 * harmonic + 4.0 + (2.0 * harmonic - 6.0) * sizes;
    (cubic * all.powi(3) + square * all * all + linear * all + 24.0)
        / ((all - 1.0) * (all - 2.0) * (all - 3.0))
}

/// The quadratic through the table's logarithms.
fn p_value(statistic: f64) -> f64 {
    if statistic < ENDS.0 {
        P_VALUES.1
    } else if statistic > ENDS.1 {
        P_VALUES.0
    } else {
        let fitted = 0.018_198_094_574_111_5 * statistic * statistic
            - 1.008_226_564_465_25 * statistic
            - 1.077_770_279_780_20;
        fitted.exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_counted_as_scipy_counts_them() {
        let one = Sample::of([1, 2, 2, 5, 7, 8, 11].map(f64::from).to_vec());
        let other = Sample::of([2, 6, 9, 9, 12, 13, 14, 15, 3].map(f64::from).to_vec());
        let tested = anderson_darling(&one, &other).unwrap();
        assert!((tested.statistic - 1.680_282_814_660_127_4).abs() < 1e-12, "{tested:?}");
        assert!((tested.p_value - 0.065_842_058_828_647_09).abs() < 1e-9, "{tested:?}");
    }

    #[test]
    fn p_values_end_where_the_table_ends() {
        let low = Sample::of((0..100).map(f64::from).collect());
        let high = Sample::of((90..190).map(f64::from).collect());
        assert!((anderson_darling(&low, &low).unwrap().p_value - 0.25).abs() < 1e-15);
        assert!((anderson_darling(&low, &high).unwrap().p_value - 0.001).abs() < 1e-15);
        let constant = Sample::of(vec![1.0; 30]);
        assert_eq!(anderson_darling(&constant, &constant), None);
        assert_eq!(anderson_darling(&low, &Sample::of(vec![])), None);
    }
}

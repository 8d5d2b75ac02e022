//! The two-sample test of Kolmogorov and Smirnov: the largest distance between two empirical distributions.
//!
//! N. Smirnov, "On the estimation of the discrepancy between empirical curves of distribution for two independent samples"
//! (Bulletin of Moscow University 2, 1939). The exact p-value counts lattice paths (J. Hodges, "The significance
//! probability of the Smirnov two-sample test", Arkiv for Matematik 3, 1958), as `scipy.stats.ks_2samp` does.

use super::{
    Tested, kolmogorov,
    sample::{Sample, pooled, real},
};

/// Up to so many rows of the larger sample the p-value is exact.
const EXACT: usize = 10_000;

/// The distance and its two-sided p-value; `None` where a sample is empty. Ties make the p-value too large, never too small.
#[must_use]
pub fn kolmogorov_smirnov(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (reference.count(), current.count());
    if n == 0 || m == 0 {
        return None;
    }
    // In whole numbers, so that no rounding decides which step of the distribution it is.
    let (mut below, mut furthest) = (0_i128, 0_u128);
    for at in pooled(reference, current) {
        below += at.reference as i128 * m as i128 - at.current as i128 * n as i128;
        furthest = furthest.max(below.unsigned_abs());
    }
    let divisor = gcd(n, m);
    let statistic = ratio(furthest, n as u128 * m as u128);
    let p_value = if furthest == 0 {
        1.0
    } else if n.max(m) > EXACT {
        kolmogorov::survival(harmonic(n, m), statistic)
    } else if n == m {
        square(n, usize::try_from(furthest / n as u128).unwrap_or(n))
    } else {
        let height = i128::try_from(furthest / divisor as u128).unwrap_or(i128::MAX);
        Band { n, m, rise: (m / divisor) as i128, run: (n / divisor) as i128, height }.outside()
    };
    Some(Tested { statistic, p_value: p_value.clamp(0.0, 1.0) })
}

/// The size of the one sample whose distance from a known distribution is distributed about as this one.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and the smaller count"
)]
fn harmonic(n: usize, m: usize) -> u64 {
    (real(n) * (real(m) / (real(n) + real(m)))).round_ties_even() as u64
}

#[expect(clippy::cast_precision_loss, reason = "products of counts of rows are below 2^53 where it matters")]
fn ratio(part: u128, whole: u128) -> f64 {
    part as f64 / whole as f64
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Share of the paths from one corner of a square to the other that leave the diagonal by `height` or more, by the
/// principle of reflection.
fn square(n: usize, height: usize) -> f64 {
    let mut outside = 0.0;
    for k in (0..=n / height).rev() {
        let away = k * height;
        let share: f64 =
            (0..height).map(|j| (real(n) - real(away) - real(j)) / real(n + away + j + 1)).product();
        outside = share * (1.0 - outside);
    }
    2.0 * outside
}

/// The lattice of a rectangle, and the band about its diagonal.
struct Band {
    n: usize,
    m: usize,
    rise: i128,
    run: i128,
    /// From here on, in units of both steps, a path is outside.
    height: i128,
}

impl Band {
    /// Share of all paths that leave the band. A share that is passed on from cell to cell keeps its relative accuracy
    /// however small it is.
    fn outside(&self) -> f64 {
        // Of the row before, and from its left, of this one. Outside of the band all paths have left it.
        let mut row = vec![1.0; self.m + 1];
        for i in 0..=self.n {
            let (low, high) = self.inside(i);
            let mut left = 1.0;
            for (at, cell) in row[low..=high].iter_mut().enumerate() {
                let j = low + at;
                left = if i + j == 0 { 0.0 } else { (real(i) * *cell + real(j) * left) / real(i + j) };
                *cell = left;
            }
        }
        row[self.m]
    }

    /// The columns of a row that are inside: those with `|i * rise - j * run| < height`.
    fn inside(&self, row: usize) -> (usize, usize) {
        let at = row as i128 * self.rise;
        let low = (at - self.height).div_euclid(self.run) + 1;
        let high = (at + self.height - 1).div_euclid(self.run);
        let column = |at: i128| usize::try_from(at.clamp(0, self.m as i128)).unwrap_or(0);
        (column(low), column(high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: impl IntoIterator<Item = i32>) -> Sample {
        Sample::of(values.into_iter().map(f64::from).collect())
    }

    #[track_caller]
    fn check(reference: &Sample, current: &Sample, statistic: f64, p_value: f64) {
        let tested = kolmogorov_smirnov(reference, current).unwrap();
        assert!((tested.statistic - statistic).abs() < 1e-15, "{tested:?}");
        assert!((tested.p_value / p_value - 1.0).abs() < 1e-11, "{tested:?} is not {p_value:e}");
        let turned = kolmogorov_smirnov(current, reference).unwrap();
        assert!((turned.p_value / p_value - 1.0).abs() < 1e-11, "{turned:?}");
    }

    /// Every order in which the values of two samples can lie, counted.
    fn enumerated(n: usize, m: usize, statistic: f64) -> f64 {
        let (mut all, mut far) = (0_u32, 0_u32);
        for order in 0..1_u32 << (n + m) {
            if order.count_ones() as usize != n {
                continue;
            }
            all += 1;
            let (mut reference, mut current, mut furthest) = (0, 0, 0.0_f64);
            for at in 0..n + m {
                if order >> at & 1 == 1 {
                    reference += 1;
                } else {
                    current += 1;
                }
                furthest = furthest.max((real(reference) / real(n) - real(current) / real(m)).abs());
            }
            far += u32::from(furthest >= statistic - 1e-9);
        }
        f64::from(far) / f64::from(all)
    }

    #[test]
    fn exact_p_values_are_those_of_counting_every_order() {
        for (n, m) in [(3, 5), (6, 6), (4, 6), (1, 7), (8, 5)] {
            for shift in 0..9 {
                let (reference, current) = (sample(0..n), sample((0..m).map(|x| 2 * x + shift)));
                let (rows, others) = (reference.count(), current.count());
                let tested = kolmogorov_smirnov(&reference, &current).unwrap();
                let counted = enumerated(rows, others, tested.statistic);
                assert!((tested.p_value - counted).abs() < 1e-12, "{n} {m} {shift}: {tested:?}, {counted}");
            }
        }
    }

    #[test]
    fn small_p_values_keep_their_accuracy() {
        // All of one lie below all of the other: two of the orders.
        let orders: f64 = (1..=40).map(|k| f64::from(40 + k) / f64::from(k)).product();
        check(&sample(0..40), &sample(100..140), 1.0, 2.0 / orders);
        let orders: f64 = (1..=30).map(|k| f64::from(50 + k) / f64::from(k)).product();
        check(&sample(0..50), &sample(100..130), 1.0, 2.0 / orders);
    }

    #[test]
    fn equal_samples_do_not_differ_and_empty_ones_are_not_compared() {
        check(&sample(0..9), &sample((0..9).chain(0..9)), 0.0, 1.0);
        assert_eq!(kolmogorov_smirnov(&sample(0..9), &sample([])), None);
    }

    #[test]
    fn large_samples_are_those_of_scipy() {
        let steps = |n: i32, by: i32, from: i32| sample((0..n).map(move |x| by * x + from));
        check(
            &steps(10_001, 3, 0),
            &steps(3_000, 10, 300),
            0.010_065_626_770_656_267,
            0.971_667_324_698_799_8,
        );
    }
}

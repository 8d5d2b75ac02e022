//! The two-sample test of Cramer and von Mises: the mean squared distance of the distribution functions.
//!
//! T. Anderson, "On the distribution of the two-sample Cramer-von Mises criterion" (Annals of Mathematical Statistics 33,
//! 1962); limit distribution of T. Anderson and D. Darling (1952), as `scipy.stats.cramervonmises_2samp`.

use std::{collections::BTreeMap, f64::consts::PI};

use super::{
    Tested,
    sample::{Sample, pooled, real},
};
use crate::gamma::ln_gamma;

/// A term below this ends the series of the limit distribution, as in scipy: p-values below it are rounding.
const LAST_TERM: f64 = 1e-7;
/// Up to so many values of the larger sample every order of the values is counted.
const EXACT: usize = 20;
/// Fewest values of a sample.
const FEWEST: usize = 2;

/// The statistic T and its p-value, exact for small samples and by the limit distribution for others; `None` where a sample
/// has fewer than two values, or all values are the same, in which case it does not apply.
#[must_use]
pub fn cramer_von_mises(reference: &Sample, current: &Sample) -> Option<Tested> {
    let (n, m) = (real(reference.count()), real(current.count()));
    let all = n + m;
    if reference.count().min(current.count()) < FEWEST {
        return None;
    }
    let mut sums = (0.0, 0.0);
    let (mut before, mut of_reference, mut of_current) = (0.0, 0.0, 0.0);
    let mut values = 0_u32;
    for at in pooled(reference, current) {
        let (one, other) = (real(at.reference), real(at.current));
        let rank = before + f64::midpoint(one + other, 1.0);
        sums.0 += squares(rank - of_reference, at.reference);
        sums.1 += squares(rank - of_current, at.current);
        (before, of_reference, of_current) = (before + one + other, of_reference + one, of_current + other);
        values = values.saturating_add(1);
    }
    if values < 2 {
        return None;
    }
    let pairs = n * m;
    let larger = reference.count().max(current.count());
    let statistic = (n * sums.0 + m * sums.1) / (pairs * all) - (4.0 * pairs - 1.0) / (6.0 * all);
    if larger <= EXACT {
        return Some(Tested { statistic, p_value: exact(reference.count(), current.count(), statistic) });
    }
    let variance =
        (all + 1.0) * (4.0 * pairs * all - 3.0 * (n * n + m * m) - 2.0 * pairs) / (180.0 * all * all * pairs);
    let standard = 1.0 / 6.0 + (statistic - (1.0 + 1.0 / all) / 6.0) / (45.0 * variance).sqrt();
    // So small a statistic that even its limit is negative: nothing is closer.
    let p_value = if standard < 0.003 { 1.0 } else { (1.0 - limit(standard)).max(0.0) };
    Some(Tested { statistic, p_value })
}

/// The sum of `(start - i)^2` for i from 1 to `count`.
fn squares(start: f64, count: usize) -> f64 {
    (1..=count).map(|i| (start - real(i)).powi(2)).sum()
}

/// P(T >= statistic), by counting how many orders of the values have each sum of squared distances (Y. Xiao, A. Gordon and
/// A. Yakovlev, "A C++ program for the Cramer-von Mises two-sample test", Journal of Statistical Software 17, 2007).
fn exact(n: usize, m: usize, statistic: f64) -> f64 {
    // Orders up to a point that has i values of one and j of the other, by their sum in units of 1/(n m)^2.
    let mut row: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); m + 1];
    for i in 0..=n {
        for j in 0..=m {
            let distance = (i * m).abs_diff(j * n);
            let mut here = BTreeMap::new();
            if i + j == 0 {
                here.insert(0, 1.0);
            }
            let left = if j > 0 { std::mem::take(&mut row[j - 1]) } else { BTreeMap::new() };
            let above = if i > 0 { std::mem::take(&mut row[j]) } else { BTreeMap::new() };
            for (sum, ways) in left.iter().chain(&above) {
                *here.entry(sum + distance * distance).or_insert(0.0) += ways;
            }
            if j > 0 {
                row[j - 1] = left;
            }
            row[j] = here;
        }
    }
    let (all, pairs) = (real(n + m), real(n * m));
    // A hair less, so that rounding does not leave out the sum itself.
    let bound = statistic * all * all * pairs * (1.0 - 1e-12);
    let orders: f64 = row[m].values().sum();
    let beyond: f64 = row[m].iter().filter(|(sum, _)| real(**sum) >= bound).map(|(_, ways)| ways).sum();
    beyond / orders
}

/// P(W <= x) of the limit distribution: a series with the modified Bessel function of order 1/4.
fn limit(x: f64) -> f64 {
    let mut total = 0.0;
    for k in 0..200_u32 {
        let y = 4.0 * f64::from(k) + 1.0;
        let q = y * y / (16.0 * x);
        let ways = (ln_gamma(f64::from(k) + 0.5) - ln_gamma(f64::from(k) + 1.0)).exp() / PI.powf(1.5);
        let term = ways / x.sqrt() * y.sqrt() * (-q).exp() * bessel_k_quarter(q);
        total += term;
        if term < LAST_TERM {
            break;
        }
    }
    total.min(1.0)
}

/// The modified Bessel function of the second kind of order 1/4: the integral of `exp(-q cosh t) cosh(t/4)` over positive t
/// (10.32.9 of the Digital Library of Mathematical Functions), which the trapezoidal rule takes to the last digit.
fn bessel_k_quarter(q: f64) -> f64 {
    const STEP: f64 = 1.0 / 32.0;
    let at = |t: f64| (-q * t.cosh()).exp() * (t / 4.0).cosh();
    let mut total = at(0.0) / 2.0;
    let mut t = STEP;
    loop {
        let next = at(t);
        total += next;
        if next <= total * 1e-18 {
            return total * STEP;
        }
        t += STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bessel_function_agrees_with_tables() {
        // scipy.special.kv(0.25, q)
        let table = [
            (0.1, 2.685_156_871_876_055_5),
            (1.0, 0.430_739_774_448_581_4),
            (10.0, 1.783_318_443_980_639_5e-5),
        ];
        for (q, expect) in table {
            assert!((bessel_k_quarter(q) / expect - 1.0).abs() < 1e-13, "{q}: {}", bessel_k_quarter(q));
        }
    }

    #[test]
    fn the_limit_has_the_published_points() {
        // Anderson and Darling, table 1.
        for (x, p) in [(0.34730, 0.90), (0.46136, 0.95), (0.74346, 0.99), (1.16786, 0.999)] {
            assert!((limit(x) - p).abs() < 2e-5, "{x}: {}", limit(x));
        }
    }

    #[test]
    fn small_samples_are_counted() {
        // Of the ten orders of three and two, the two that keep the samples apart have the largest statistic.
        let (low, high) = (Sample::of(vec![1.0, 2.0, 3.0]), Sample::of(vec![4.0, 5.0]));
        let tested = cramer_von_mises(&low, &high).unwrap();
        assert!((tested.p_value - 0.2).abs() < 1e-12, "{tested:?}");
        let mixed = Sample::of(vec![1.5, 2.5]);
        assert!((cramer_von_mises(&low, &mixed).unwrap().p_value - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_does_not_apply_has_no_answer() {
        let (constant, few) = (Sample::of(vec![3.0; 40]), Sample::of(vec![1.0]));
        assert_eq!(cramer_von_mises(&constant, &constant), None);
        assert_eq!(cramer_von_mises(&few, &constant), None);
    }
}

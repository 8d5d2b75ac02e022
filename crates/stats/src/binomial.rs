//! The binomial distribution: the number of successes in `n` independent trials of probability `p`.

use std::f64::consts::PI;

use crate::random::Random;

/// Natural logarithm of `n!`, with a relative error below 1e-15.
///
/// Stirling's series (NIST Digital Library of Mathematical Functions 5.11.1) from 16 on, where five terms leave
/// less than 1e-16; the product itself below.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn ln_factorial(n: u64) -> f64 {
    if n < 16 {
        return (2..=n).map(|k| k as f64).product::<f64>().ln();
    }
    let x = n as f64;
    let inverse_square = 1.0 / (x * x);
    let series = (1.0 / 12.0
        - inverse_square
            * (1.0 / 360.0
                - inverse_square
                    * (1.0 / 1260.0 - inverse_square * (1.0 / 1680.0 - inverse_square / 1188.0))))
        / x;
    x * x.ln() - x + 0.5 * (2.0 * PI * x).ln() + series
}

/// P(X = k): `n! / (k! (n-k)!) p^k (1-p)^(n-k)`; 0 for `k > n`. NaN where `p` is not in [0, 1].
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn pmf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k > n {
        return 0.0;
    }
    // ln(0) * 0 is not 0 for the machine, so the two certain cases stand apart.
    if p <= 0.0 || p >= 1.0 {
        let certain = if p <= 0.0 { 0 } else { n };
        return if k == certain { 1.0 } else { 0.0 };
    }
    let choose = ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    (choose + k as f64 * p.ln() + (n - k) as f64 * (-p).ln_1p()).exp()
}

/// P(X <= k), the sum of [`pmf`] from `k` downwards; 1 for `k >= n`. NaN where `p` is not in [0, 1].
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub fn cdf(k: u64, n: u64, p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    // Above the mean the terms grow downwards, so the other tail is summed: P(X <= k) = 1 - P(n-X <= n-k-1).
    if k as f64 > n as f64 * p {
        return 1.0 - lower_tail(n - k - 1, n, 1.0 - p);
    }
    lower_tail(k, n, p)
}

/// The sum of terms that fall from `k` downwards, each by the recurrence
/// `P(i-1) = P(i) * i/(n-i+1) * (1-p)/p`, until they no longer count.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn lower_tail(k: u64, n: u64, p: f64) -> f64 {
    let odds = (1.0 - p) / p;
    let mut term = pmf(k, n, p);
    let mut sum = term;
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64 * odds;
        sum += term;
        if term < sum * 1e-18 {
            break;
        }
    }
    sum.min(1.0)
}

/// Draws X. Inversion from the mode outwards: about `sqrt(n p (1-p))` steps, whatever `n`.
///
/// Each of `0..=n` owns a stretch of [0, 1) as long as its probability; the stretches are laid out from the
/// mode, then one below, one above, and so on. `p` is taken into [0, 1].
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the mode lies in 0..=n")]
pub fn draw(random: &mut Random, n: u64, p: f64) -> u64 {
    let p = p.clamp(0.0, 1.0);
    if p <= 0.0 || n == 0 {
        return 0;
    }
    if p >= 1.0 {
        return n;
    }
    let mode = (((n + 1) as f64 * p) as u64).min(n);
    let odds = p / (1.0 - p);
    let (mut low, mut high) = (mode, mode);
    let at_mode = pmf(mode, n, p);
    let (mut p_low, mut p_high) = (at_mode, at_mode);
    let mut left = random.unit() - at_mode;
    while left >= 0.0 && (low > 0 || high < n) {
        if low > 0 {
            p_low *= low as f64 / (n - low + 1) as f64 / odds;
            low -= 1;
            left -= p_low;
            if left < 0.0 {
                return low;
            }
        }
        if high < n {
            p_high *= (n - high) as f64 / (high + 1) as f64 * odds;
            high += 1;
            left -= p_high;
            if left < 0.0 {
                return high;
            }
        }
        // What is left is the rounding of the sum; no further value is worth a step.
        if p_low + p_high < 1e-300 {
            break;
        }
    }
    mode
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(actual: f64, expect: f64) {
        assert!((actual - expect).abs() <= 1e-12 * expect.abs(), "{actual} is not {expect}");
    }

    #[test]
    fn factorials_agree_with_their_product() {
        check(ln_factorial(0).exp(), 1.0);
        check(ln_factorial(15), 27.899_271_383_840_89);
        check(ln_factorial(16), 30.671_860_106_080_672);
        check(ln_factorial(100), 363.739_375_555_563_5);
    }

    #[test]
    fn probabilities_agree_with_tables() {
        check(pmf(5, 10, 0.5), 0.246_093_75);
        check(pmf(3, 20, 0.1), 0.190_119_871_376_198_9);
        check(cdf(5, 10, 0.5), 0.623_046_875);
        check(cdf(10, 35, 0.5), 0.008_336_923_900_060_35);
        check(pmf(11, 10, 0.5), 0.0);
        check(cdf(3, 10, 0.0), 1.0);
        check(cdf(3, 10, 1.0), 0.0);
        assert!(pmf(1, 10, f64::NAN).is_nan() && cdf(1, 10, 1.5).is_nan());
    }

    #[test]
    fn draws_have_the_mean_and_spread_of_the_distribution() {
        for (n, p) in [(10, 0.3), (1_000_000, 0.05), (50, 0.999), (3, 1e-9)] {
            let mut random = Random::new(7);
            let count = 4000;
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let draws: Vec<f64> = (0..count).map(|_| draw(&mut random, n, p) as f64).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(count);
            let spread = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / f64::from(count);
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let (expected, variance) = (n as f64 * p, n as f64 * p * (1.0 - p));
            assert!((mean - expected).abs() < 5.0 * (variance / f64::from(count)).sqrt(), "{n} {p}: {mean}");
            assert!((spread - variance).abs() <= 0.15 * variance + 1e-3, "{n} {p}: {spread} {variance}");
        }
    }

    proptest! {
        #[test]
        fn both_tails_make_one(n in 1_u64..5000, k in 0_u64..5000, p in 0.001..0.999_f64) {
            let k = k.min(n);
            let (below, above) = (cdf(k, n, p), cdf(n - k, n, 1.0 - p));
            prop_assert!((below + above - pmf(k, n, p) - 1.0).abs() < 1e-9, "{below} {above}");
            prop_assert!(draw(&mut Random::new(k), n, p) <= n);
        }
    }
}

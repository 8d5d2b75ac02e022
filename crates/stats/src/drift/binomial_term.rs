//! A binomial probability with full relative accuracy for any number of trials.
//!
//! C. Loader, "Fast and accurate computation of binomial probabilities" (2000): a probability is a product of deviances, so
//! that no large logarithms cancel.

use std::f64::consts::PI;

use crate::gamma::ln_gamma;

/// The probability of `k` successes in `n` trials whose mean number of successes is `mean`, from 0 to n.
pub(super) fn probability(k: u64, n: u64, mean: f64) -> f64 {
    let (k, n) = (real(k), real(n));
    let failures = n - mean;
    if k <= 0.0 {
        return (n * (-mean / n).ln_1p()).exp();
    }
    if k >= n {
        return (n * (-failures / n).ln_1p()).exp();
    }
    let exponent = rest(n) - rest(k) - rest(n - k) - deviance(k, mean) - deviance(n - k, failures.max(0.0));
    exponent.exp() * (n / (2.0 * PI * k * (n - k))).sqrt()
}

/// `ln k! - ln(sqrt(2 pi k) (k/e)^k)`.
fn rest(k: f64) -> f64 {
    if k < 16.0 {
        return ln_gamma(k + 1.0) - (k + 0.5) * k.ln() + k - 0.5 * (2.0 * PI).ln();
    }
    let square = 1.0 / (k * k);
    (1.0 / 12.0
        - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))))
        / k
}

/// `k ln(k/mean) + mean - k`, by a series where both are close.
fn deviance(k: f64, mean: f64) -> f64 {
    let difference = k - mean;
    if difference.abs() >= 0.1 * (k + mean) {
        return if mean > 0.0 { k * (k / mean).ln() + mean - k } else { f64::INFINITY };
    }
    let ratio = difference / (k + mean);
    let mut sum = difference * ratio;
    let mut term = 2.0 * k * ratio;
    let mut odd = 3.0;
    loop {
        term *= ratio * ratio;
        let next = sum + term / odd;
        if (next - sum).abs() <= sum.abs() * 1e-17 {
            return next;
        }
        sum = next;
        odd += 2.0;
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_agree_with_their_definition() {
        for (k, n, p) in [(0, 5, 0.3), (2, 5, 0.3), (5, 5, 0.3), (40, 100, 0.5), (3, 40, 0.9)] {
            let ways: f64 = (0..k).map(|i| (real(n) - real(i)) / real(k - i)).product();
            let plain = ways * p_power(p, k) * p_power(1.0 - p, n - k);
            let found = probability(k, n, real(n) * p);
            assert!((found / plain - 1.0).abs() < 1e-12, "{k} of {n}: {found:e} is not {plain:e}");
        }
    }

    #[test]
    fn they_add_up_to_one() {
        for (n, mean) in [(1_000_u64, 3.7), (100_000, 51_234.5)] {
            let sum: f64 = (0..=n).map(|k| probability(k, n, mean)).sum();
            assert!((sum - 1.0).abs() < 1e-11, "{n}: {sum}");
        }
    }

    fn p_power(p: f64, k: u64) -> f64 {
        p.powi(i32::try_from(k).unwrap())
    }
}

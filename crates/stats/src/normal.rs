//! The standard normal distribution and its square.

use std::f64::consts::{PI, SQRT_2};

/// From here on the continued fraction for `erfc` converges faster than the series for `erf`.
const SERIES_LIMIT: f64 = 2.5;

/// The complementary error function: `erfc(x) = 2/sqrt(pi) * integral of exp(-t^2) from x to infinity`.
///
/// Relative error below 1e-13 where the result is not subnormal. Series and continued fraction are 7.6.2 and
/// 7.9.2 of the NIST Digital Library of Mathematical Functions. NaN gives NaN.
pub fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        2.0 - erfc(-x)
    } else if x < SERIES_LIMIT {
        1.0 - erf_series(x)
    } else {
        erfc_fraction(x)
    }
}

/// `erf(x) = 2/sqrt(pi) * exp(-x^2) * sum over n of 2^n x^(2n+1) / (1*3*...*(2n+1))`; all terms are positive.
fn erf_series(x: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term > sum * 1e-17 {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    2.0 / PI.sqrt() * (-x * x).exp() * sum
}

/// `erfc(x) = exp(-x^2)/sqrt(pi) / (x + (1/2)/(x + 1/(x + (3/2)/(x + ...))))`, from the inside out.
fn erfc_fraction(x: f64) -> f64 {
    let mut tail = x;
    for k in (1..=100).rev() {
        tail = x + f64::from(k) / 2.0 / tail;
    }
    (-x * x).exp() / PI.sqrt() / tail
}

/// P(Z <= z) of the standard normal distribution.
pub fn cdf(z: f64) -> f64 {
    erfc(-z / SQRT_2) / 2.0
}

/// The `z` with P(Z <= z) = `p`: infinite at 0 and 1, NaN outside.
///
/// Found by bisection of [`cdf`] on the side where it is small, so its relative error is that of `erfc`.
pub fn quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    let (mut low, mut high) = (-40.0, 0.0);
    for _ in 0..80 {
        let middle = f64::midpoint(low, high);
        if cdf(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// P(X >= x) of the chi-squared distribution with one degree of freedom, that of Z^2.
pub fn chi_squared_1_survival(x: f64) -> f64 {
    if x <= 0.0 { 1.0 } else { erfc((x / 2.0).sqrt()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(actual: f64, expect: f64) {
        assert!((actual - expect).abs() <= 1e-11 * expect.abs(), "{actual} is not {expect}");
    }

    #[test]
    fn tails_agree_with_tables() {
        check(erfc(0.5), 0.479_500_122_186_953_5);
        check(erfc(1.0), 0.157_299_207_050_285_13);
        check(erfc(2.5), 4.069_520_174_449_589e-4);
        check(erfc(5.0), 1.537_459_794_428_035e-12);
        check(erfc(-1.0), 1.842_700_792_949_715);
        check(cdf(1.959_963_984_540_054), 0.975);
        check(cdf(-6.0), 9.865_876_450_376_946e-10);
        assert!(erfc(f64::NAN).is_nan());
    }

    #[test]
    fn quantiles_invert_the_distribution() {
        check(quantile(0.975), 1.959_963_984_540_054);
        check(quantile(0.025), -1.959_963_984_540_054);
        check(quantile(1e-10), -6.361_340_902_404_056);
        assert!(quantile(0.5).abs() < 1e-15);
        assert!(quantile(0.0).is_infinite() && quantile(1.5).is_nan() && quantile(f64::NAN).is_nan());
    }

    #[test]
    fn chi_squared_of_one_degree() {
        check(chi_squared_1_survival(3.841_458_820_694_124), 0.05);
        check(chi_squared_1_survival(5.6), 0.017_960_477_526_078_8);
        check(chi_squared_1_survival(0.0), 1.0);
    }
}

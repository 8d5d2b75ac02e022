//! The incomplete gamma and beta functions, and the tails of the distributions that they give: chi-squared and Student's.

use std::f64::consts::PI;

/// Terms of a series or fraction after which it has long converged for every count of rows that fits in memory.
const MAX_TERMS: u32 = 100_000;
/// A relative change below this no longer moves a result.
const EPSILON: f64 = 1e-16;
/// What stands in for zero in a continued fraction, after Lentz.
const TINY: f64 = 1e-300;

/// Natural logarithm of the gamma function for `x > 0`; NaN otherwise.
///
/// Stirling's series (NIST Digital Library of Mathematical Functions 5.11.1), where needed after moving up by
/// `ln gamma(x) = ln gamma(x + 1) - ln x`.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return f64::NAN;
    }
    let (mut x, mut product) = (x, 1.0);
    while x < 16.0 {
        product *= x;
        x += 1.0;
    }
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * PI).ln() + stirling_rest(x) - product.ln()
}

/// What Stirling's formula leaves: `ln gamma(x) - ((x - 1/2) ln x - x + ln(2 pi)/2)`, for `x >= 16`.
fn stirling_rest(x: f64) -> f64 {
    let square = 1.0 / (x * x);
    (1.0 / 12.0
        - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))))
        / x
}

/// `ln(gamma(x + 1/2) / gamma(x))` for `x > 0`, without the cancellation of two large logarithms.
fn ln_half_step(x: f64) -> f64 {
    if x < 64.0 {
        return ln_gamma(x + 0.5) - ln_gamma(x);
    }
    x * (0.5 / x).ln_1p() - 0.5 + 0.5 * x.ln() + stirling_rest(x + 0.5) - stirling_rest(x)
}

/// P(X >= x) of the chi-squared distribution with `degrees` degrees of freedom (1 or more).
///
/// The regularised upper incomplete gamma function Q(degrees/2, x/2): its series (8.7.1) below the mean, else its
/// continued fraction (8.9.2 of the Digital Library of Mathematical Functions). Relative error below 1e-11.
#[must_use]
pub fn chi_squared_survival(x: f64, degrees: u32) -> f64 {
    if x.is_nan() || degrees == 0 {
        return f64::NAN;
    }
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    let (a, x) = (f64::from(degrees) / 2.0, x / 2.0);
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 { 1.0 - front * gamma_series(a, x) } else { front * gamma_fraction(a, x) }
}

/// The sum of `x^n / (a (a+1) ... (a+n))`.
fn gamma_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut at) = (1.0 / a, 1.0 / a, a);
    for _ in 0..MAX_TERMS {
        at += 1.0;
        term *= x / at;
        sum += term;
        if term < sum * EPSILON {
            break;
        }
    }
    sum
}

/// `1/(x+1-a- 1(1-a)/(x+3-a- 2(2-a)/(x+5-a- ...)))`.
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let mut fraction = Lentz::starting(x + 1.0 - a);
    for k in 1..MAX_TERMS {
        let k = f64::from(k);
        if fraction.next(-k * (k - a), x + 1.0 - a + 2.0 * k) {
            break;
        }
    }
    1.0 / fraction.value
}

/// P(|T| >= |t|) of Student's distribution with `degrees` degrees of freedom (above 0): I(degrees/2, 1/2) at
/// `degrees/(degrees + t^2)`.
#[must_use]
pub fn student_two_sided(t: f64, degrees: f64) -> f64 {
    if t.is_nan() || degrees.is_nan() || degrees <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    beta_half(degrees / 2.0, square / degrees)
}

/// The regularised incomplete beta function I(a, 1/2) at `x = 1/(1 + odds)`: the continued fraction 8.17.22 of the Digital
/// Library of Mathematical Functions, on the side where it converges.
fn beta_half(a: f64, odds: f64) -> f64 {
    if odds <= 0.0 {
        return 1.0;
    }
    let (x, rest) = (1.0 / (1.0 + odds), odds / (1.0 + odds));
    // 1/B(a, 1/2) = gamma(a + 1/2) / (gamma(a) sqrt(pi)).
    let front = (0.5 * rest.ln() - a * odds.ln_1p() + ln_half_step(a)).exp() / PI.sqrt();
    if x < (a + 1.0) / (a + 2.5) {
        front * beta_fraction(a, 0.5, x) / a
    } else {
        1.0 - front * beta_fraction(0.5, a, rest) / 0.5
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    let mut fraction = Lentz::starting(1.0);
    for step in 0..MAX_TERMS {
        let m = f64::from(step / 2);
        let numerator = if step % 2 == 0 {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        } else {
            let m = m + 1.0;
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        };
        if fraction.next(numerator, 1.0) {
            break;
        }
    }
    1.0 / fraction.value
}

/// A continued fraction `b0 + a1/(b1 + a2/(b2 + ...))` from the outside in (W. Lentz, "Generating Bessel functions in Mie
/// scattering calculations using continued fractions", Applied Optics 15, 1976; as modified by Thompson and Barnett).
struct Lentz {
    value: f64,
    numerators: f64,
    denominators: f64,
}

impl Lentz {
    fn starting(b: f64) -> Self {
        let value = not_zero(b);
        Self { value, numerators: value, denominators: 0.0 }
    }

    /// Takes the next pair; says whether it no longer changed anything.
    fn next(&mut self, a: f64, b: f64) -> bool {
        self.denominators = 1.0 / not_zero(b + a * self.denominators);
        self.numerators = not_zero(b + a / self.numerators);
        let factor = self.numerators * self.denominators;
        self.value *= factor;
        (factor - 1.0).abs() < EPSILON
    }
}

fn not_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(actual: f64, expect: f64) {
        assert!((actual - expect).abs() <= 1e-11 * expect.abs(), "{actual:e} is not {expect:e}");
    }

    #[test]
    fn logarithms_of_the_gamma_function() {
        close(ln_gamma(0.5), PI.sqrt().ln());
        close(ln_gamma(10.0), 362_880_f64.ln());
        close(ln_gamma(100.5), 361.435_540_467_777_6);
        assert!(ln_gamma(1.0).abs() < 1e-14 && ln_gamma(0.0).is_nan() && ln_gamma(f64::NAN).is_nan());
        close(ln_half_step(100.0), ln_gamma(100.5) - ln_gamma(100.0));
    }

    #[test]
    fn chi_squared_tails_agree_with_their_closed_forms() {
        // With two degrees of freedom it is an exponential, with four a Poisson count of at most one.
        close(chi_squared_survival(3.0, 2), (-1.5_f64).exp());
        close(chi_squared_survival(80.0, 2), (-40.0_f64).exp());
        close(chi_squared_survival(80.0, 4), (-40.0_f64).exp() * 41.0);
        close(chi_squared_survival(1.0, 4), (-0.5_f64).exp() * 1.5);
        for x in [0.1, 1.0, 3.84, 30.0, 90.0] {
            close(chi_squared_survival(x, 1), crate::normal::chi_squared_1_survival(x));
        }
        assert!((chi_squared_survival(0.0, 3) - 1.0).abs() < 1e-15);
        assert!(chi_squared_survival(f64::INFINITY, 3) <= 0.0 && chi_squared_survival(f64::NAN, 3).is_nan());
    }

    #[test]
    fn student_tails_agree_with_their_closed_forms() {
        // One degree of freedom is Cauchy's distribution, two have a root, and many the normal distribution.
        for t in [0.01, 0.5, 2.0, 30.0] {
            close(student_two_sided(t, 1.0), 2.0 / PI * (1.0 / t).atan());
            let root = (2.0_f64 + t * t).sqrt();
            close(student_two_sided(-t, 2.0), 2.0 / (root * (root + t)));
        }
        let many = student_two_sided(5.0, 1e9);
        assert!((many / crate::normal::erfc(5.0 / 2.0_f64.sqrt()) - 1.0).abs() < 1e-6, "{many:e}");
        assert!((student_two_sided(0.0, 5.0) - 1.0).abs() < 1e-15);
    }
}

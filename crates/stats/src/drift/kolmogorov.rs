//! The distribution of Kolmogorov's distance: how far the empirical distribution of `n` draws lies from the true one.
//!
//! Which method is taken where follows R. Simard and P. L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution"
//! (Journal of Statistical Software 39, 2011).

use std::f64::consts::PI;

use super::binomial_term;

/// Up to here in `n d^2`, twice the one-sided tail is not exact enough.
const TWO_SIDES: f64 = 2.2;
/// The same for small samples.
const TWO_SIDES_SMALL: f64 = 4.0;
const SMALL: u64 = 140;
/// Beyond this in `n d^2` the tail is smaller than any double.
const NOTHING_LEFT: f64 = 370.0;

/// P(D >= d) of `n` draws.
pub(super) fn survival(n: u64, d: f64) -> f64 {
    if n == 0 || d.is_nan() {
        return f64::NAN;
    }
    let size = real(n);
    let (steps, square) = (size * d, size * d * d);
    if steps <= 0.5 {
        return 1.0;
    }
    if d >= 1.0 || square >= NOTHING_LEFT {
        return 0.0;
    }
    if steps <= 1.0 {
        // n! / n^n (2 n d - 1)^n, of H. Ruben and J. Gambino (1982).
        let inside: f64 = (1..=n).map(|k| (real(k) / size * (2.0 * steps - 1.0)).ln()).sum();
        return 1.0 - inside.exp();
    }
    let two_sides = if n <= SMALL { TWO_SIDES_SMALL } else { TWO_SIDES };
    if d >= 0.5 || square >= two_sides {
        return (2.0 * one_sided(n, d)).min(1.0);
    }
    if n <= SMALL || (n <= 100_000 && size * d.powf(1.5) <= 1.4) {
        1.0 - matrix(n, d)
    } else {
        1.0 - asymptotic(size, d)
    }
}

/// P(D+ >= d): the sum over j of `d/(d + j/n)` times the binomial probability of j out of n at `d + j/n`.
///
/// Z. Birnbaum and F. Tingey, "One-sided confidence contours for probability distribution functions" (Annals of
/// Mathematical Statistics 22, 1951).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
fn one_sided(n: u64, d: f64) -> f64 {
    let size = real(n);
    let last = (size * (1.0 - d)).floor() as u64;
    let terms = (0..=last.min(n)).map(|j| {
        let mean = size * d + real(j);
        size * d / mean * binomial_term::probability(j, n, mean)
    });
    terms.sum()
}

/// P(D < d), exactly: the middle of the n-th power of a matrix.
///
/// G. Marsaglia, W. Tsang and J. Wang, "Evaluating Kolmogorov's distribution" (Journal of Statistical Software 8, 2003),
/// after J. Durbin (1973).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small and positive")]
fn matrix(n: u64, d: f64) -> f64 {
    let steps = real(n) * d;
    let rest = steps.ceil() - steps;
    let k = steps.ceil() as usize;
    let size = 2 * k - 1;
    let power = Scaled::steps(size, rest).power(n);
    let mut middle = power.cells[(k - 1) * size + k - 1];
    // Times n! / n^n, kept from becoming too small on the way.
    let mut exponent = power.exponent;
    for i in 1..=n {
        middle *= real(i) / real(n);
        if middle < Scaled::SMALLEST {
            middle /= Scaled::SMALLEST;
            exponent -= 1;
        }
    }
    middle * Scaled::SMALLEST.powi(-exponent)
}

/// A square matrix, times a power of a large number.
struct Scaled {
    size: usize,
    cells: Vec<f64>,
    exponent: i32,
}

impl Scaled {
    const SMALLEST: f64 = 1e-140;

    /// The matrix of one draw, where `rest` is how much less than its whole number of steps the distance is.
    fn steps(size: usize, rest: f64) -> Self {
        let mut cells = vec![0.0; size * size];
        let inverse_factorial = |k: usize| (1..=k).map(|x| 1.0 / real(x as u64)).product::<f64>();
        for i in 0..size {
            for j in 0..size.min(i + 2) {
                cells[i * size + j] = inverse_factorial(i + 1 - j);
            }
        }
        for i in 0..size {
            let edge = rest.powi(power_of(i + 1)) * inverse_factorial(i + 1);
            cells[i * size] -= edge;
            // The last row is the first column upside down.
            cells[(size - 1) * size + size - 1 - i] -= edge;
        }
        let corner = (2.0 * rest - 1.0).max(0.0).powi(power_of(size)) * inverse_factorial(size);
        cells[(size - 1) * size] += corner;
        Self { size, cells, exponent: 0 }
    }

    fn power(self, n: u64) -> Self {
        if n == 1 {
            return self;
        }
        let half = Self { size: self.size, cells: self.cells.clone(), exponent: self.exponent }.power(n / 2);
        let square = half.times(&half);
        if n.is_multiple_of(2) { square } else { square.times(&self) }
    }

    fn times(&self, other: &Self) -> Self {
        let size = self.size;
        let mut cells = vec![0.0; size * size];
        for (row, left) in cells.chunks_exact_mut(size).zip(self.cells.chunks_exact(size)) {
            for (factor, right) in left.iter().zip(other.cells.chunks_exact(size)) {
                for (sum, cell) in row.iter_mut().zip(right) {
                    *sum += factor * cell;
                }
            }
        }
        let mut exponent = self.exponent + other.exponent;
        if cells[size / 2 * size + size / 2] > 1.0 / Self::SMALLEST {
            for cell in &mut cells {
                *cell *= Self::SMALLEST;
            }
            exponent += 1;
        }
        Self { size, cells, exponent }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "the matrix is small")]
fn power_of(k: usize) -> i32 {
    k as i32
}

/// P(D < d) for large n: the limit and three corrections in powers of `1/sqrt(n)`.
///
/// W. Pelz and I. Good, "Approximating the lower tail-areas of the Kolmogorov-Smirnov one-sample statistic" (Journal of
/// the Royal Statistical Society B 38, 1976), in the notation of Simard and L'Ecuyer, section 3.3.
fn asymptotic(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let [z2, z4, z6, z8] = [2, 4, 6, 8].map(|power| z.powi(power));
    let [pi2, pi4, pi6] = [2, 4, 6].map(|power| PI.powi(power));
    let mut sums = [0.0; 4];
    let terms = (16.0 * z / PI).ceil().max(1.0);
    let mut at = 0.0;
    while at < terms {
        let half = (at + 0.5) * (at + 0.5);
        let at_halves = (-pi2 * half / (2.0 * z2)).exp();
        sums[0] += at_halves;
        sums[1] += (pi2 * half - z2) * at_halves;
        sums[2] +=
            (6.0 * z6 + 2.0 * z4 + pi2 * (2.0 * z4 - 5.0 * z2) * half + pi4 * (1.0 - 2.0 * z2) * half * half)
                * at_halves;
        sums[3] += (-30.0 * z6 - 90.0 * z8
            + pi2 * (135.0 * z4 - 96.0 * z6) * half
            + pi4 * (212.0 * z4 - 60.0 * z2) * half * half
            + pi6 * (5.0 - 30.0 * z2) * half.powi(3))
            * at_halves;
        let whole = (at + 1.0) * (at + 1.0);
        let at_wholes = (-pi2 * whole / (2.0 * z2)).exp() * pi2 * whole;
        // Over their own divisors 36 z^3 and 216 z^6, where those beside them have 72 z^7 and 6480 z^10.
        sums[2] -= 2.0 * z4 * at_wholes;
        sums[3] += 30.0 * z4 * (3.0 * z2 - pi2 * whole) * at_wholes;
        at += 1.0;
    }
    let divisors = [z, 6.0 * z4, 72.0 * z.powi(7), 6480.0 * z.powi(10)];
    let root = (2.0 * PI).sqrt();
    let mut scale = 1.0;
    let mut total = 0.0;
    for (sum, divisor) in sums.iter().zip(divisors) {
        total += root * sum / divisor * scale;
        scale /= n.sqrt();
    }
    total
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(actual: f64, expect: f64, relative: f64) {
        assert!((actual / expect - 1.0).abs() <= relative, "{actual:e} is not {expect:e}");
    }

    #[test]
    fn each_method_gives_what_scipy_gives() {
        close(survival(10, 0.274), 0.371_520_384_543_495_7, 1e-10);
        close(survival(100, 0.2), 0.000_555_192_732_798_877_5, 1e-9);
        close(survival(2_000, 0.012), 0.932_201_410_060_837_7, 1e-12);
        close(survival(5_000, 0.02), 0.036_139_413_953_256_37, 1e-9);
        close(survival(20_000, 0.008), 0.153_715_967_230_318_55, 1e-9);
        close(survival(500_000, 0.000_5), 0.999_628_694_554_433_6, 1e-12);
        close(survival(500_000, 0.002), 0.036_582_179_671_620_585, 1e-9);
        close(survival(500_000, 0.01), 7.374_635_645_083_527e-44, 1e-9);
    }

    #[test]
    fn methods_agree_where_they_meet() {
        close(1.0 - matrix(100, 0.2), 2.0 * one_sided(100, 0.2), 1e-7);
        for (n, d) in [(2_000, 0.012), (2_000, 0.02), (5_000, 0.02), (20_000, 0.008)] {
            close(1.0 - matrix(n, d), 1.0 - asymptotic(real(n), d), 2e-6);
        }
        // One draw lies between 1/2 and 1 from the truth, evenly.
        close(survival(1, 0.75), 0.5, 1e-12);
        close(survival(1, 0.6), 0.8, 1e-12);
    }

    #[test]
    fn the_ends() {
        assert!((survival(50, 0.009) - 1.0).abs() < 1e-15 && survival(50, 1.0) <= 0.0);
        assert!(survival(0, 0.5).is_nan() && survival(5, f64::NAN).is_nan());
        close(survival(50, 0.99), 2.0 * 0.01_f64.powi(50), 1e-9);
        close(survival(50, 0.015), 1.0 - (1..=50).map(|k| f64::from(k) / 50.0 * 0.5).product::<f64>(), 1e-12);
    }
}

//! Distances between two empirical distributions of numbers.

use super::sample::{Pooled, Sample, pooled, real};

/// Wasserstein's first distance, the area between the two distribution functions, in the unit of the values; `None` where a
/// sample is empty.
///
/// L. Vaserstein (1969); as `scipy.stats.wasserstein_distance`.
#[must_use]
pub fn wasserstein(reference: &Sample, current: &Sample) -> Option<f64> {
    area(reference, current, f64::abs)
}

/// The energy distance: the root of twice the integral of the squared difference of the distribution functions, in the root
/// of the values' unit; `None` where a sample is empty.
///
/// G. Szekely, "E-statistics: the energy of statistical samples" (2002); as `scipy.stats.energy_distance`.
#[must_use]
pub fn energy(reference: &Sample, current: &Sample) -> Option<f64> {
    area(reference, current, |difference| difference * difference).map(|area| (2.0 * area).sqrt())
}

/// The integral over all values of a function of the difference of the two distribution functions.
fn area(reference: &Sample, current: &Sample, of: impl Fn(f64) -> f64) -> Option<f64> {
    if reference.count() == 0 || current.count() == 0 {
        return None;
    }
    let (n, m) = (real(reference.count()), real(current.count()));
    let (mut before, mut after) = (0, 0);
    let mut last: Option<f64> = None;
    let mut total = 0.0;
    for Pooled { value, reference, current } in pooled(reference, current) {
        if let Some(last) = last {
            total += of(real(before) / n - real(after) / m) * (value - last);
        }
        (before, after, last) = (before + reference, after + current, Some(value));
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        Sample::of(values.to_vec())
    }

    #[test]
    fn a_shift_is_as_far_as_it_is() {
        let (one, other) = (sample(&[0.0, 1.0, 4.0]), sample(&[2.5, 3.5, 6.5]));
        assert!((wasserstein(&one, &other).unwrap() - 2.5).abs() < 1e-12);
        assert!((wasserstein(&other, &one).unwrap() - 2.5).abs() < 1e-12);
        assert!(wasserstein(&one, &one).unwrap().abs() < 1e-15 && energy(&one, &one).unwrap().abs() < 1e-15);
    }

    #[test]
    fn energy_agrees_with_its_definition_by_pairs() {
        let (one, other) = (sample(&[0.0, 1.0, 1.0, 7.0]), sample(&[2.0, 1.0, -3.0]));
        let mean = |a: &Sample, b: &Sample| {
            let pairs = a.values().iter().flat_map(|x| b.values().iter().map(move |y| (x - y).abs()));
            pairs.sum::<f64>() / real(a.count() * b.count())
        };
        let square = 2.0 * mean(&one, &other) - mean(&one, &one) - mean(&other, &other);
        assert!((energy(&one, &other).unwrap() - square.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn nothing_has_no_distance() {
        assert_eq!(wasserstein(&sample(&[]), &sample(&[1.0])), None);
        assert_eq!(energy(&sample(&[1.0]), &sample(&[])), None);
    }
}

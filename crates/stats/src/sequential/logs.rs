//! Means of e-values that are kept as logarithms.

/// Stored log e-values are multiples of this; a look loses at most so much to it.
pub(super) const STEP: f64 = 1e-6;

/// `ln(mean(exp(logs)))` without overflow; 0, no evidence, for an empty list.
pub(super) fn mean(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return 0.0;
    }
    let (sum, count) = logs.fold((0.0, 0.0), |(sum, count), log| (sum + (log - largest).exp(), count + 1.0));
    largest + f64::ln(sum / count)
}

/// `ln(sum(exp(logs)))` without overflow; negative infinity where every term is 0.
pub(super) fn sum(logs: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().fold(f64::NEG_INFINITY, f64::max);
    if largest == f64::NEG_INFINITY {
        return largest;
    }
    largest + logs.map(|log| (log - largest).exp()).sum::<f64>().ln()
}

/// Rounded down to a multiple of `step`, or to nine digits where that is coarser, so that it takes little room;
/// evidence never grows by it.
pub(super) fn down(log: f64, step: f64) -> f64 {
    let scale = scale(log, step);
    let rounded = (log * scale).floor() / scale;
    // Far from zero a double is coarser than the step.
    if rounded <= log { rounded } else { log }
}

/// The same to the nearest.
pub(super) fn near(value: f64, step: f64) -> f64 {
    let scale = scale(value, step);
    (value * scale).round() / scale
}

/// A power of ten, if the step is one.
fn scale(value: f64, step: f64) -> f64 {
    let mut scale = step.recip().round();
    while scale > 1.0 && value.abs() * scale >= 1e9 {
        scale /= 10.0;
    }
    scale
}

/// Adds a log e-value to every entry of a list, which is filled with zeros, no evidence, where it is new.
pub(super) fn add(logs: &mut Vec<f64>, count: usize, step: f64, mut log_e: impl FnMut(usize) -> f64) {
    logs.resize(count, 0.0);
    for (at, log) in logs.iter_mut().enumerate() {
        *log = down(*log + log_e(at), step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_huge_evidence_does_not_overflow() {
        assert!(mean([].into_iter()).abs() < 1e-15);
        assert!((mean([2_000.0, 0.0].into_iter()) - (2_000.0 - 2_f64.ln())).abs() < 1e-9);
        assert!((mean([20_f64.ln(), 10_f64.ln()].into_iter()) - 15_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn rounding_never_adds_evidence() {
        for log in [0.0, 1.234_567_89, -1.234_567_89, 1e-9, -1e-9, 1e12 + 0.3, -1e300] {
            assert!(
                down(log, STEP) <= log && down(log, STEP) > log - 1.001 * STEP - log.abs() * 1e-8,
                "{log}"
            );
        }
        assert_eq!(down(-0.000_000_1, STEP).to_string(), "-0.000001");
    }
}

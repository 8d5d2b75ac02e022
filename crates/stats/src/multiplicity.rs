//! P-values of several tests, adjusted so that many tests do not make an alarm of chance.
//!
//! Each adjusted value may be compared with the level as if it were alone. Values that are NaN stay NaN and count as no test.

/// The false discovery rate of Y. Benjamini and Y. Hochberg (Journal of the Royal Statistical Society B 57, 1995): of what
/// is called changed, at most the level's share has not, in the mean.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let tests = real(order.len());
    let mut adjusted = p_values.to_vec();
    let mut smallest = 1.0_f64;
    for (rank, at) in order.iter().enumerate().rev() {
        smallest = smallest.min(p_values[*at] * tests / real(rank + 1));
        adjusted[*at] = smallest;
    }
    adjusted
}

/// The step-down procedure of S. Holm (Scandinavian Journal of Statistics 6, 1979): the probability of any false alarm is at
/// most the level.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let order = ascending(p_values);
    let mut adjusted = p_values.to_vec();
    let mut largest = 0.0_f64;
    for (rank, at) in order.iter().enumerate() {
        largest = largest.max((p_values[*at] * real(order.len() - rank)).min(1.0));
        adjusted[*at] = largest;
    }
    adjusted
}

/// Each p-value times the number of tests, at most 1: as [`holm`], and simpler, and less powerful.
#[must_use]
pub fn bonferroni(p_values: &[f64]) -> Vec<f64> {
    let tests = real(ascending(p_values).len());
    p_values.iter().map(|p| if p.is_nan() { *p } else { (p * tests).min(1.0) }).collect()
}

fn ascending(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|at| !p_values[*at].is_nan()).collect();
    order.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    order
}

#[expect(clippy::cast_precision_loss, reason = "a number of tests")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(actual: &[f64], expect: &[f64]) {
        let near =
            |(one, other): (&f64, &f64)| (one - other).abs() < 1e-12 || (one.is_nan() && other.is_nan());
        assert!(
            actual.len() == expect.len() && actual.iter().zip(expect).all(near),
            "{actual:?} is not {expect:?}"
        );
    }

    #[test]
    fn each_way_gives_its_textbook_values() {
        let p = [0.01, 0.04, 0.03, 0.005];
        close(&benjamini_hochberg(&p), &[0.02, 0.04, 0.04, 0.02]);
        close(&holm(&p), &[0.03, 0.06, 0.06, 0.02]);
        close(&bonferroni(&p), &[0.04, 0.16, 0.12, 0.02]);
    }

    #[test]
    fn what_was_not_tested_does_not_count() {
        let p = [0.02, f64::NAN, 0.5];
        close(&benjamini_hochberg(&p), &[0.04, f64::NAN, 0.5]);
        close(&holm(&p), &[0.04, f64::NAN, 0.5]);
        close(&bonferroni(&p), &[0.04, f64::NAN, 1.0]);
        close(&holm(&[]), &[]);
    }
}

//! Ranks of values that may be tied.

/// The sum of `t^3 - t` over the groups of `t` equal values, by which ties shrink the variance of rank sums.
#[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
pub(crate) fn ties(sorted: &[f64]) -> f64 {
    let cubes = sorted.chunk_by(|a, b| a >= b).map(|tied| (tied.len() as f64).powi(3) - tied.len() as f64);
    cubes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_values_count_as_ties() {
        assert!((ties(&[1.0, 2.0, 2.0, 3.0, 3.0, 3.0]) - 30.0).abs() < 1e-12);
        assert!(ties(&[1.0, 2.0]).abs() < 1e-12);
    }
}

//! Ranks of values that may be tied.

/// The rank of each value, from 1 on; tied values share the mean of the ranks they take up. No value is NaN.
#[expect(clippy::cast_precision_loss, reason = "counts of values are far below 2^53")]
pub(crate) fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for tied in order.chunk_by(|a, b| values[*a] >= values[*b]) {
        let middle = before as f64 + f64::midpoint(tied.len() as f64, 1.0);
        for at in tied {
            ranks[*at] = middle;
        }
        before += tied.len();
    }
    ranks
}

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
    fn tied_values_share_the_mean_of_their_ranks() {
        assert_eq!(midranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(midranks(&[0.0, -0.0, f64::INFINITY]), [1.5, 1.5, 3.0]);
        assert!(midranks(&[]).is_empty());
    }

    #[test]
    fn only_equal_values_count_as_ties() {
        assert!((ties(&[1.0, 2.0, 2.0, 3.0, 3.0, 3.0]) - 30.0).abs() < 1e-12);
        assert!(ties(&[1.0, 2.0]).abs() < 1e-12);
    }
}

//! Quantiles of sorted values.

/// Quantile of sorted values with linear interpolation (definition 7 of Hyndman and Fan, The American
/// Statistician 50, 1996: the default of R and `NumPy`). `None` where there are no values.
#[expect(clippy::cast_precision_loss, reason = "the number of values is far below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the positions")]
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = (last as f64 * p).clamp(0.0, last as f64);
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    Some(sorted[below] + (sorted[above] - sorted[below]) * position.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate() {
        let close = |p, expect: f64| assert!((quantile(&[1.0, 2.0, 4.0], p).unwrap() - expect).abs() < 1e-12);
        close(0.0, 1.0);
        close(0.25, 1.5);
        close(0.75, 3.0);
        close(1.0, 4.0);
        assert_eq!(quantile(&[], 0.5), None);
    }
}

//! Points of one side as they are compared: without NaN, without outliers, in order.

use super::settings::{Nan, Outliers, Settings};
use crate::{mann_whitney::LARGEST, quantile::quantile};

/// A value that is infinite, or so large that sums are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotFinite;

/// The points of one side, sorted.
pub(super) fn clean(points: &[f64], settings: &Settings) -> Result<Vec<f64>, NotFinite> {
    let mut values = without_nan(points, settings.nan);
    if values.iter().any(|value| value.abs() > LARGEST) {
        return Err(NotFinite);
    }
    values.sort_by(f64::total_cmp);
    if let Outliers::Remove { factor } = settings.outliers
        && let Some((low, high)) = fence(&values, factor)
    {
        values.retain(|value| (low..=high).contains(value));
    }
    Ok(values)
}

/// Negative zero becomes zero on the way, so that equal samples are equal.
fn without_nan(points: &[f64], nan: Nan) -> Vec<f64> {
    let known = points.iter().filter_map(|point| match (point.is_nan(), nan) {
        (false, _) => Some(point + 0.0),
        (true, Nan::Remove) => None,
        (true, Nan::Replace) => Some(0.0),
    });
    known.collect()
}

/// What lies inside is kept; `None` where there are no values.
fn fence(sorted: &[f64], factor: f64) -> Option<(f64, f64)> {
    let (first, third) = (quantile(sorted, 0.25)?, quantile(sorted, 0.75)?);
    let width = factor.max(0.0) * (third - first);
    let low = (first - width).min(quantile(sorted, 0.01)?);
    let high = (third + width).max(quantile(sorted, 0.99)?);
    Some((low, high))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removing() -> Settings {
        Settings { outliers: Outliers::Remove { factor: 3.0 }, ..Settings::default() }
    }

    #[test]
    fn what_was_not_measured_is_left_out_or_zero() {
        let points = [2.0, f64::NAN, -0.0, 1.0];
        assert_eq!(clean(&points, &Settings::default()), Ok(vec![0.0, 1.0, 2.0]));
        let replace = Settings { nan: Nan::Replace, ..Settings::default() };
        assert_eq!(clean(&points, &replace), Ok(vec![0.0, 0.0, 1.0, 2.0]));
        assert_eq!(clean(&[f64::NAN], &Settings::default()), Ok(vec![]));
        assert_eq!(clean(&[1.0, f64::NEG_INFINITY], &replace), Err(NotFinite));
    }

    #[test]
    fn only_what_is_beyond_fence_and_percentile_is_an_outlier() {
        let mut points: Vec<f64> = (0..200).map(f64::from).collect();
        points.push(10_000.0);
        assert_eq!(clean(&points, &removing()).unwrap().len(), 200);
        // Without spread the fence is a point, and still the percentiles keep what lies between them.
        let mut flat = vec![5.0; 300];
        flat.extend([6.0; 5]);
        assert_eq!(clean(&flat, &removing()).unwrap().len(), 305);
        flat.extend([7.0]);
        assert_eq!(clean(&flat, &removing()).unwrap().len(), 305);
        let below: Vec<f64> = flat.iter().map(|value| -value).collect();
        assert_eq!(clean(&below, &removing()).unwrap().len(), 305);
        assert_eq!(clean(&[], &removing()), Ok(vec![]));
        assert_eq!(clean(&[4.0], &removing()), Ok(vec![4.0]));
    }
}

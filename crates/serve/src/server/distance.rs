//! How far apart the scores of two answers to one request are.
//!
//! Labels may agree while scores drift: a threshold somewhere else would see it. The distance of one request is the mean
//! absolute difference over its scores, so that requests with many rows weigh as much as those with one.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tagship_domain::traffic::Histogram;

use crate::engine::{Tensor, TensorData};

/// Upper bounds of the histogram; a last bucket holds everything above.
pub(super) const DISTANCE_BOUNDS: [f64; 16] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

const BUCKETS: usize = DISTANCE_BOUNDS.len() + 1;

/// Mean absolute difference of all numbers with a fraction, over outputs that have the same name and shape in both answers;
/// absent where there are none. A number against none, or against an infinite one, is infinitely far.
pub(super) fn distance(one: &[Tensor], other: &[Tensor]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0_u32);
    for tensor in one {
        let twin =
            other.iter().find(|other| other.name() == tensor.name() && other.shape() == tensor.shape());
        let Some((one, other)) = scores(tensor.data()).zip(twin.and_then(|twin| scores(twin.data()))) else {
            continue;
        };
        for (one, other) in one.iter().zip(&other) {
            sum += apart(*one, *other);
            count += 1;
        }
    }
    (count > 0).then(|| sum / f64::from(count))
}

#[allow(clippy::float_cmp, reason = "equal infinities have no distance")]
fn apart(one: f64, other: f64) -> f64 {
    if one == other || (one.is_nan() && other.is_nan()) {
        return 0.0;
    }
    let difference = (one - other).abs();
    if difference.is_nan() { f64::INFINITY } else { difference }
}

fn scores(data: &TensorData) -> Option<Vec<f64>> {
    match data {
        TensorData::Fp32(values) => Some(values.iter().copied().map(f64::from).collect()),
        TensorData::Fp64(values) => Some(values.clone()),
        _ => None,
    }
}

/// A histogram of distances, without locks.
#[derive(Debug, Default)]
pub(super) struct Distances {
    buckets: [AtomicU64; BUCKETS],
    /// Bits of the sum, as a double.
    sum: AtomicU64,
}

/// The same, read once.
#[derive(Debug, Clone, Copy)]
pub(super) struct DistanceTotals {
    buckets: [u64; BUCKETS],
    /// All finite distances together.
    pub(super) sum: f64,
}

impl Distances {
    /// Counts one.
    pub(super) fn record(&self, distance: f64) {
        let bucket = DISTANCE_BOUNDS.iter().position(|bound| distance <= *bound).unwrap_or(BUCKETS - 1);
        self.buckets[bucket].fetch_add(1, Relaxed);
        if distance.is_finite() {
            // Never refused: the new sum is always given.
            let _ = self
                .sum
                .fetch_update(Relaxed, Relaxed, |sum| Some((f64::from_bits(sum) + distance).to_bits()));
        }
    }

    /// All counts.
    pub(super) fn totals(&self) -> DistanceTotals {
        DistanceTotals {
            buckets: self.buckets.each_ref().map(|count| count.load(Relaxed)),
            sum: f64::from_bits(self.sum.load(Relaxed)),
        }
    }
}

impl DistanceTotals {
    pub(super) const NONE: Self = Self { buckets: [0; BUCKETS], sum: 0.0 };

    /// Cumulative counts: one per bound, then one for everything.
    pub(super) fn cumulative(&self) -> [u64; BUCKETS] {
        let mut total = 0;
        self.buckets.map(|count| {
            total += count;
            total
        })
    }

    /// The same in the words of a rollout.
    pub(super) fn histogram(&self) -> Histogram {
        Histogram { bounds: DISTANCE_BOUNDS.to_vec(), counts: self.buckets.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores_of(name: &str, values: &[f32]) -> Tensor {
        Tensor::new(name, vec![values.len()], TensorData::Fp32(values.to_vec())).unwrap()
    }

    fn label(label: i64) -> Tensor {
        Tensor::new("label", vec![1], TensorData::Int64(vec![label])).unwrap()
    }

    #[test]
    fn scores_are_compared_number_by_number_and_labels_are_none() {
        let one = [label(1), scores_of("score", &[0.25, 0.5]), scores_of("margin", &[2.0])];
        let other = [scores_of("margin", &[1.0]), scores_of("score", &[0.5, 0.5]), label(0)];
        let found = distance(&one, &other).unwrap();
        assert!((found - 1.25 / 3.0).abs() < 1e-12, "{found}");
        assert_eq!(distance(&[label(1)], &[label(0)]), None, "there are no scores");
        let longer = [scores_of("score", &[0.25])];
        assert_eq!(distance(&one, &longer), None, "another shape is another output");
        let wide = Tensor::new("score", vec![2], TensorData::Fp64(vec![0.25, 0.5])).unwrap();
        assert_eq!(distance(&one, &[wide]), Some(0.0), "the width of a number says nothing");
    }

    #[test]
    fn what_is_no_number_is_infinitely_far_from_one() {
        let of = |value: f32| [scores_of("score", &[value])];
        for same in [f32::NAN, f32::INFINITY] {
            assert_eq!(distance(&of(same), &of(same)), Some(0.0), "{same}");
            assert_eq!(distance(&of(same), &of(1.0)), Some(f64::INFINITY), "{same}");
        }
    }

    #[test]
    fn a_bound_belongs_to_its_bucket_and_the_sum_stays_finite() {
        let distances = Distances::default();
        for distance in [0.0, 0.05, 0.051, f64::INFINITY] {
            distances.record(distance);
        }
        let totals = distances.totals();
        let histogram = totals.histogram();
        assert_eq!((histogram.counts[0], histogram.counts[5], histogram.counts[6]), (1, 1, 1));
        assert_eq!((histogram.counts.last(), histogram.total()), (Some(&1), 4));
        assert!((totals.sum - 0.101).abs() < 1e-12, "{}", totals.sum);
    }
}

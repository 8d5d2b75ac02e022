//! A sample of finite numbers in order, and two of them walked along together.

/// Finite numbers in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Takes the finite ones of these values, in any order.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.retain(|value| value.is_finite());
        // Zero has one sign, so that equal values lie together in any order of bits.
        for value in &mut values {
            *value += 0.0;
        }
        values.sort_unstable_by(f64::total_cmp);
        Self(values)
    }

    /// The values, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.0
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The smallest and the largest value.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.0.first()?, *self.0.last()?))
    }

    /// The arithmetic mean; NaN where there is no value.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / real(self.0.len())
    }

    /// The variance, with the count as its divisor; NaN where there is no value.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.squares() / real(self.0.len())
    }

    /// The sum of squared distances from the mean.
    pub(super) fn squares(&self) -> f64 {
        let mean = self.mean();
        self.0.iter().map(|value| (value - mean) * (value - mean)).sum()
    }

    /// Distinct values, each once.
    pub(super) fn distinct(&self) -> impl Iterator<Item = f64> + '_ {
        self.0.chunk_by(|one, other| other <= one).filter_map(|equal| equal.first().copied())
    }

    /// How many distinct values there are, counted up to `limit`.
    #[must_use]
    pub fn distinct_up_to(&self, limit: usize) -> usize {
        self.distinct().take(limit).count()
    }

    /// How many values are at most `bound`.
    pub(super) fn at_most(&self, bound: f64) -> usize {
        self.0.partition_point(|value| *value <= bound)
    }

    /// How many values are below `bound`.
    pub(super) fn below(&self, bound: f64) -> usize {
        self.0.partition_point(|value| *value < bound)
    }
}

/// A distinct value of two samples, with how often each has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// The value.
    pub value: f64,
    /// How often it is in the reference.
    pub reference: usize,
    /// How often it is in the current sample.
    pub current: usize,
}

/// Walks the distinct values of two samples in ascending order.
pub fn pooled<'a>(reference: &'a Sample, current: &'a Sample) -> impl Iterator<Item = Pooled> + 'a {
    let (mut left, mut right) = (reference.values(), current.values());
    std::iter::from_fn(move || {
        let value = match (left.first(), right.first()) {
            (Some(one), Some(other)) => one.min(*other),
            (Some(one), None) => *one,
            (None, other) => *other?,
        };
        Some(Pooled { value, reference: take(&mut left, value), current: take(&mut right, value) })
    })
}

/// Takes the values up to this one away and says how many they were.
fn take(values: &mut &[f64], value: f64) -> usize {
    let count = values.iter().take_while(|one| **one <= value).count();
    *values = &values[count..];
    count
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub(super) fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_values_are_taken() {
        let sample = Sample::of(vec![2.0, f64::NAN, -1.0, f64::INFINITY, 2.0, -0.0, 0.0]);
        assert_eq!(sample.values(), [-1.0, 0.0, 0.0, 2.0, 2.0]);
        assert_eq!((sample.distinct_up_to(9), sample.distinct_up_to(2)), (3, 2));
        assert_eq!(sample.range(), Some((-1.0, 2.0)));
        assert_eq!(Sample::of(vec![f64::NAN]).range(), None);
    }

    #[test]
    fn two_samples_are_walked_together() {
        let (one, other) = (Sample::of(vec![1.0, 1.0, 3.0]), Sample::of(vec![0.0, 1.0, 4.0, 4.0]));
        let seen: Vec<_> = pooled(&one, &other).map(|at| (at.value, at.reference, at.current)).collect();
        assert_eq!(seen, [(0.0, 0, 1), (1.0, 2, 1), (3.0, 1, 0), (4.0, 0, 2)]);
    }
}

//! A sample of finite numbers in order, and two of them walked along together.

use crate::quantile::quantile;

/// So many standard deviations lie between the quartiles of a normal distribution.
const QUARTILES: f64 = 1.348_979_500_392_163_5;

/// Finite numbers in ascending order. Of very many, some stand for several.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    values: Vec<f64>,
    /// How many numbers there are up to each value, itself included, where values stand for several.
    up_to: Option<Vec<usize>>,
    /// By how many places the rank of a value may be off.
    off: usize,
}

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
        Self { values, up_to: None, off: 0 }
    }

    /// Of values in ascending order with how many numbers each stands for.
    pub(super) fn weighted(pairs: Vec<(f64, usize)>, off: usize) -> Self {
        let mut all = 0;
        let mut add = |count: usize| {
            all += count;
            all
        };
        let up_to = pairs.iter().map(|(_, count)| add(*count)).collect();
        Self { values: pairs.into_iter().map(|(value, _)| value).collect(), up_to: Some(up_to), off }
    }

    /// The values, ascending; where there were very many numbers, some stand for several.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// How many numbers there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.before(self.values.len())
    }

    /// How many numbers are among the first so many values.
    fn before(&self, values: usize) -> usize {
        match &self.up_to {
            None => values,
            Some(up_to) => values.checked_sub(1).map_or(0, |last| up_to[last]),
        }
    }

    /// By how much the share of numbers up to any value may be off, because some stand for several; `None` where each number
    /// is there by itself.
    #[must_use]
    pub fn summarised(&self) -> Option<f64> {
        self.up_to.is_some().then(|| real(self.off) / real(self.count()))
    }

    /// The smallest and the largest value.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        Some((*self.values.first()?, *self.values.last()?))
    }

    /// The sum of a function over all numbers.
    fn sum(&self, of: impl Fn(f64) -> f64) -> f64 {
        match &self.up_to {
            None => self.values.iter().map(|value| of(*value)).sum(),
            Some(_) => {
                let weighted = |(place, value): (usize, &f64)| {
                    of(*value) * real(self.before(place + 1) - self.before(place))
                };
                self.values.iter().enumerate().map(weighted).sum()
            }
        }
    }

    /// The arithmetic mean; NaN where there is no value.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum(|value| value) / real(self.count())
    }

    /// The variance, with the count as its divisor; NaN where there is no value.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.squares() / real(self.count())
    }

    /// How widely the numbers are spread: the standard deviation, or where that is less the one that a normal distribution
    /// with these quartiles has, so that a few huge numbers do not hide what the others do (B. Silverman, "Density
    /// Estimation for Statistics and Data Analysis", 1986, 3.4.2). Where one is as large as
    /// the median they say nothing: most values are the same then, and how many more decides where the quartile lies.
    #[must_use]
    pub fn spread(&self) -> f64 {
        let deviation = self.variance().sqrt();
        let [low, middle, high] = [0.25, 0.5, 0.75].map(|share| self.quantile(share).unwrap_or(f64::NAN));
        let normal = (high - low) / QUARTILES;
        let speaks = low < middle && middle < high;
        if speaks && (deviation.is_nan() || deviation > normal) { normal } else { deviation }
    }

    /// The sum of squared distances from the mean.
    pub(super) fn squares(&self) -> f64 {
        let mean = self.mean();
        self.sum(|value| (value - mean) * (value - mean))
    }

    /// The quantile, linear between two values; where values stand for several, the value itself. `None` where there is none.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        match &self.up_to {
            None => quantile(&self.values, share),
            Some(up_to) => {
                let rank = share * real(self.count().saturating_sub(1));
                self.values.get(up_to.partition_point(|up_to| real(*up_to) <= rank)).copied()
            }
        }
    }

    /// Distinct values, each once.
    pub(super) fn distinct(&self) -> impl Iterator<Item = f64> + '_ {
        self.values.chunk_by(|one, other| other <= one).filter_map(|equal| equal.first().copied())
    }

    /// How many distinct values there are, counted up to `limit`.
    #[must_use]
    pub fn distinct_up_to(&self, limit: usize) -> usize {
        self.distinct().take(limit).count()
    }

    /// How many numbers are at most `bound`.
    pub(super) fn at_most(&self, bound: f64) -> usize {
        self.before(self.values.partition_point(|value| *value <= bound))
    }

    /// How many numbers are below `bound`.
    pub(super) fn below(&self, bound: f64) -> usize {
        self.before(self.values.partition_point(|value| *value < bound))
    }

    /// How many numbers lie below `low` or above `high`.
    #[must_use]
    pub fn outside(&self, low: f64, high: f64) -> usize {
        self.below(low) + (self.count() - self.at_most(high))
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
    let (mut left, mut right) = (Walk { sample: reference, at: 0 }, Walk { sample: current, at: 0 });
    std::iter::from_fn(move || {
        let value = match (left.next(), right.next()) {
            (Some(one), Some(other)) => one.min(other),
            (one, other) => one.or(other)?,
        };
        Some(Pooled { value, reference: left.take(value), current: right.take(value) })
    })
}

/// How far a sample has been walked.
struct Walk<'a> {
    sample: &'a Sample,
    at: usize,
}

impl Walk<'_> {
    fn next(&self) -> Option<f64> {
        self.sample.values.get(self.at).copied()
    }

    /// Goes past the values up to this one and says how many numbers they were.
    fn take(&mut self, value: f64) -> usize {
        let from = self.at;
        while self.next().is_some_and(|one| one <= value) {
            self.at += 1;
        }
        self.sample.before(self.at) - self.sample.before(from)
    }
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
    fn most_numbers_alike_do_not_hide_how_the_others_are_spread() {
        // Three quarters of zeros, and a few less: the upper quartile lies just above zero.
        for zeros in [740, 749, 751] {
            let values = (0..1000).map(|at| if at < zeros { 0.0 } else { f64::from(at) }).collect();
            let spread = Sample::of(values).spread();
            assert!(spread > 300.0, "{zeros}: {spread}");
        }
    }

    #[test]
    fn a_huge_number_does_not_hide_how_the_others_are_spread() {
        let mut values: Vec<f64> = (0..1_000).map(f64::from).collect();
        let even = Sample::of(values.clone()).spread();
        assert!((even - Sample::of(values.clone()).variance().sqrt()).abs() < 1e-9, "{even}: no tails");
        values.push(1e12);
        let spread = Sample::of(values.clone()).spread();
        assert!((spread - 500.0 / QUARTILES).abs() < 1.0, "{spread}");
        values.push(f64::MAX);
        assert!(Sample::of(values).spread() < 400.0, "even where squares are too large");
        let rare = Sample::of(vec![0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 8.0]);
        assert!((rare.spread() - rare.variance().sqrt()).abs() < 1e-12, "quartiles say nothing");
    }

    #[test]
    fn two_samples_are_walked_together() {
        let (one, other) = (Sample::of(vec![1.0, 1.0, 3.0]), Sample::of(vec![0.0, 1.0, 4.0, 4.0]));
        let seen: Vec<_> = pooled(&one, &other).map(|at| (at.value, at.reference, at.current)).collect();
        assert_eq!(seen, [(0.0, 0, 1), (1.0, 2, 1), (3.0, 1, 0), (4.0, 0, 2)]);
    }
}

//! All differences between the values of two samples, in order, without writing them down.

/// The differences "one of the second sample minus one of the first".
#[derive(Debug, Clone, Copy)]
pub(crate) struct Differences<'a> {
    first: &'a [f64],
    second: &'a [f64],
}

impl<'a> Differences<'a> {
    /// The differences of two samples, both sorted, finite and so small that no difference overflows. `None` where one
    /// of them is empty.
    pub(crate) fn of(first: &'a [f64], second: &'a [f64]) -> Option<Self> {
        (!first.is_empty() && !second.is_empty()).then_some(Self { first, second })
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u64 {
        self.first.len() as u64 * self.second.len() as u64
    }

    /// How many are at most `limit`. One walk along both samples.
    pub(crate) fn at_most(&self, limit: f64) -> u64 {
        let mut larger = 0;
        let mut count = 0;
        for one in self.second {
            while larger < self.first.len() && one - self.first[larger] > limit {
                larger += 1;
            }
            count += (self.first.len() - larger) as u64;
        }
        count
    }

    /// The difference at position `at` of the sorted list of all, the last one where there are fewer.
    ///
    /// Bisects the doubles themselves between the smallest and the largest difference: at most 64 walks, and the answer
    /// is exactly one of the differences.
    pub(crate) fn sorted_at(&self, at: u64) -> f64 {
        let last = |values: &[f64]| values[values.len() - 1];
        let mut low = position(self.second[0] - last(self.first));
        let mut high = position(last(self.second) - self.first[0]);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at_most(double(middle)) > at {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        double(low) + 0.0
    }
}

const SIGN: u64 = 1 << 63;

/// The place of a double in the order of all doubles.
fn position(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

/// The double at a place of that order.
fn double(position: u64) -> f64 {
    f64::from_bits(if position & SIGN == 0 { !position } else { position & !SIGN })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples() -> impl Strategy<Value = Vec<f64>> {
        prop::collection::vec(prop_oneof![-3_i8..3, -100_i8..100].prop_map(|x| f64::from(x) / 8.0), 1..12)
            .prop_map(|mut values| {
                values.sort_by(f64::total_cmp);
                values
            })
    }

    proptest! {
        #[test]
        fn positions_and_counts_are_those_of_the_list(first in samples(), second in samples(), limit in -5.0..5.0_f64) {
            let mut list: Vec<f64> =
                second.iter().flat_map(|s| first.iter().map(move |f| s - f)).collect();
            list.sort_by(f64::total_cmp);
            let differences = Differences::of(&first, &second).unwrap();
            prop_assert_eq!(differences.count(), list.len() as u64);
            for (at, expect) in list.iter().enumerate() {
                prop_assert!((differences.sorted_at(at as u64) - expect).abs() < 1e-300);
            }
            prop_assert_eq!(differences.at_most(limit), list.iter().filter(|d| **d <= limit).count() as u64);
        }
    }

    #[test]
    fn an_empty_sample_has_no_differences_and_a_position_too_far_is_the_last() {
        assert!(Differences::of(&[], &[1.0]).is_none() && Differences::of(&[1.0], &[]).is_none());
        let far = Differences::of(&[1.0], &[2.0, 4.0]).unwrap().sorted_at(9);
        assert!((far - 3.0).abs() < 1e-300);
    }
}

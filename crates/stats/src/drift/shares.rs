//! Distances between two distributions over the same categories or bins.

/// The share of each category in the reference and in the current rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Shares(Vec<[f64; 2]>);

/// What stands in for a share of zero where a logarithm is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Empty {
    /// A millionth of the smallest share that is not zero where that is at most 0.0001, else 0.0001; each side alone.
    OfSmallest,
    /// This share.
    Fixed(f64),
}

impl Shares {
    /// The shares of counts, reference first; `None` where a side is empty.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    pub fn of(counts: &[[u64; 2]]) -> Option<Self> {
        let [n, m] = counts.iter().fold([0, 0], |[n, m], [one, other]| [n + one, m + other]);
        if n == 0 || m == 0 {
            return None;
        }
        let share = |[one, other]: &[u64; 2]| [*one as f64 / n as f64, *other as f64 / m as f64];
        Some(Self(counts.iter().map(share).collect()))
    }

    /// The shares, reference first.
    #[must_use]
    pub fn pairs(&self) -> &[[f64; 2]] {
        &self.0
    }

    /// With no share of zero. They no longer add up to one.
    #[must_use]
    pub fn filled(mut self, empty: Empty) -> Self {
        for side in 0..2 {
            let smallest = self.0.iter().map(|pair| pair[side]).filter(|share| *share > 0.0).reduce(f64::min);
            let fill = match (empty, smallest) {
                (Empty::Fixed(share), _) => share,
                (Empty::OfSmallest, Some(smallest)) if smallest <= 1e-4 => smallest / 1e6,
                (Empty::OfSmallest, _) => 1e-4,
            };
            for pair in &mut self.0 {
                if pair[side] <= 0.0 {
                    pair[side] = fill;
                }
            }
        }
        self
    }

    /// The distance of Jensen and Shannon, the root of their divergence in natural units: 0 to 0.8326 (the root of ln 2).
    #[must_use]
    pub fn jensen_shannon(&self) -> f64 {
        let divergence: f64 =
            self.0.iter().map(|[p, q]| relative(*p, (p + q) / 2.0) + relative(*q, (p + q) / 2.0)).sum();
        (divergence / 2.0).max(0.0).sqrt()
    }

    /// The divergence of Kullback and Leibler of the reference from the current shares, in natural units; both sides are
    /// scaled to add up to one.
    #[must_use]
    pub fn kullback_leibler(&self) -> f64 {
        let [p_all, q_all] = self.0.iter().fold([0.0, 0.0], |[one, other], [p, q]| [one + p, other + q]);
        self.0.iter().map(|[p, q]| relative(p / p_all, q / q_all)).sum()
    }

    /// The population stability index: the sum of `(p - q) ln(p / q)`.
    #[must_use]
    pub fn population_stability(&self) -> f64 {
        // Of a category that neither side has nothing is added.
        let has_either = |[p, q]: &&[f64; 2]| p + q > 0.0;
        self.0.iter().filter(has_either).map(|[p, q]| (p - q) * (p / q).ln()).sum()
    }

    /// The distance of Hellinger, 0 to 1.
    #[must_use]
    pub fn hellinger(&self) -> f64 {
        let overlap: f64 = self.0.iter().map(|[p, q]| (p * q).sqrt()).sum();
        (1.0 - overlap).max(0.0).sqrt()
    }

    /// Half the sum of absolute differences, 0 to 1: the most by which the probability of any event differs.
    #[must_use]
    pub fn total_variation(&self) -> f64 {
        self.0.iter().map(|[p, q]| (p - q).abs()).sum::<f64>() / 2.0
    }

    /// The largest difference of a share.
    #[must_use]
    pub fn largest_difference(&self) -> f64 {
        self.0.iter().map(|[p, q]| (p - q).abs()).fold(0.0, f64::max)
    }
}

/// `p ln(p / q)`, 0 where p is.
fn relative(p: f64, q: f64) -> f64 {
    if p > 0.0 { p * (p / q).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(pairs: &[[u64; 2]]) -> Shares {
        Shares::of(pairs).unwrap()
    }

    #[test]
    fn equal_shares_are_at_no_distance() {
        let equal = shares(&[[1, 3], [2, 6], [5, 15]]);
        let all = [
            equal.jensen_shannon(),
            equal.kullback_leibler(),
            equal.population_stability(),
            equal.hellinger(),
            equal.total_variation(),
        ];
        assert!(all.iter().all(|distance| distance.abs() < 1e-7), "{all:?}");
    }

    #[test]
    fn disjoint_shares_are_as_far_apart_as_can_be() {
        let apart = shares(&[[10, 0], [0, 7]]);
        assert!((apart.jensen_shannon() - 2.0_f64.ln().sqrt()).abs() < 1e-12);
        assert!((apart.hellinger() - 1.0).abs() < 1e-12 && (apart.total_variation() - 1.0).abs() < 1e-12);
        let filled = apart.filled(Empty::OfSmallest);
        assert_eq!(filled.pairs(), [[1.0, 1e-4], [1e-4, 1.0]]);
        assert!((filled.population_stability() - 2.0 * 0.9999 * 1e4_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn small_shares_are_filled_with_smaller_ones() {
        let filled = shares(&[[20_000, 1], [1, 0]]).filled(Empty::OfSmallest);
        assert!((filled.pairs()[1][1] - 1e-4).abs() < 1e-18);
        let filled = shares(&[[20_000, 1], [1, 0], [0, 1]]).filled(Empty::OfSmallest);
        assert!((filled.pairs()[2][0] - 1.0 / 20_001.0 / 1e6).abs() < 1e-18);
    }
}

//! Calibration of probabilities: how far they are from what comes true, and isotonic regression, which brings them there.
//!
//! Isotonic regression by pooling adjacent violators (R. Barlow et al., "Statistical Inference under Order Restrictions", 1972),
//! linear between the ends of blocks and constant outside of the scores seen, as scikit-learn has it.

use crate::{
    binomial,
    bootstrap::{Plan, percentiles},
    interval::Interval,
    random::Random,
};

/// Number of bins of [`bins`].
pub const BINS: usize = 10;

/// Rows whose probability lies in a tenth of 0 to 1; 1 itself is in the last.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Rows.
    pub rows: u64,
    /// Of these, those that are of the class.
    pub positive: u64,
    /// Sum of their probabilities.
    pub sum: f64,
}

impl Bin {
    /// Mean probability; NaN where there are no rows.
    #[must_use]
    pub fn predicted(&self) -> f64 {
        self.sum / real(self.rows)
    }

    /// Share that is of the class; NaN where there are no rows.
    #[must_use]
    pub fn observed(&self) -> f64 {
        real(self.positive) / real(self.rows)
    }
}

/// The bins of rows, each its truth and its probability of the class, which lies in 0 to 1.
#[must_use]
pub fn bins(rows: impl IntoIterator<Item = (bool, f64)>) -> [Bin; BINS] {
    let mut bins = [Bin::default(); BINS];
    for (truth, probability) in rows {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10")]
        let at = (probability * 10.0).clamp(0.0, 9.0) as usize;
        bins[at].rows += 1;
        bins[at].positive += u64::from(truth);
        bins[at].sum += probability;
    }
    bins
}

/// Expected calibration error: the distance of both means, over the rows. Absent where there are none.
#[must_use]
pub fn error(bins: &[Bin]) -> Option<f64> {
    let rows = bins.iter().map(|bin| bin.rows).sum::<u64>();
    let off = bins.iter().filter(|bin| bin.rows > 0).map(|bin| (bin.sum - real(bin.positive)).abs());
    (rows > 0).then(|| off.sum::<f64>() / real(rows))
}

/// Interval of [`error`], where the share of each bin is drawn again. Chance alone makes the error larger than zero, and so the
/// interval too: the fewer the rows, the more.
#[must_use]
pub fn interval(bins: &[Bin], plan: &Plan) -> Option<Interval> {
    error(bins)?;
    let mut random = Random::new(plan.seed);
    let mut draw = || {
        let drawn = |bin: &Bin| Bin {
            positive: if bin.rows == 0 { 0 } else { binomial::draw(&mut random, bin.rows, bin.observed()) },
            ..*bin
        };
        error(&bins.iter().map(drawn).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    };
    percentiles(std::iter::repeat_with(&mut draw), plan)
}

/// A map from scores to probabilities that never falls.
#[derive(Debug, Clone, PartialEq)]
pub struct Isotonic {
    /// Scores, rising.
    scores: Vec<f64>,
    /// Their probabilities, not falling.
    probabilities: Vec<f64>,
}

/// Rows that are pooled.
#[derive(Debug, Clone, Copy)]
struct Block {
    first: f64,
    last: f64,
    weight: f64,
    sum: f64,
}

impl Isotonic {
    /// Fits rows, each its truth and its finite score. Absent where there are none, or a score is not finite.
    #[must_use]
    pub fn fit(rows: &[(bool, f64)]) -> Option<Self> {
        if rows.is_empty() || rows.iter().any(|(_, score)| !score.is_finite()) {
            return None;
        }
        let mut sorted = rows.to_vec();
        sorted.sort_by(|one, other| one.1.total_cmp(&other.1));
        let mut blocks: Vec<Block> = vec![];
        for tied in sorted.chunk_by(|one, other| one.1.total_cmp(&other.1).is_eq()) {
            let positive = tied.iter().filter(|(truth, _)| *truth).count();
            let score = tied[0].1;
            let mut block = Block {
                first: score,
                last: score,
                weight: real(tied.len() as u64),
                sum: real(positive as u64),
            };
            while let Some(before) =
                blocks.pop_if(|before| before.sum * block.weight >= block.sum * before.weight)
            {
                block = Block {
                    first: before.first,
                    last: block.last,
                    weight: before.weight + block.weight,
                    sum: before.sum + block.sum,
                };
            }
            blocks.push(block);
        }
        let (mut scores, mut probabilities) = (vec![], vec![]);
        for block in blocks {
            let ends =
                if block.first < block.last { vec![block.first, block.last] } else { vec![block.first] };
            probabilities.extend(ends.iter().map(|_| block.sum / block.weight));
            scores.extend(ends);
        }
        Some(Self { scores, probabilities })
    }

    /// The probability of a score.
    #[must_use]
    pub fn at(&self, score: f64) -> f64 {
        let above = self.scores.partition_point(|known| *known < score);
        let (Some(last), Some(first)) = (self.probabilities.last(), self.probabilities.first()) else {
            return f64::NAN;
        };
        if above == self.scores.len() {
            return *last;
        }
        if above == 0 {
            return *first;
        }
        let (low, high) = (self.scores[above - 1], self.scores[above]);
        let share = (score - low) / (high - low);
        self.probabilities[above - 1] + (self.probabilities[above] - self.probabilities[above - 1]) * share
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn isotonic_regression_is_that_of_scikit_learn() {
        // IsotonicRegression(out_of_bounds="clip").fit([.1, .2, .3, .3, .5, .7, .9], [0, 1, 0, 0, 1, 0, 1])
        let rows =
            [(false, 0.1), (true, 0.2), (false, 0.3), (false, 0.3), (true, 0.5), (false, 0.7), (true, 0.9)];
        let fit = Isotonic::fit(&rows).unwrap();
        for (score, expect) in [
            (0.0, 0.0),
            (0.1, 0.0),
            (0.15, 1.0 / 6.0),
            (0.25, 1.0 / 3.0),
            (0.4, 5.0 / 12.0),
            (0.6, 0.5),
            (0.8, 0.75),
            (2.0, 1.0),
        ] {
            assert!((fit.at(score) - expect).abs() < 1e-12, "{score} {}", fit.at(score));
        }
        assert_eq!(Isotonic::fit(&[]), None);
        assert_eq!(Isotonic::fit(&[(true, f64::NAN)]), None);
    }

    #[test]
    fn the_error_is_the_mean_distance_over_bins() {
        let rows = [(true, 0.95), (true, 1.0), (false, 0.92), (false, 0.05), (true, 0.0)];
        let found = bins(rows);
        assert_eq!((found[9].rows, found[9].positive, found[0].rows), (3, 2, 2));
        let expect = ((0.95 + 1.0 + 0.92 - 2.0_f64).abs() + (0.05 - 1.0_f64).abs()) / 5.0;
        assert!((error(&found).unwrap() - expect).abs() < 1e-12);
        let interval = interval(&found, &Plan::default()).unwrap();
        assert!(interval.low <= expect && expect <= interval.high, "{interval}");
        assert_eq!(error(&bins([])), None);
    }
}

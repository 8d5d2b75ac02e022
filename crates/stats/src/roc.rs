//! The area under the ROC curve, and whether two models that saw the same rows differ in it.
//!
//! E. DeLong, D. DeLong and D. Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
//! characteristic curves: a nonparametric approach" (Biometrics 44, 1988), by midranks as in X. Sun and W. Xu, "Fast
//! implementation of DeLong's algorithm" (IEEE Signal Processing Letters 21, 2014).

use std::fmt;

use crate::{fixed_horizon::FixedHorizon, interval::Interval, normal, paired::PairedRow, ranks::midranks};

/// The areas of two models on the same rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Areas {
    /// Area of the first (stable) one, 0 to 1; the higher the better.
    pub first: f64,
    /// Area of the second (candidate) one.
    pub second: f64,
    /// How far the difference would move if other rows had been drawn. `None` where the rows cannot show it: fewer than
    /// two of a class, or rankings that leave no variance, e.g. two perfect ones.
    pub delong: Option<DeLong>,
}

impl Areas {
    /// Area of the second minus area of the first.
    #[must_use]
    pub fn difference(&self) -> f64 {
        self.second - self.first
    }
}

/// The paired test of DeLong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeLong {
    /// Variances of the first and the second area.
    pub variances: [f64; 2],
    /// Their covariance.
    pub covariance: f64,
    /// Interval of the difference, second minus first, cut to [-1, 1].
    pub interval: Interval,
    /// Two-sided p-value of "no difference".
    pub p_value: f64,
}

/// Why there is no area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RocError {
    /// All rows are of one class, or there are none.
    OneClass,
    /// The score at this row is NaN.
    NotANumber(usize),
    /// The confidence is not between 0 and 1.
    Confidence,
}

/// As a fragment of a sentence.
impl fmt::Display for RocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneClass => f.write_str("rows of both classes are needed"),
            Self::NotANumber(row) => write!(f, "the score of row {row} is not a number"),
            Self::Confidence => f.write_str("the confidence is not between 0 and 1"),
        }
    }
}

impl std::error::Error for RocError {}

/// The area of one model: how often a row of the class scores higher than one that is not, ties half.
///
/// # Errors
/// Says why there is none; see [`RocError`].
pub fn area(rows: impl IntoIterator<Item = (bool, f64)>) -> Result<f64, RocError> {
    let (truth, scores): (Vec<bool>, Vec<f64>) = rows.into_iter().unzip();
    Ok(Placements::of(&truth, &scores)?.area())
}

/// The area of one model with DeLong's interval, cut to 0 to 1; the interval is absent where the rows cannot show it, as in
/// [`Areas`].
///
/// # Errors
/// Says why there is none; see [`RocError`].
pub fn area_with_interval(
    rows: impl IntoIterator<Item = (bool, f64)>,
    confidence: f64,
) -> Result<(f64, Option<Interval>), RocError> {
    if !(0.0..1.0).contains(&confidence) {
        return Err(RocError::Confidence);
    }
    let (truth, scores): (Vec<bool>, Vec<f64>) = rows.into_iter().unzip();
    let placed = Placements::of(&truth, &scores)?;
    let (area, variance) = (placed.area(), placed.variance().filter(|variance| *variance > 0.0));
    let half = |variance: f64| normal::quantile(f64::midpoint(1.0, confidence)) * variance.sqrt();
    let interval = variance.map(half).map(|half| Interval {
        low: (area - half).max(0.0),
        high: (area + half).min(1.0),
        confidence,
    });
    Ok((area, interval))
}

/// Compares the scores of two models. Only their order matters, so infinite scores are fine.
///
/// # Errors
/// Says why there are no areas; see [`RocError`].
pub fn compare(rows: &[PairedRow<bool>], confidence: f64) -> Result<FixedHorizon<Areas>, RocError> {
    if !(0.0..1.0).contains(&confidence) {
        return Err(RocError::Confidence);
    }
    let truth: Vec<bool> = rows.iter().map(|row| row.truth).collect();
    let of = |score: fn(&PairedRow<bool>) -> f64| {
        Placements::of(&truth, &rows.iter().map(score).collect::<Vec<_>>())
    };
    let (first, second) = (of(|row| row.first)?, of(|row| row.second)?);
    let delong = delong(&first, &second, confidence);
    Ok(FixedHorizon::new(Areas { first: first.area(), second: second.area(), delong }))
}

/// Compares the scores of two models that answered rows of their own, independent of each other, so that their areas vary
/// independently too: the test of DeLong without a covariance. Each row is the truth and the score.
///
/// # Errors
/// Says why there are no areas; see [`RocError`].
pub fn compare_apart(
    first: &[(bool, f64)],
    second: &[(bool, f64)],
    confidence: f64,
) -> Result<FixedHorizon<Areas>, RocError> {
    if !(0.0..1.0).contains(&confidence) {
        return Err(RocError::Confidence);
    }
    let placed = |rows: &[(bool, f64)]| {
        let (truth, scores): (Vec<bool>, Vec<f64>) = rows.iter().copied().unzip();
        Placements::of(&truth, &scores)
    };
    let (first, second) = (placed(first)?, placed(second)?);
    let variances = [first.variance(), second.variance()];
    let delong = match variances {
        [Some(one), Some(other)] => test([first.area(), second.area()], [one, other], 0.0, confidence),
        _ => None,
    };
    Ok(FixedHorizon::new(Areas { first: first.area(), second: second.area(), delong }))
}

/// For each row the share of the other class that it is placed right to: the components whose mean is the area.
struct Placements {
    positive: Vec<f64>,
    negative: Vec<f64>,
}

impl Placements {
    fn of(truth: &[bool], scores: &[f64]) -> Result<Self, RocError> {
        if let Some(row) = scores.iter().position(|score| score.is_nan()) {
            return Err(RocError::NotANumber(row));
        }
        let all = midranks(scores);
        let positive = above_own(truth, scores, &all, true);
        let negative = above_own(truth, scores, &all, false);
        if positive.is_empty() || negative.is_empty() {
            return Err(RocError::OneClass);
        }
        let (m, n) = (real(positive.len()), real(negative.len()));
        Ok(Self {
            positive: positive.into_iter().map(|below| below / n).collect(),
            negative: negative.into_iter().map(|below| 1.0 - below / m).collect(),
        })
    }

    fn area(&self) -> f64 {
        mean(&self.positive).clamp(0.0, 1.0)
    }

    /// Covariance of two areas on the same rows; `None` below two rows of a class.
    fn covariance(&self, other: &Self) -> Option<f64> {
        let (m, n) = (real(self.positive.len()), real(self.negative.len()));
        (m >= 2.0 && n >= 2.0).then(|| {
            covariance(&self.positive, &other.positive) / m + covariance(&self.negative, &other.negative) / n
        })
    }

    fn variance(&self) -> Option<f64> {
        self.covariance(self)
    }
}

/// For each row of a class how many of the other class score lower: its rank among all less its rank in its class.
fn above_own(truth: &[bool], scores: &[f64], ranks: &[f64], class: bool) -> Vec<f64> {
    let rows: Vec<usize> = (0..truth.len()).filter(|row| truth[*row] == class).collect();
    let own = midranks(&rows.iter().map(|row| scores[*row]).collect::<Vec<_>>());
    rows.iter().zip(own).map(|(row, own)| ranks[*row] - own).collect()
}

fn delong(first: &Placements, second: &Placements, confidence: f64) -> Option<DeLong> {
    let variances = [first.variance()?, second.variance()?];
    test([first.area(), second.area()], variances, first.covariance(second)?, confidence)
}

fn test(areas: [f64; 2], variances: [f64; 2], between: f64, confidence: f64) -> Option<DeLong> {
    let variance = variances[0] + variances[1] - 2.0 * between;
    // Below this nothing but rounding is left.
    if variance <= 1e-14 * (variances[0] + variances[1]) {
        return None;
    }
    let (difference, error) = (areas[1] - areas[0], variance.sqrt());
    let half = normal::quantile(f64::midpoint(1.0, confidence)) * error;
    Some(DeLong {
        variances,
        covariance: between,
        interval: Interval {
            low: (difference - half).max(-1.0),
            high: (difference + half).min(1.0),
            confidence,
        },
        p_value: normal::erfc((difference / error).abs() / std::f64::consts::SQRT_2),
    })
}

/// Of two samples in pairs, with the divisor of a sample.
fn covariance(a: &[f64], b: &[f64]) -> f64 {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (a - mean_a) * (b - mean_b)).sum();
    sum / (real(a.len()) - 1.0)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / real(values.len())
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
fn real(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn row(truth: bool, first: f64, second: f64) -> PairedRow<bool> {
        PairedRow { truth, first, second }
    }

    fn rows(case: &Value) -> Vec<PairedRow<bool>> {
        let truth = case["truth"].as_array().unwrap();
        let score = |side: &str, at: usize| case[side][at].as_f64().unwrap();
        let each = truth.iter().enumerate();
        each.map(|(at, truth)| row(truth.as_bool().unwrap(), score("first", at), score("second", at)))
            .collect()
    }

    #[test]
    fn areas_and_intervals_are_those_of_counting_all_pairs() {
        let recorded: Value = serde_json::from_str(include_str!("../fixtures/scores.json")).unwrap();
        for case in recorded["areas"].as_array().unwrap() {
            let areas = compare(&rows(case), 0.95).unwrap().at_the_horizon();
            let delong = areas.delong.unwrap();
            let expected = &case["expected"];
            for (actual, expect) in [
                (areas.first, &expected["auc"][0]),
                (areas.second, &expected["auc"][1]),
                (delong.variances[0], &expected["variances"][0]),
                (delong.variances[1], &expected["variances"][1]),
                (delong.covariance, &expected["covariance"]),
                (delong.interval.low, &expected["low"]),
                (delong.interval.high, &expected["high"]),
                (delong.p_value, &expected["p_value"]),
            ] {
                let expect = expect.as_f64().unwrap().clamp(-1.0, 1.0);
                let slack = 1e-9 * expect.abs();
                assert!((actual - expect).abs() <= slack, "{}: {actual} is not {expect}", case["name"]);
            }
        }
    }

    #[test]
    fn areas_of_rows_of_their_own_vary_independently() {
        let recorded: Value = serde_json::from_str(include_str!("../fixtures/scores.json")).unwrap();
        for case in recorded["areas"].as_array().unwrap() {
            let rows = rows(case);
            let first: Vec<_> = rows.iter().map(|row| (row.truth, row.first)).collect();
            let second: Vec<_> = rows.iter().map(|row| (row.truth, row.second)).collect();
            let paired = compare(&rows, 0.95).unwrap().at_the_horizon();
            let apart = compare_apart(&first, &second, 0.95).unwrap().at_the_horizon();
            for (one, other) in [(apart.first, paired.first), (apart.second, paired.second)] {
                assert!((one - other).abs() < 1e-12);
            }
            let (paired, delong) = (paired.delong.unwrap(), apart.delong.unwrap());
            assert!(delong.covariance.abs() < f64::EPSILON);
            for (one, other) in delong.variances.into_iter().zip(paired.variances) {
                assert!((one - other).abs() < 1e-15);
            }
            let half = 1.959_963_984_540_054 * (delong.variances[0] + delong.variances[1]).sqrt();
            assert!((delong.interval.low - (apart.difference() - half).max(-1.0)).abs() < 1e-9);
        }
        assert_eq!(compare_apart(&[(true, 1.0)], &[(true, 1.0), (false, 0.0)], 0.9), Err(RocError::OneClass));
    }

    #[test]
    fn rows_that_show_no_variance_give_areas_only() {
        let perfect = [row(true, 3.0, 9.0), row(true, 4.0, 8.0), row(false, 1.0, 1.0), row(false, 2.0, 0.0)];
        let areas = compare(&perfect, 0.95).unwrap().at_the_horizon();
        assert!((areas.first - 1.0).abs() < 1e-12 && areas.difference().abs() < 1e-12);
        assert_eq!(areas.delong, None);
        let same = [row(true, 1.0, 1.0), row(false, 2.0, 2.0), row(true, 3.0, 3.0), row(false, 0.0, 0.0)];
        assert_eq!(compare(&same, 0.95).unwrap().at_the_horizon().delong, None);
        assert_eq!(compare(&same[..3], 0.95).unwrap().at_the_horizon().delong, None);
    }

    #[test]
    fn what_cannot_be_ranked_has_no_area() {
        assert_eq!(compare(&[], 0.95), Err(RocError::OneClass));
        assert_eq!(compare(&[row(true, 1.0, 2.0)], 0.95), Err(RocError::OneClass));
        let nan = [row(true, 1.0, 2.0), row(false, 1.0, f64::NAN)];
        assert_eq!(compare(&nan, 0.95), Err(RocError::NotANumber(1)));
        assert_eq!(compare(&nan, f64::NAN), Err(RocError::Confidence));
        assert_eq!(compare(&nan, 1.0), Err(RocError::Confidence));
        assert_eq!(area([(true, f64::INFINITY), (false, f64::NEG_INFINITY)]), Ok(1.0));
    }

    fn scored() -> impl Strategy<Value = Vec<PairedRow<bool>>> {
        let score = || (-6_i8..6).prop_map(f64::from);
        let one = (any::<bool>(), score(), score());
        prop::collection::vec(one.prop_map(|(truth, first, second)| row(truth, first, second)), 2..40)
    }

    proptest! {
        #[test]
        fn an_area_is_the_share_of_pairs_in_the_right_order(rows in scored()) {
            let mut pairs = vec![];
            for one in rows.iter().filter(|row| row.truth) {
                for other in rows.iter().filter(|row| !row.truth) {
                    let order = one.first.total_cmp(&other.first);
                    pairs.push(f64::midpoint(1.0, f64::from(order as i8)));
                }
            }
            match area(rows.iter().map(|row| (row.truth, row.first))) {
                Ok(area) => prop_assert!((area - pairs.iter().sum::<f64>() / real(pairs.len())).abs() < 1e-12),
                Err(error) => prop_assert!(error == RocError::OneClass && pairs.is_empty()),
            }
        }

        #[test]
        fn swapping_turns_the_difference_and_only_the_order_of_scores_counts(rows in scored()) {
            let swapped: Vec<_> = rows.iter().map(|one| row(one.truth, one.second, one.first)).collect();
            let curved: Vec<_> = rows.iter().map(|one| row(one.truth, one.first.exp(), one.second)).collect();
            let areas = compare(&rows, 0.9);
            prop_assert_eq!(areas, compare(&curved, 0.9));
            if let (Ok(there), Ok(back)) = (areas, compare(&swapped, 0.9)) {
                let (there, back) = (there.at_the_horizon(), back.at_the_horizon());
                prop_assert!((there.difference() + back.difference()).abs() < 1e-12);
                prop_assert_eq!(there.delong.is_some(), back.delong.is_some());
                if let (Some(there), Some(back)) = (there.delong, back.delong) {
                    prop_assert!((there.interval.low + back.interval.high).abs() < 1e-9);
                    prop_assert!((there.p_value - back.p_value).abs() < 1e-9);
                }
            }
        }
    }
}

//! How metrics went over the looks of a rollout, short enough to be shown and handed on.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    analysis::{MetricPhase, MetricReading},
    time::Timestamp,
    traffic::Weight,
};

/// One metric over the looks of a rollout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricSeries {
    /// The metric.
    pub name: String,
    /// How many looks there were; more than there are points where the series was thinned.
    pub looks: usize,
    /// Looks, oldest first, at most [`MetricSeries::POINTS`]: with the first, the last and the extreme ones.
    pub points: Vec<SeriesPoint>,
}

/// One metric at one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SeriesPoint {
    /// When the look ended.
    pub at: Timestamp,
    /// The candidate's share of traffic then; absent where the target did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Weight>,
    /// The verdict so far.
    pub phase: MetricPhase,
    /// The candidate's value in this look alone where it is known, else over all looks so far; absent where it was
    /// not measured.
    pub value: Option<f64>,
    /// Stable's value over all looks so far.
    pub stable: Option<f64>,
    /// Observations of stable and of the candidate so far.
    pub n: [u64; 2],
    /// Evidence that the candidate is worse than tolerated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_value: Option<f64>,
    /// Evidence that the candidate keeps the promotion margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion_e_value: Option<f64>,
}

impl SeriesPoint {
    /// A metric as one look left it.
    pub fn of(at: Timestamp, weight: Option<Weight>, reading: &MetricReading) -> Self {
        let numbers = &reading.measurement;
        Self {
            at,
            weight,
            phase: reading.phase,
            value: numbers.look.or(numbers.value),
            stable: numbers.stable,
            n: numbers.n,
            e_value: numbers.e_value,
            promotion_e_value: numbers.promotion_e_value,
        }
    }
}

impl MetricSeries {
    /// Most points of a series.
    pub const POINTS: usize = 60;
    /// Fewest points that thinning leaves: both ends, the extremes, and something between them.
    const LEAST: usize = 8;

    /// The series of a metric, thinned to [`Self::POINTS`]; `points` are all looks, oldest first.
    pub fn of(name: &str, points: Vec<SeriesPoint>) -> Self {
        let looks = points.len();
        let kept = kept(&points, Self::POINTS);
        let mut at = 0..;
        let mut points = points;
        points.retain(|_| at.next().is_some_and(|index| kept.contains(&index)));
        Self { name: name.to_owned(), looks, points }
    }

    /// At most `most` points (8 at least), oldest first: both ends, the extremes of value and evidence, and of the
    /// others evenly many everywhere.
    pub fn thinned(&self, most: usize) -> Vec<&SeriesPoint> {
        let kept = kept(&self.points, most.max(Self::LEAST));
        kept.into_iter().filter_map(|index| self.points.get(index)).collect()
    }
}

/// Indices of the points to keep.
fn kept(points: &[SeriesPoint], most: usize) -> BTreeSet<usize> {
    if points.len() <= most {
        return (0..points.len()).collect();
    }
    let extremes = |of: fn(&SeriesPoint) -> Option<f64>| {
        let known = points.iter().enumerate().filter_map(|(index, point)| Some((index, of(point)?)));
        let least = known.clone().min_by(|a, b| a.1.total_cmp(&b.1));
        let most = known.max_by(|a, b| a.1.total_cmp(&b.1));
        [least, most].into_iter().flatten().map(|(index, _)| index)
    };
    let mut kept: BTreeSet<usize> = extremes(|point| point.value).collect();
    kept.extend(extremes(|point| point.e_value).skip(1));
    kept.extend(extremes(|point| point.promotion_e_value).skip(1));
    let (last, rest) = (points.len() - 1, most.saturating_sub(kept.len()).max(2));
    kept.extend((0..rest).map(|step| step * last / (rest - 1)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(count: u32, value: impl Fn(u32) -> f64) -> Vec<SeriesPoint> {
        let point = |index: u32| SeriesPoint {
            at: Timestamp::from_seconds(i64::from(index)).unwrap(),
            weight: Weight::percent(5),
            phase: MetricPhase::Running,
            value: Some(value(index)),
            stable: None,
            n: [0, u64::from(index)],
            e_value: Some(f64::from(index % 97)),
            promotion_e_value: None,
        };
        (0..count).map(point).collect()
    }

    #[test]
    fn a_short_series_is_kept_whole() {
        let all = points(60, f64::from);
        let series = MetricSeries::of("accuracy", all.clone());
        assert_eq!((series.looks, series.points), (60, all));
        assert_eq!(MetricSeries::of("accuracy", vec![]).points, []);
    }

    #[test]
    fn a_long_series_keeps_its_ends_and_extremes_and_says_how_long_it_was() {
        for count in [61, 500, 10_000] {
            let value = |index| match index {
                31 => 9.0,
                37 => -9.0,
                _ => 0.5,
            };
            let series = MetricSeries::of("accuracy", points(count, value));
            assert_eq!(series.looks, count as usize);
            assert!(series.points.len() <= MetricSeries::POINTS, "{}", series.points.len());
            assert!(series.points.len() > MetricSeries::POINTS - 8, "{}", series.points.len());
            let seconds: Vec<i64> = series.points.iter().map(|point| point.at.as_seconds()).collect();
            assert!(seconds.is_sorted());
            for wanted in [0, 31, 37, i64::from(count) - 1] {
                assert!(seconds.contains(&wanted), "{wanted} of {count}");
            }
            let gaps = seconds.windows(2).map(|pair| pair[1] - pair[0]);
            assert!(gaps.max().unwrap() <= i64::from(count) / 40 + 1, "evenly: {seconds:?}");
            assert!(series.thinned(12).len() <= 12 && series.thinned(0).len() <= 8);
        }
    }
}

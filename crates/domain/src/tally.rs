//! Counts of one metric from a source of its own, series by series.
//!
//! A source such as a metrics store adds up many series of one version: one per instance, one per status. Each begins
//! again at zero by itself, when its instance does, so that the sum of all says nothing reliable about what came since.
//! Differences are taken per series, and added afterwards.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::traffic::Histogram;

/// Cumulative counts of one version, by series. What a series is called is the source's business; the same one has the
/// same name at every look.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tally {
    /// All observations: requests, or labelled predictions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub total: BTreeMap<String, u64>,
    /// Of these, the bad ones; their series may be others than those of all.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bad: BTreeMap<String, u64>,
    /// Durations.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub latency: BTreeMap<String, Histogram>,
}

impl Tally {
    /// What was counted since `then`. A series that went down began again at zero, one that is new began there; one
    /// that is gone adds nothing.
    #[must_use]
    pub fn since(&self, then: &Self) -> Self {
        let counts = |now: &BTreeMap<String, u64>, then: &BTreeMap<String, u64>| {
            now.iter()
                .map(|(series, now)| {
                    let then = then.get(series).copied().unwrap_or(0);
                    (series.clone(), now.checked_sub(then).unwrap_or(*now))
                })
                .collect()
        };
        let latency = self.latency.iter().map(|(series, now)| {
            let since = then.latency.get(series).and_then(|then| minus(now, then));
            (series.clone(), since.unwrap_or_else(|| now.clone()))
        });
        Self {
            total: counts(&self.total, &then.total),
            bad: counts(&self.bad, &then.bad),
            latency: latency.collect(),
        }
    }

    /// With the series of `then` that are gone now: one that comes back goes on from where it was last seen, so that
    /// nothing is counted twice.
    #[must_use]
    pub fn remembering(mut self, then: &Self) -> Self {
        fn keep<T: Clone>(now: &mut BTreeMap<String, T>, then: &BTreeMap<String, T>) {
            for (series, count) in then {
                now.entry(series.clone()).or_insert_with(|| count.clone());
            }
        }
        keep(&mut self.total, &then.total);
        keep(&mut self.bad, &then.bad);
        keep(&mut self.latency, &then.latency);
        self
    }

    /// All observations.
    pub fn all(&self) -> u64 {
        sum(&self.total)
    }

    /// The bad ones.
    pub fn all_bad(&self) -> u64 {
        sum(&self.bad)
    }

    /// All durations; absent where there is no series, or series have different bounds.
    pub fn all_durations(&self) -> Option<Histogram> {
        let mut series = self.latency.values();
        let mut all = series.next()?.clone();
        for one in series {
            if one.bounds != all.bounds || one.counts.len() != all.counts.len() {
                return None;
            }
            for (sum, count) in all.counts.iter_mut().zip(&one.counts) {
                *sum = sum.saturating_add(*count);
            }
        }
        Some(all)
    }
}

fn sum(series: &BTreeMap<String, u64>) -> u64 {
    series.values().fold(0, |sum, count| sum.saturating_add(*count))
}

/// Absent where it began again, or has other bounds now.
fn minus(now: &Histogram, then: &Histogram) -> Option<Histogram> {
    if now.bounds != then.bounds || now.counts.len() != then.counts.len() {
        return None;
    }
    let counts = now.counts.iter().zip(&then.counts).map(|(now, then)| now.checked_sub(*then));
    Some(Histogram { bounds: now.bounds.clone(), counts: counts.collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(total: &[(&str, u64)]) -> Tally {
        Tally { total: total.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(), ..Tally::default() }
    }

    #[test]
    fn each_series_begins_again_by_itself() {
        let then = tally(&[("a", 100), ("b", 1000), ("gone", 7)]);
        let now = tally(&[("a", 130), ("b", 5), ("new", 3)]);
        let since = now.since(&then);
        assert_eq!(since, tally(&[("a", 30), ("b", 5), ("new", 3)]));
        assert_eq!(since.all(), 38);
        let back = tally(&[("gone", 9)]).since(&now.remembering(&then));
        assert_eq!(back.all(), 2, "a scrape that was missed does not count everything again");
    }

    #[test]
    fn histograms_begin_again_as_a_whole_and_add_up_where_their_bounds_agree() {
        let histogram =
            |bounds: &[f64], counts: &[u64]| Histogram { bounds: bounds.into(), counts: counts.into() };
        let of = |series: &[(&str, Histogram)]| Tally {
            latency: series.iter().map(|(s, h)| ((*s).to_owned(), h.clone())).collect(),
            ..Tally::default()
        };
        let then = of(&[("a", histogram(&[5.0], &[10, 2])), ("b", histogram(&[5.0], &[10, 2]))]);
        let now = of(&[("a", histogram(&[5.0], &[15, 2])), ("b", histogram(&[5.0], &[1, 3]))]);
        assert_eq!(now.since(&then).all_durations(), Some(histogram(&[5.0], &[6, 3])));
        let mixed = of(&[("a", histogram(&[5.0], &[1, 1])), ("b", histogram(&[6.0], &[1, 1]))]);
        assert_eq!((mixed.all_durations(), Tally::default().all_durations()), (None, None));
    }
}

//! Counters of one version.
//!
//! Only atomics, and a lock that is held for a few counts, so that requests never wait long for each other. Requests routed by weight and requests that name a
//! version are counted apart: the first are evidence about traffic, the second are probes.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use serde_json::Value;
use tagship_domain::traffic::{Counters, Histogram};

/// Upper bounds of the latency histogram, in seconds; a last bucket holds everything above.
pub(super) const LATENCY_BOUNDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// How a request to a version ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// With an answer.
    Answered,
    /// The request itself was wrong.
    Rejected,
    /// The version failed, or took too long.
    Failed,
    /// The client went away before the answer.
    Abandoned,
}

impl Ending {
    pub(super) const ALL: [Self; 4] = [Self::Answered, Self::Rejected, Self::Failed, Self::Abandoned];

    /// The word in metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Everything counted about one version.
#[derive(Debug, Default)]
pub(super) struct ArmMetrics {
    /// Requests that were routed here by weight.
    pub(super) routed: Traffic,
    /// Requests that named this version.
    pub(super) direct: Traffic,
    /// Labels of feedback that agreed with the prediction, of requests that were routed here by weight.
    pub(super) correct: AtomicU64,
    /// Labels of feedback that did not.
    pub(super) incorrect: AtomicU64,
    /// Labels that were predicted for requests that were routed here by weight.
    pub(super) classes: Classes,
}

/// Predicted labels by class. Bounded: what is no class of a few counts as [`OTHER`].
#[derive(Debug, Default)]
pub(super) struct Classes {
    counts: Mutex<BTreeMap<String, u64>>,
}

/// Most classes that are told apart.
const MAX_CLASSES: usize = 32;
/// The class of every further label.
const OTHER: &str = "(other)";

impl Classes {
    /// Counts the labels of one answer.
    pub(super) fn add(&self, labels: &[Value]) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for label in labels {
            let word = label.as_str().map_or_else(|| label.to_string(), str::to_owned);
            let is_full = counts.len() >= MAX_CLASSES && !counts.contains_key(&word);
            *counts.entry(if is_full { OTHER.to_owned() } else { word }).or_default() += 1;
        }
    }

    /// All counts; absent while nothing was predicted.
    pub(super) fn counts(&self) -> Option<BTreeMap<String, u64>> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        (!counts.is_empty()).then(|| counts.clone())
    }
}

impl ArmMetrics {
    /// Totals in the words of a rollout.
    pub(super) fn counters(&self) -> Counters {
        Counters {
            requests: self.routed.requests(),
            errors: self.routed.ended(Ending::Failed),
            latency: Some(self.routed.histogram()),
            correct: self.correct.load(Relaxed),
            incorrect: self.incorrect.load(Relaxed),
            classes: self.classes.counts(),
            ..Counters::default()
        }
    }
}

/// Requests that took one way.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    endings: [AtomicU64; 4],
    buckets: [AtomicU64; LATENCY_BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Traffic {
    /// Counts a request when the measure ends; as [`Ending::Abandoned`] where it is dropped without an ending.
    pub(super) fn measure(&self) -> Measure<'_> {
        Measure { traffic: self, begun: Instant::now(), ending: Ending::Abandoned }
    }

    /// Requests that ended so.
    pub(super) fn ended(&self, ending: Ending) -> u64 {
        self.endings[ending as usize].load(Relaxed)
    }

    /// Requests that ended in any way.
    fn requests(&self) -> u64 {
        Ending::ALL.iter().map(|ending| self.ended(*ending)).sum()
    }

    /// The histogram in milliseconds, not cumulated.
    fn histogram(&self) -> Histogram {
        Histogram {
            bounds: LATENCY_BOUNDS.iter().map(|seconds| seconds * 1000.0).collect(),
            counts: self.buckets.iter().map(|bucket| bucket.load(Relaxed)).collect(),
        }
    }

    /// Cumulative counts of the histogram, one per bound and one for everything, and the sum in seconds.
    pub(super) fn latency(&self) -> ([u64; LATENCY_BOUNDS.len() + 1], f64) {
        let mut total = 0;
        let cumulative = std::array::from_fn(|at| {
            total += self.buckets[at].load(Relaxed);
            total
        });
        (cumulative, Duration::from_nanos(self.nanos.load(Relaxed)).as_secs_f64())
    }

    fn record(&self, ending: Ending, took: Duration) {
        self.endings[ending as usize].fetch_add(1, Relaxed);
        let seconds = took.as_secs_f64();
        let bucket =
            LATENCY_BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(LATENCY_BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }
}

/// One request under way.
#[derive(Debug)]
pub(super) struct Measure<'a> {
    traffic: &'a Traffic,
    begun: Instant,
    ending: Ending,
}

impl Measure<'_> {
    /// Ends it and answers how long it took.
    pub(super) fn end(mut self, ending: Ending) -> Duration {
        self.ending = ending;
        self.begun.elapsed()
    }
}

impl Drop for Measure<'_> {
    fn drop(&mut self) {
        self.traffic.record(self.ending, self.begun.elapsed());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_nobody_ended_was_abandoned() {
        let traffic = Traffic::default();
        traffic.measure().end(Ending::Answered);
        traffic.measure().end(Ending::Failed);
        drop(traffic.measure());
        assert_eq!((traffic.requests(), traffic.ended(Ending::Failed)), (3, 1));
        assert_eq!(traffic.ended(Ending::Abandoned), 1);
    }

    #[test]
    fn classes_beyond_the_first_few_count_together() {
        let classes = Classes::default();
        assert_eq!(classes.counts(), None);
        for class in 0..40 {
            classes.add(&[class.into(), "same".into()]);
        }
        let counts = classes.counts().unwrap();
        assert_eq!((counts["same"], counts["0"], counts[OTHER]), (40, 1, 9));
        assert_eq!(counts.len(), MAX_CLASSES + 1);
    }

    #[test]
    fn the_histogram_is_cumulative() {
        let traffic = Traffic::default();
        for millis in [1, 2, 60_000] {
            traffic.record(Ending::Answered, Duration::from_millis(millis));
        }
        let (buckets, sum) = traffic.latency();
        let at = |bound: f64| buckets[LATENCY_BOUNDS.iter().position(|b| *b >= bound).unwrap()];
        assert_eq!((at(0.000_5), at(0.001), at(0.002_5), at(10.0)), (0, 1, 2, 2));
        assert_eq!(buckets[LATENCY_BOUNDS.len()], 3);
        assert!((sum - 60.003).abs() < 1e-9);
    }
}

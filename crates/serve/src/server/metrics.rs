//! Counters of one version.
//!
//! Only atomics, so that requests never wait for each other. Requests routed by weight or by a header
//! and requests that name a version are counted apart: the first are evidence about traffic, the others are probes.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use tagship_domain::traffic::{Counters, Histogram, ShadowCounters};

use super::{
    classes::ClassCounts,
    distance::{DistanceTotals, Distances},
};

/// Upper bounds of the latency histogram, in seconds; a last bucket holds everything above.
pub(super) const LATENCY_BOUNDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Buckets of the histogram.
const BUCKETS: usize = LATENCY_BOUNDS.len() + 1;

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

/// How a request came to its version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// By weight: evidence about the version.
    Weighted,
    /// By a header that leads requests to the version: evidence too.
    Matched,
    /// It named the version: a probe.
    Direct,
}

/// Everything counted about one version.
#[derive(Debug, Default)]
pub(super) struct ArmMetrics {
    weighted: Traffic,
    matched: Traffic,
    direct: Traffic,
    /// Predicted labels of requests that did not name the version.
    pub(super) classes: ClassCounts,
    /// Copies of requests that another version answered.
    pub(super) shadow: ShadowCounts,
}

/// How a copy of a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyEnding {
    /// With the same answer as the original.
    Agreed,
    /// With another answer.
    Disagreed,
    /// The version failed, or took too long.
    Failed,
    /// There was no room or no turn for it; says nothing about the version.
    Dropped,
}

/// Who was right about a request that two versions answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    BothRight,
    BothWrong,
    OnlyStableWrong,
    OnlyCandidateWrong,
}

/// What is counted about copies.
#[derive(Debug, Default)]
pub(super) struct ShadowCounts {
    copies: [AtomicU64; 4],
    pairs: [AtomicU64; 4],
    originals: Durations,
    answers: Durations,
    /// How far apart the scores of both answers were.
    pub(super) distances: Distances,
}

/// Each counter of [`ShadowCounts`], read once.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShadowTotals {
    copies: [u64; 4],
    pairs: [u64; 4],
    /// How long the model took whose answers counted.
    pub(super) originals: DurationTotals,
    /// How long this one took for the copies.
    pub(super) answers: DurationTotals,
    /// How far its scores were from the others.
    pub(super) distances: DistanceTotals,
}

impl CopyEnding {
    pub(super) const ALL: [Self; 4] = [Self::Agreed, Self::Disagreed, Self::Failed, Self::Dropped];

    /// The word in metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Disagreed => "disagreed",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl Pair {
    pub(super) const ALL: [Self; 4] =
        [Self::BothRight, Self::BothWrong, Self::OnlyStableWrong, Self::OnlyCandidateWrong];

    /// The word in metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::BothRight => "both_right",
            Self::BothWrong => "both_wrong",
            Self::OnlyStableWrong => "only_stable_wrong",
            Self::OnlyCandidateWrong => "only_candidate_wrong",
        }
    }
}

impl ShadowCounts {
    /// Counts how long the models took for a request and its copy.
    pub(super) fn took(&self, original: Duration, answer: Duration) {
        self.originals.record(original);
        self.answers.record(answer);
    }

    /// Counts a copy.
    pub(super) fn ended(&self, ending: CopyEnding) {
        self.copies[ending as usize].fetch_add(1, Relaxed);
    }

    /// Counts a label that came back for a request that both versions answered.
    pub(super) fn judged(&self, pair: Pair) {
        self.pairs[pair as usize].fetch_add(1, Relaxed);
    }

    /// All counts; absent while nothing was counted.
    pub(super) fn totals(&self) -> Option<ShadowTotals> {
        // Pairs first: each was counted as a copy before.
        let pairs = self.pairs.each_ref().map(|count| count.load(Relaxed));
        let copies = self.copies.each_ref().map(|count| count.load(Relaxed));
        let (originals, answers) = (self.originals.totals(), self.answers.totals());
        let distances = self.distances.totals();
        let totals = ShadowTotals { copies, pairs, originals, answers, distances };
        copies.iter().any(|count| *count > 0).then_some(totals)
    }
}

impl ShadowTotals {
    pub(super) const NONE: Self = Self {
        copies: [0; 4],
        pairs: [0; 4],
        originals: DurationTotals::NONE,
        answers: DurationTotals::NONE,
        distances: DistanceTotals::NONE,
    };

    /// Copies that ended so.
    pub(super) fn ended(&self, ending: CopyEnding) -> u64 {
        self.copies[ending as usize]
    }

    /// Labelled requests of which this is true.
    pub(super) fn judged(&self, pair: Pair) -> u64 {
        self.pairs[pair as usize]
    }

    /// The same in the words of a rollout; what was dropped says nothing about the version.
    pub(super) fn counters(&self) -> ShadowCounters {
        let disagreed = self.ended(CopyEnding::Disagreed);
        ShadowCounters {
            compared: self.ended(CopyEnding::Agreed) + disagreed,
            disagreed,
            labelled: self.pairs.iter().sum(),
            only_stable_wrong: self.judged(Pair::OnlyStableWrong),
            only_candidate_wrong: self.judged(Pair::OnlyCandidateWrong),
            failed: self.ended(CopyEnding::Failed),
            latency: Some(self.answers.histogram()),
            stable_latency: Some(self.originals.histogram()),
            distances: Some(self.distances.histogram()),
        }
    }
}

impl Route {
    pub(super) const ALL: [Self; 3] = [Self::Weighted, Self::Matched, Self::Direct];

    /// The word in metrics.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Weighted => "weighted",
            Self::Matched => "matched",
            Self::Direct => "direct",
        }
    }
}

impl ArmMetrics {
    /// What is counted about requests that took one way.
    pub(super) fn by(&self, route: Route) -> &Traffic {
        match route {
            Route::Weighted => &self.weighted,
            Route::Matched => &self.matched,
            Route::Direct => &self.direct,
        }
    }

    /// Totals in the words of a rollout; of requests that did not name the version.
    pub(super) fn counters(&self) -> Counters {
        let totals = self.weighted.totals().and(&self.matched.totals());
        Counters {
            requests: totals.requests(),
            errors: totals.ended(Ending::Failed),
            correct: totals.correct,
            incorrect: totals.incorrect,
            classes: self.classes.totals(),
            latency: Some(totals.durations.histogram()),
            shadow: self.shadow.totals().map(|totals| totals.counters()),
        }
    }
}

/// Requests that took one way, and the labels that came back for them.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    endings: [AtomicU64; 4],
    durations: Durations,
    correct: AtomicU64,
    incorrect: AtomicU64,
}

/// Each counter of a [`Traffic`], read once, so that shares of one set of totals are never above one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Totals {
    endings: [u64; 4],
    /// How long they took.
    pub(super) durations: DurationTotals,
    /// Labels of feedback that agreed with the prediction.
    pub(super) correct: u64,
    /// Labels of feedback that did not.
    pub(super) incorrect: u64,
}

impl Traffic {
    /// Counts a request when the measure ends; as [`Ending::Abandoned`] where it is dropped without an ending.
    pub(super) fn measure(&self) -> Measure<'_> {
        Measure { traffic: self, begun: Instant::now(), ending: Ending::Abandoned }
    }

    /// Counts labels that came back.
    pub(super) fn judged(&self, correct: u64, incorrect: u64) {
        self.correct.fetch_add(correct, Relaxed);
        self.incorrect.fetch_add(incorrect, Relaxed);
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            endings: self.endings.each_ref().map(|count| count.load(Relaxed)),
            durations: self.durations.totals(),
            correct: self.correct.load(Relaxed),
            incorrect: self.incorrect.load(Relaxed),
        }
    }

    fn record(&self, ending: Ending, took: Duration) {
        self.endings[ending as usize].fetch_add(1, Relaxed);
        self.durations.record(took);
    }
}

/// A histogram of durations.
#[derive(Debug, Default)]
struct Durations {
    buckets: [AtomicU64; BUCKETS],
    nanos: AtomicU64,
}

/// The same, read once.
#[derive(Debug, Clone, Copy)]
pub(super) struct DurationTotals {
    buckets: [u64; BUCKETS],
    /// All durations together, in seconds.
    pub(super) seconds: f64,
}

impl Durations {
    fn record(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let bucket =
            LATENCY_BOUNDS.iter().position(|bound| seconds <= *bound).unwrap_or(LATENCY_BOUNDS.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.nanos.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn totals(&self) -> DurationTotals {
        DurationTotals {
            buckets: self.buckets.each_ref().map(|count| count.load(Relaxed)),
            seconds: Duration::from_nanos(self.nanos.load(Relaxed)).as_secs_f64(),
        }
    }
}

impl DurationTotals {
    /// Both together.
    fn and(&self, other: &Self) -> Self {
        let mut buckets = self.buckets;
        buckets.iter_mut().zip(other.buckets).for_each(|(bucket, more)| *bucket += more);
        Self { buckets, seconds: self.seconds + other.seconds }
    }

    const NONE: Self = Self { buckets: [0; BUCKETS], seconds: 0.0 };

    /// Cumulative counts of the histogram: one per bound, then one for everything.
    pub(super) fn cumulative(&self) -> [u64; BUCKETS] {
        let mut total = 0;
        self.buckets.map(|count| {
            total += count;
            total
        })
    }

    /// The same in the words of a rollout.
    fn histogram(&self) -> Histogram {
        Histogram {
            bounds: LATENCY_BOUNDS.iter().map(|seconds| seconds * 1000.0).collect(),
            counts: self.buckets.to_vec(),
        }
    }
}

impl Totals {
    /// Both together.
    fn and(&self, other: &Self) -> Self {
        let mut endings = self.endings;
        endings.iter_mut().zip(other.endings).for_each(|(ending, more)| *ending += more);
        Self {
            endings,
            durations: self.durations.and(&other.durations),
            correct: self.correct + other.correct,
            incorrect: self.incorrect + other.incorrect,
        }
    }

    /// Requests that ended so.
    pub(super) fn ended(&self, ending: Ending) -> u64 {
        self.endings[ending as usize]
    }

    /// Requests that ended in any way.
    pub(super) fn requests(&self) -> u64 {
        self.endings.iter().sum()
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
        let totals = traffic.totals();
        assert_eq!((totals.requests(), totals.ended(Ending::Failed)), (3, 1));
        assert_eq!(totals.ended(Ending::Abandoned), 1);
    }

    #[test]
    fn the_histogram_is_cumulative() {
        let traffic = Traffic::default();
        for millis in [1, 2, 60_000] {
            traffic.record(Ending::Answered, Duration::from_millis(millis));
        }
        let totals = traffic.totals();
        let buckets = totals.durations.cumulative();
        let at = |bound: f64| buckets[LATENCY_BOUNDS.iter().position(|b| *b >= bound).unwrap()];
        assert_eq!((at(0.000_5), at(0.001), at(0.002_5), at(10.0)), (0, 1, 2, 2));
        assert_eq!(buckets[LATENCY_BOUNDS.len()], 3);
        assert!((totals.durations.seconds - 60.003).abs() < 1e-9);
    }

    #[test]
    fn probes_are_no_evidence() {
        let metrics = ArmMetrics::default();
        for route in [Route::Direct, Route::Direct, Route::Weighted] {
            metrics.by(route).record(Ending::Failed, Duration::from_millis(2));
        }
        metrics.by(Route::Direct).judged(0, 5);
        metrics.by(Route::Weighted).judged(3, 1);
        let counters = metrics.counters();
        assert_eq!((counters.requests, counters.errors), (1, 1));
        assert_eq!((counters.correct, counters.incorrect), (3, 1));
        let latency = counters.latency.unwrap();
        assert_eq!((latency.bounds[4], latency.counts[4], latency.total()), (2.5, 1, 1));
    }
}

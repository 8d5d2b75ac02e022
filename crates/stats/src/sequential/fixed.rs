//! One-sample e-processes against a fixed bound on the failure share: what the boundary e-process becomes where
//! stable's rate is known exactly.
//!
//! The likelihood ratio of a rate above the bound to the bound itself has a mean of at most 1 for every rate up to the
//! bound, and one below the bound for every rate from the bound on.

use tagship_domain::{evidence::FixedEvidence, traffic::Histogram};

use super::{
    Alternatives, LogEvidence,
    alternatives::{GROSS, GROSSLY},
    dispersion,
    process::{self, Speed},
    real, total,
};

/// Rates of the promotion's alternatives over the bound.
const BETTER: [f64; 4] = [0.1, 0.35, 0.65, 0.85];

/// What a test against a fixed bound is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedTest {
    /// How evidence becomes a verdict.
    pub speed: Speed,
    /// Regressions to look out for.
    pub alternatives: Alternatives,
    /// Largest failure share that is good enough.
    pub bound: f64,
}

/// Counts of one window. What is bad is known exactly where both numbers of bad ones are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FixedWindow {
    /// Observations.
    pub n: u64,
    /// Of these, surely bad.
    pub bad: u64,
    /// Of these, possibly bad.
    pub at_most_bad: u64,
}

/// Adds one window; without observations it adds nothing.
pub fn update(state: &mut FixedEvidence, test: &FixedTest, window: FixedWindow) {
    let FixedWindow { n, bad, at_most_bad } = window;
    if n == 0 {
        return;
    }
    let bound = test.bound.clamp(1e-9, 1.0 - 1e-9);
    let phi = dispersion::temper(&state.processes.dispersion);
    let worse = test.alternatives.beyond(1.0);
    process::add_rollback(&mut state.processes, test.speed, worse.len(), |at| {
        log_e(bad, n, bound, above(bound, worse[at])) / phi
    });
    if test.speed == Speed::TwoSpeed {
        let gross = above(bound, GROSSLY);
        process::add(&mut state.processes.gross, GROSS.len(), |at| {
            log_e(bad, n, gross, above(gross, GROSS[at]))
        });
    }
    process::add_promotion(&mut state.processes, test.speed, BETTER.len(), |at| {
        log_e(at_most_bad, n, bound, bound * BETTER[at]) / phi
    });
    state.candidate.n = state.candidate.n.saturating_add(n);
    state.candidate.bad = state.candidate.bad.saturating_add(bad);
    state.at_most_bad = state.at_most_bad.saturating_add(at_most_bad);
    let share = (real(state.candidate.bad) + 0.5) / (real(state.candidate.n) + 1.0);
    dispersion::add_one_sample(&mut state.processes.dispersion, real(bad), real(n), share);
}

/// What the windows so far say.
pub fn log_evidence(state: &FixedEvidence, speed: Speed) -> LogEvidence {
    process::log_evidence(&state.processes, speed)
}

/// How many values, durations for example, were surely, and how many possibly, above a limit. They differ where the histogram
/// has no bound at the limit.
pub fn longer_than(histogram: &Histogram, limit: f64) -> FixedWindow {
    let slower_than = |kept: usize| total(histogram.counts.iter().skip(kept));
    let up_to = histogram.bounds.partition_point(|bound| *bound <= limit);
    let exact = up_to > 0 && histogram.bounds[up_to - 1] >= limit;
    FixedWindow {
        n: histogram.total(),
        bad: slower_than(if exact { up_to } else { up_to + 1 }),
        at_most_bad: slower_than(up_to),
    }
}

/// A rate `ratio` times as large as another, or, where that comes near 1, one that leaves `1/ratio` of what was good.
fn above(rate: f64, ratio: f64) -> f64 {
    (rate * ratio).min(1.0 - (1.0 - rate) / ratio)
}

/// Likelihood ratio of a rate to the bound, as a logarithm.
pub(super) fn log_e(bad: u64, n: u64, bound: f64, rate: f64) -> f64 {
    let (bad, good) = (real(bad), real(n) - real(bad));
    bad * (rate / bound).ln() + good * ((-rate).ln_1p() - (-bound).ln_1p())
}

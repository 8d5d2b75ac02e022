//! The boundary e-process on histograms: one per bound on "slower than the bound", averaged over bounds.
//!
//! It sees a shift of everything as well as a tail alone, without the estimate of a quantile. A promotion is judged
//! at one bound in the tail, because the mean of evidence over bounds would promote on one good bound.

use tagship_domain::{
    analysis::{Margin, Share},
    evidence::BucketEvidence,
    traffic::Histogram,
};

use super::{
    Alternatives, LogEvidence,
    boundary::{Block, Boundary, Side, log_e, pooled, promotion},
    dispersion, logs, real,
};

/// Most bounds that are judged; of more, so many are taken evenly. Evidence is kept for each.
pub const MAX_BOUNDS: usize = 12;
/// Stored log e-values are multiples of this: coarser than elsewhere, because there are many.
const STEP: f64 = 1e-5;
/// The tail's bound is the largest that at least this share of stable's answers is slower than. Bounds of histograms lie
/// far apart, so it stands for something between the 95th and the 99.5th percentile.
const TAIL: f64 = 0.005;
/// Observations of stable before the tail's bound is chosen.
const BEFORE_TAIL: u64 = 200;

/// What a bucket e-process is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BucketTest {
    /// How many times more often slow than stable is tolerated; 1 or more.
    pub tolerance: f64,
    /// How much more often slow than stable may be promoted.
    pub margin: Margin,
}

/// The histograms of a window do not have the bounds that the evidence is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherBounds;

/// Adds one window. Where one of the versions has no observations, it adds nothing.
///
/// # Errors
/// [`OtherBounds`], and the state is as before.
pub fn update(
    state: &mut BucketEvidence,
    test: &BucketTest,
    stable: &Histogram,
    candidate: &Histogram,
) -> Result<(), OtherBounds> {
    if stable.bounds != candidate.bounds || stable.bounds.is_empty() {
        return Err(OtherBounds);
    }
    let bounds = if state.bounds.is_empty() { evenly(&stable.bounds) } else { state.bounds.clone() };
    let (slow0, slow1) =
        (slower(stable, &bounds).ok_or(OtherBounds)?, slower(candidate, &bounds).ok_or(OtherBounds)?);
    let (n0, n1) = (stable.total(), candidate.total());
    if n0 == 0 || n1 == 0 {
        return Ok(());
    }
    state.slower.resize(bounds.len(), [0, 0]);
    state.rollback.resize(bounds.len(), vec![]);
    state.dispersion.resize(bounds.len(), <_>::default());
    state.bounds = bounds;
    state.tail = state.tail.or_else(|| tail(state));
    let blocks: Vec<Block> = slow0
        .iter()
        .zip(&slow1)
        .map(|(bad0, bad1)| Block::of(Share { n: n0, bad: *bad0 }, Share { n: n1, bad: *bad1 }))
        .collect();
    promote(state, test.margin, &blocks);
    let ratios = Alternatives::Latency.beyond(test.tolerance);
    let tolerated = Boundary { s: test.tolerance, d: 0.0 };
    for (at, block) in blocks.iter().enumerate() {
        let theta = theta(state, at);
        let phi = dispersion::temper(&state.dispersion[at]);
        logs::add(&mut state.rollback[at], ratios.len(), STEP, |alternative| {
            log_e(tolerated, Side::Worse, ratios[alternative], theta, block) / phi
        });
        dispersion::add(&mut state.dispersion[at], block);
    }
    for (total, (bad0, bad1)) in state.slower.iter_mut().zip(slow0.iter().zip(&slow1)) {
        *total = [total[0].saturating_add(*bad0), total[1].saturating_add(*bad1)];
    }
    state.n = [state.n[0].saturating_add(n0), state.n[1].saturating_add(n1)];
    Ok(())
}

/// What the windows so far say.
pub fn log_evidence(state: &BucketEvidence) -> LogEvidence {
    let all = state.rollback.iter().flatten().copied();
    LogEvidence { rollback: logs::mean(all), promotion: logs::mean(state.promotion.iter().copied()) }
}

/// The bound that says most against the candidate, by position; absent before the first window.
pub fn most_telling(state: &BucketEvidence) -> Option<usize> {
    let evidence = |at: &usize| logs::mean(state.rollback[*at].iter().copied());
    (0..state.rollback.len()).max_by(|one, other| evidence(one).total_cmp(&evidence(other)))
}

fn promote(state: &mut BucketEvidence, margin: Margin, blocks: &[Block]) {
    let (boundary, ratios) = promotion(margin);
    let log_e = |at: usize, ratio| {
        let phi = dispersion::temper(&state.dispersion[at]);
        log_e(boundary, Side::Better, ratio, theta(state, at), &blocks[at]) / phi
    };
    let gained: Vec<f64> =
        ratios.iter().map(|ratio| state.tail.map_or(0.0, |at| log_e(at, *ratio))).collect();
    logs::add(&mut state.promotion, ratios.len(), STEP, |alternative| gained[alternative]);
}

/// Share slower than a bound in earlier looks, both versions together.
fn theta(state: &BucketEvidence, at: usize) -> f64 {
    pooled(state.slower[at][0].saturating_add(state.slower[at][1]), state.n[0].saturating_add(state.n[1]))
}

fn tail(state: &BucketEvidence) -> Option<usize> {
    if state.n[0] < BEFORE_TAIL {
        return None;
    }
    let share = |at: &usize| real(state.slower[*at][0]) / real(state.n[0]);
    Some((0..state.slower.len()).rev().find(|at| share(at) >= TAIL).unwrap_or(0))
}

/// At most [`MAX_BOUNDS`] of the bounds, first and last among them.
pub fn evenly(bounds: &[f64]) -> Vec<f64> {
    if bounds.len() <= MAX_BOUNDS {
        return bounds.to_vec();
    }
    let (last, gaps) = (bounds.len() - 1, MAX_BOUNDS - 1);
    (0..MAX_BOUNDS).map(|at| bounds[(at * last + gaps / 2) / gaps]).collect()
}

/// How many durations were slower than each of `bounds`; absent where the histogram lacks one of them.
pub fn slower(histogram: &Histogram, bounds: &[f64]) -> Option<Vec<u64>> {
    let mut counts = vec![];
    let (mut rest, mut at) = (histogram.total(), 0);
    for bound in bounds {
        loop {
            let candidate = *histogram.bounds.get(at)?;
            rest = rest.saturating_sub(*histogram.counts.get(at)?);
            at += 1;
            if candidate.total_cmp(bound).is_eq() {
                break;
            }
        }
        counts.push(rest);
    }
    Some(counts)
}

//! The boundary e-process on the failure shares of two versions.
//!
//! The null for a rollback is `t1 <= s*t0 + d`, for a promotion `t1 >= s*t0 + d`, with `t0`, `t1` the failure
//! probabilities of stable and candidate. A block e-value is the likelihood ratio of an alternative to the null point
//! nearest to it, divided by its own largest mean over the boundary of the null. That division makes it valid for
//! every pair of true rates in the null; the nearness makes it powerful.

use tagship_domain::{
    analysis::{Margin, Share},
    evidence::BoundaryEvidence,
};

use super::{
    Alternatives, LogEvidence,
    alternatives::{GROSS, GROSSLY},
    dispersion,
    process::{self, Speed},
    real,
};

/// Ratios of the promotion test's alternatives: candidate over stable.
const BETTER_THAN_RATIO: [f64; 2] = [0.7, 1.0];
const BETTER_THAN_ABSOLUTE: [f64; 2] = [0.8, 1.0];

/// Pooled failure share where nothing was seen before.
const UNSEEN: f64 = 1e-6;
/// Halvings of the bracket around the nearest null point.
const HALVINGS: usize = 40;
/// How far odds ratios stay away from 1, where an e-value would say nothing.
const APART: f64 = 1e-9;

/// What a boundary e-process is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundaryTest {
    /// How evidence becomes a verdict.
    pub speed: Speed,
    /// Regressions to look out for.
    pub alternatives: Alternatives,
    /// How many times worse than stable is tolerated; 1 or more.
    pub tolerance: f64,
    /// How much worse than stable may be promoted.
    pub margin: Margin,
}

/// Counts of one window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Block {
    pub(super) y0: f64,
    pub(super) n0: f64,
    pub(super) y1: f64,
    pub(super) n1: f64,
}

/// The boundary `t1 = s*t0 + d` between null and alternative.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Boundary {
    pub(super) s: f64,
    pub(super) d: f64,
}

/// On which side of the boundary the alternative lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// The candidate is worse than the boundary.
    Worse,
    /// The candidate is better than the boundary.
    Better,
}

/// Adds one window. Where one of the versions has no observations, it adds nothing.
pub fn update(state: &mut BoundaryEvidence, test: &BoundaryTest, stable: Share, candidate: Share) {
    if stable.n == 0 || candidate.n == 0 {
        return;
    }
    let block = Block::of(stable, candidate);
    let seen = state.stable.n.saturating_add(state.candidate.n);
    let theta = pooled(state.stable.bad.saturating_add(state.candidate.bad), seen);
    let phi = dispersion::temper(&state.processes.dispersion);
    let log_e = |boundary: Boundary, side, ratio| log_e(boundary, side, ratio, theta, &block);

    let tolerated = Boundary { s: test.tolerance, d: 0.0 };
    let worse = test.alternatives.beyond(test.tolerance);
    process::add_rollback(&mut state.processes, test.speed, worse.len(), |at| {
        log_e(tolerated, Side::Worse, worse[at]) / phi
    });
    if test.speed == Speed::TwoSpeed {
        let gross = Boundary { s: test.tolerance.max(GROSSLY), d: 0.0 };
        process::add(&mut state.processes.gross, GROSS.len(), |at| {
            log_e(gross, Side::Worse, GROSS[at] * gross.s)
        });
    }
    let (margin, better) = promotion(test.margin);
    process::add_promotion(&mut state.processes, test.speed, better.len(), |at| {
        // Without an earlier look nothing is known about the share that an absolute margin is added to.
        if seen == 0 && margin.d > 0.0 { 0.0 } else { log_e(margin, Side::Better, better[at]) / phi }
    });

    dispersion::add(&mut state.processes.dispersion, &block);
    state.stable = sum(state.stable, stable);
    state.candidate = sum(state.candidate, candidate);
}

/// What the windows so far say.
pub fn log_evidence(state: &BoundaryEvidence, speed: Speed) -> LogEvidence {
    process::log_evidence(&state.processes, speed)
}

/// Failure share of earlier looks, both versions together: it only steers where the test has power.
pub(super) fn pooled(bad: u64, n: u64) -> f64 {
    let share = if n == 0 { UNSEEN } else { (real(bad) + 0.5) / (real(n) + 1.0) };
    share.clamp(1e-6, 0.98)
}

/// The boundary of a promotion margin, and the alternatives that lie within.
pub(super) fn promotion(margin: Margin) -> (Boundary, &'static [f64]) {
    match margin {
        Margin::Ratio(s) => (Boundary { s, d: 0.0 }, &BETTER_THAN_RATIO),
        Margin::Absolute(d) => (Boundary { s: 1.0, d }, &BETTER_THAN_ABSOLUTE),
    }
}

pub(super) fn sum(earlier: Share, window: Share) -> Share {
    Share { n: earlier.n.saturating_add(window.n), bad: earlier.bad.saturating_add(window.bad) }
}

impl Block {
    pub(super) fn of(stable: Share, candidate: Share) -> Self {
        Self { y0: real(stable.bad), n0: real(stable.n), y1: real(candidate.bad), n1: real(candidate.n) }
    }

    /// The candidate's share of all observations.
    pub(super) fn q(&self) -> f64 {
        self.n1 / (self.n0 + self.n1)
    }
}

/// The block e-value of one alternative, as a logarithm: its mean is at most 1 for every pair of rates in the null.
/// `theta` is any guess at the pooled failure share that was made before the window.
pub(super) fn log_e(boundary: Boundary, side: Side, ratio: f64, theta: f64, block: &Block) -> f64 {
    let q = block.q();
    let a0 = (theta / (1.0 + (ratio - 1.0) * q)).clamp(1e-7, 0.98);
    let a1 = (ratio * a0).min(0.985);
    let b0 = nearest_null(boundary, theta, q, a0, a1);
    let b1 = boundary.at(b0);
    let (x, u) = (odds(a1) / odds(b1), odds(a0) / odds(b0));
    let (x, u) = match side {
        Side::Worse => (x.max(1.0 + APART), u.min(1.0 - APART)),
        Side::Better => (x.min(1.0 - APART), u.max(1.0 + APART)),
    };
    block.y1 * x.ln() + block.y0 * u.ln() - log_largest_mean(boundary, x, u, block)
}

/// Logarithm of the largest mean of `x^y1 * u^y0` on the boundary of the null, which is the largest on the whole
/// null. Concave in stable's rate `t`, so it lies where the slope is zero, or at an end.
fn log_largest_mean(boundary: Boundary, x: f64, u: f64, block: &Block) -> f64 {
    let Boundary { s, d } = boundary;
    let (x, u) = (x - 1.0, u - 1.0);
    let flat = -(block.n1 * s * x + block.n0 * u * (1.0 + d * x)) / ((block.n0 + block.n1) * s * x * u);
    let t = flat.clamp(0.0, ((1.0 - d) / s).clamp(0.0, 1.0));
    block.n1 * ((s * t + d) * x).ln_1p() + block.n0 * (t * u).ln_1p()
}

impl Boundary {
    fn at(self, t0: f64) -> f64 {
        (self.s * t0 + self.d).clamp(1e-9, 1.0 - 1e-9)
    }
}

/// Stable's rate at the null point nearest to the alternative: where
/// `q*kl(a1 | s*b0+d) + (1-q)*kl(a0 | b0)` is least, the root of its falling slope. An approximate root would keep the
/// test valid and could cost it nearly all of its power.
pub(super) fn nearest_null(boundary: Boundary, theta: f64, q: f64, a0: f64, a1: f64) -> f64 {
    let Boundary { s, d } = boundary;
    if d <= 0.0 {
        return nearest_ratio(s, theta, q, a0, a1);
    }
    let most = ((1.0 - d) / s).min(1.0) - 1e-9;
    let across = (a1 - d) / s;
    let (mut low, mut high) = (a0.min(across).clamp(1e-9, most), a0.max(across).clamp(1e-9, most));
    let slope = |b0: f64| {
        let b1 = boundary.at(b0);
        q * s * (a1 - b1) / (b1 * (1.0 - b1)) + (1.0 - q) * (a0 - b0) / (b0 * (1.0 - b0))
    };
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if slope(middle) > 0.0 {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The same where the boundary is a ratio alone: times `b0`, the slope is then a quadratic in it,
/// `s*b0^2 - (1 - q + q*a1 + s*(q + (1-q)*a0))*b0 + q*a1 + (1-q)*a0`, and the root is the smaller one.
fn nearest_ratio(s: f64, theta: f64, q: f64, a0: f64, a1: f64) -> f64 {
    #[expect(clippy::float_cmp, reason = "the comparison with stable itself")]
    if s == 1.0 {
        return theta;
    }
    let pooled = q * a1 + (1.0 - q) * a0;
    let linear = 1.0 - q + q * a1 + s * (q + (1.0 - q) * a0);
    let root = (linear * linear - 4.0 * s * pooled).max(0.0).sqrt();
    (2.0 * pooled / (linear + root)).clamp(1e-9, s.recip().min(1.0) - 1e-9)
}

pub(super) fn odds(p: f64) -> f64 {
    p / (1.0 - p)
}

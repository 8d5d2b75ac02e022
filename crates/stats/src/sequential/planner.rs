//! How many requests of the candidate a verdict takes, before a rollout starts.

use tagship_domain::analysis::Margin;

use super::{
    ALPHA,
    boundary::{nearest_null, promotion},
};

/// What is known about stable's failure share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stable {
    /// It is estimated next to the candidate's, from the rest of the traffic.
    Estimated,
    /// It is known exactly.
    Known,
}

/// Kullback-Leibler divergence of a coin with probability `p` from one with `q`, in nats; both strictly between 0
/// and 1.
pub fn divergence(p: f64, q: f64) -> f64 {
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q).ln() } else { 0.0 };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

/// Expected log evidence that any test with error rate [`ALPHA`] and missed share `beta` needs (Wald 1945).
pub fn wald_nats(beta: f64) -> f64 {
    (1.0 - beta) * ((1.0 - beta) / ALPHA).ln() + beta * (beta / (1.0 - ALPHA)).ln()
}

/// Requests of the candidate, on average, below which no test finds that the failure share rose from `t0` to `t1`,
/// where it gets the share `weight` of traffic (0 to 1) and `beta` of such candidates may be missed. Ours take 1.3 to
/// 2.2 times as many.
pub fn wald_floor(t0: f64, t1: f64, weight: f64, stable: Stable, beta: f64) -> f64 {
    let per_request = match stable {
        Stable::Estimated => {
            let mixed = (1.0 - weight) * t0 + weight * t1;
            divergence(t1, mixed) + (1.0 - weight) / weight * divergence(t0, mixed)
        }
        Stable::Known => divergence(t1, t0),
    };
    wald_nats(beta) / per_request
}

/// Requests of the candidate that it takes to be promoted when it is exactly as good as stable, with the failure share
/// `rate` and the share `weight` of traffic. About 20 to 35 % above the median at a weight of 10 %, so rather too
/// many than too few.
pub fn n_promote(rate: f64, weight: f64, margin: Margin) -> f64 {
    let rate = rate.clamp(1e-9, 0.98);
    let (boundary, _) = promotion(margin);
    let b0 = nearest_null(boundary, rate, weight, rate, rate);
    let b1 = boundary.s * b0 + boundary.d;
    needed(divergence(rate, b1) + (1.0 - weight) / weight * divergence(rate, b0))
}

/// Requests that it takes to show that a failure share of `rate` keeps a fixed bound; infinite where it does not.
pub fn n_promote_fixed(rate: f64, bound: f64) -> f64 {
    if rate >= bound { f64::INFINITY } else { needed(divergence(rate, bound)) }
}

/// One of two equally weighted alternatives has to reach the threshold.
fn needed(per_request: f64) -> f64 {
    (super::REJECTS.ln() + 2_f64.ln()) / per_request
}

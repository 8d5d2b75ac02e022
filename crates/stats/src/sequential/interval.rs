//! An interval for a share that holds at every look at once.
//!
//! The uniform mixture over all rates, divided by the likelihood of one rate, is an e-process against that rate; the
//! rates that it does not reject at any confidence form the interval (Robbins' method of mixtures; for the binomial
//! the mixture is `y! (n-y)! / (n+1)!`).

use super::real;
use crate::{Interval, binomial::ln_factorial};

/// Halvings towards each end.
const HALVINGS: usize = 50;

/// The interval of a share after `bad` of `n` observations; all of [0, 1] without any.
pub fn share(bad: u64, n: u64, confidence: f64) -> Interval {
    let bad = bad.min(n);
    if n == 0 {
        return Interval { low: 0.0, high: 1.0, confidence };
    }
    let limit = -(1.0 - confidence).ln();
    let estimate = real(bad) / real(n);
    let mixture = log_mixture(bad, n);
    let rejected = |rate: f64| mixture - log_likelihood(bad, n, rate) >= limit;
    let end = |mut outside: f64| {
        let mut inside = estimate;
        if !rejected(outside) {
            return outside;
        }
        for _ in 0..HALVINGS {
            let middle = 0.5 * (inside + outside);
            if rejected(middle) {
                outside = middle;
            } else {
                inside = middle;
            }
        }
        outside
    };
    Interval { low: end(0.0), high: end(1.0), confidence }
}

/// Log evidence of `bad` of `n` observations against one rate.
pub fn log_evidence(bad: u64, n: u64, rate: f64) -> f64 {
    log_mixture(bad, n) - log_likelihood(bad, n, rate)
}

fn log_mixture(bad: u64, n: u64) -> f64 {
    ln_factorial(bad) + ln_factorial(n.saturating_sub(bad)) - ln_factorial(n.saturating_add(1))
}

fn log_likelihood(bad: u64, n: u64, rate: f64) -> f64 {
    // ln(0) * 0 is not 0 for the machine.
    let times = |count: u64, log: f64| if count == 0 { 0.0 } else { real(count) * log };
    times(bad, rate.ln()) + times(n.saturating_sub(bad), (-rate).ln_1p())
}

//! What e-processes on one share have in common: alternatives, tempering, the cap, and the rule of two speeds.

use tagship_domain::evidence::{Capped, Processes};

use super::{LogEvidence, logs};

/// How the evidence of one share becomes a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// One tempered e-process, which rejects at 20.
    Tempered,
    /// Tempered and capped, which rejects at 25 (alpha 0.04), or a plain one against "at most twice as bad", which
    /// rejects at 100 (alpha 0.01). Together they keep 5 %.
    TwoSpeed,
}

/// Most that one look adds to a capped log e-value, so that at least three looks agree on a verdict.
pub(super) const CAP: f64 = 1.2;
/// The same for promotion, where two must agree: a noisy minute cannot promote a candidate, and a good one waits for
/// one look more at high traffic.
const PROMOTION_CAP: f64 = 2.0;
/// The capped process's part of the error rate; [`super::REJECTS`] over it is 25.
pub(super) const CAPPED_PART: f64 = 0.8;
/// The gross process's part; [`super::REJECTS`] over it is 100.
pub(super) const GROSS_PART: f64 = 0.2;

/// Adds a window's log e-values, by alternative, to the process against "no worse than tolerated".
pub(super) fn add_rollback(
    processes: &mut Processes,
    speed: Speed,
    alternatives: usize,
    log_e: impl FnMut(usize) -> f64,
) {
    add(&mut processes.rollback, alternatives, log_e);
    cap(&mut processes.capped, speed, CAP, &processes.rollback);
}

/// The same for the process against "not within the promotion margin".
pub(super) fn add_promotion(
    processes: &mut Processes,
    speed: Speed,
    alternatives: usize,
    log_e: impl FnMut(usize) -> f64,
) {
    add(&mut processes.promotion, alternatives, log_e);
    cap(&mut processes.promotion_capped, speed, PROMOTION_CAP, &processes.promotion);
}

/// Takes what a look added to an e-process over to its capped twin. The cap is a factor that is never larger than the
/// e-value's own, so the product stays an e-process.
fn cap(capped: &mut Option<Capped>, speed: Speed, most: f64, logs: &[f64]) {
    if speed == Speed::Tempered {
        return;
    }
    let log = logs::mean(logs.iter().copied());
    let Capped { previous, total } = capped.unwrap_or_default();
    let total = logs::down(total + (log - previous).min(most), logs::STEP);
    // Rounded up: what a later look adds is counted from here, and evidence may only shrink.
    *capped = Some(Capped { previous: -logs::down(-log, logs::STEP), total });
}

/// Adds a window's log e-values, by alternative.
pub(super) fn add(logs: &mut Vec<f64>, alternatives: usize, log_e: impl FnMut(usize) -> f64) {
    logs::add(logs, alternatives, logs::STEP, log_e);
}

/// What the windows so far say. Two speeds are one number, comparable with [`super::REJECTS`]: the larger of 0.8 times the
/// capped and 0.2 times the gross e-value, which is an e-value because their sum is.
pub(super) fn log_evidence(processes: &Processes, speed: Speed) -> LogEvidence {
    let mean = |logs: &[f64]| logs::mean(logs.iter().copied());
    match speed {
        Speed::Tempered => {
            LogEvidence { rollback: mean(&processes.rollback), promotion: mean(&processes.promotion) }
        }
        Speed::TwoSpeed => {
            let capped = processes.capped.unwrap_or_default().total + CAPPED_PART.ln();
            let rollback = capped.max(mean(&processes.gross) + GROSS_PART.ln());
            LogEvidence { rollback, promotion: processes.promotion_capped.unwrap_or_default().total }
        }
    }
}

/// An e-value from its logarithm, finite however strong it is.
pub fn evidence(log: f64) -> f64 {
    log.min(690.0).exp()
}

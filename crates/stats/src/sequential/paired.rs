//! E-processes on requests that both versions answered.
//!
//! Against a rollback's null only disagreements count: where exactly one version was wrong, it is the candidate with
//! probability at most `s/(1+s)`. Against an absolute promotion margin `d` the mean of "candidate wrong minus stable
//! wrong" over all pairs is bet on (Waudby-Smith and Ramdas, arXiv 2010.09686): `1 + l*(d - X)` has a mean of at most
//! 1 where the mean of X is `d` or more.

use tagship_domain::{
    analysis::Margin,
    evidence::{PairedEvidence, Pairs},
};

use super::{LogEvidence, logs, real};

/// Ratios of disagreements that the rollback's test is on the look-out for, over what is tolerated.
const WORSE: [f64; 6] = [1.1, 1.25, 1.5, 2.0, 3.0, 6.0];
/// Ratios within a promotion margin.
const BETTER: [f64; 2] = [0.7, 1.0];
/// Stakes against an absolute margin: large ones are for versions that seldom disagree.
const STAKES: [f64; 5] = [0.05, 0.1, 0.2, 0.4, 0.8];

/// What an e-process on pairs is about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedTest {
    /// How many times more often than stable the candidate may be the one that is wrong; 1 or more.
    pub tolerance: f64,
    /// How much worse than stable may be promoted: a ratio of disagreements, or a difference in accuracy.
    pub margin: Margin,
}

/// Adds one window.
pub fn update(state: &mut PairedEvidence, test: &PairedTest, window: Pairs) {
    let s = test.tolerance;
    logs::add(&mut state.rollback, WORSE.len(), logs::STEP, |at| sign(window, s, WORSE[at] * s));
    match test.margin {
        Margin::Ratio(most) => logs::add(&mut state.promotion, BETTER.len(), logs::STEP, |at| {
            sign(window, most, BETTER[at].min(0.95 * most))
        }),
        Margin::Absolute(most) => {
            logs::add(&mut state.promotion, STAKES.len(), logs::STEP, |at| stake(window, most, STAKES[at]));
        }
    }
    let Pairs { n, only_stable_wrong, only_candidate_wrong } = &mut state.pairs;
    *n = n.saturating_add(window.n);
    *only_stable_wrong = only_stable_wrong.saturating_add(window.only_stable_wrong);
    *only_candidate_wrong = only_candidate_wrong.saturating_add(window.only_candidate_wrong);
}

/// What the windows so far say.
pub fn log_evidence(state: &PairedEvidence) -> LogEvidence {
    let mean = |logs: &[f64]| logs::mean(logs.iter().copied());
    LogEvidence { rollback: mean(&state.rollback), promotion: mean(&state.promotion) }
}

/// Likelihood ratio of the odds `r` to the odds `s` that a disagreement is the candidate's mistake, as a logarithm.
/// Valid against all odds up to `s` where `r > s`, and against all odds from `s` where `r < s`.
pub(super) fn sign(window: Pairs, s: f64, r: f64) -> f64 {
    let (b, c) = (real(window.only_stable_wrong), real(window.only_candidate_wrong));
    c * (r / s).ln() - (b + c) * ((1.0 + r) / (1.0 + s)).ln()
}

/// A bet against "the candidate is wrong more often by at least `d` of all pairs".
pub(super) fn stake(window: Pairs, d: f64, stake: f64) -> f64 {
    let (b, c) = (real(window.only_stable_wrong), real(window.only_candidate_wrong));
    let agreed = (real(window.n) - b - c).max(0.0);
    let factor = |x: f64| (stake * (d - x)).ln_1p();
    c * factor(1.0) + b * factor(-1.0) + agreed * factor(0.0)
}

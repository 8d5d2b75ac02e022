//! A two-sample e-process on class counts: do both versions predict the same distribution of labels?
//!
//! Each version's shares are predicted from earlier looks, shrunk towards the pooled ones; the block e-value is the
//! likelihood under these two over that under their mixture. Under the null its mean is at most 1 for any class
//! probabilities. A class that was never seen before counts as "other" in its first look, so that what is compared
//! was fixed before the look.

use std::collections::BTreeMap;

use tagship_domain::evidence::MultinomialEvidence;

use super::{logs, real, total};

/// Most classes that are told apart; the rest is "other".
pub const MAX_CLASSES: usize = 16;
/// Longest name of a class that is told apart, in bytes.
pub const MAX_NAME: usize = 24;
/// How many observations the pooled shares count for.
const PRIORS: [f64; 2] = [20.0, 200.0];

/// Adds one window. The first one, and one in which a version has no observations, adds no evidence.
pub fn update(
    state: &mut MultinomialEvidence,
    stable: &BTreeMap<String, u64>,
    candidate: &BTreeMap<String, u64>,
) {
    let (n0, n1) = (total(stable.values()), total(candidate.values()));
    if n0 == 0 || n1 == 0 {
        return;
    }
    let first = state.classes.is_empty() && state.other == [0, 0];
    let window = cells(state, stable, candidate);
    let earlier: Vec<[f64; 2]> =
        state.classes.values().chain([&state.other]).map(|[zero, one]| [real(*zero), real(*one)]).collect();
    let q = real(n1) / (real(n0) + real(n1));
    logs::add(&mut state.drift, PRIORS.len(), logs::STEP, |at| {
        if first { 0.0 } else { log_e(&earlier, &window, q, PRIORS[at]) }
    });
    remember(state, stable, candidate);
}

/// Log evidence against "both predict the same distribution".
pub fn log_evidence(state: &MultinomialEvidence) -> f64 {
    logs::mean(state.drift.iter().copied())
}

/// Total variation distance between the two distributions over all looks: the share of predictions that would have to
/// change to make them equal. Absent without observations of both.
pub fn distance(state: &MultinomialEvidence) -> Option<f64> {
    let [n0, n1] = totals(state);
    let apart = |[zero, one]: &[u64; 2]| (real(*one) / real(n1) - real(*zero) / real(n0)).abs();
    (n0 > 0 && n1 > 0).then(|| 0.5 * state.classes.values().chain([&state.other]).map(apart).sum::<f64>())
}

/// Observations of stable and of the candidate over all looks.
pub fn totals(state: &MultinomialEvidence) -> [u64; 2] {
    let cells = || state.classes.values().chain([&state.other]);
    [total(cells().map(|[zero, _]| zero)), total(cells().map(|[_, one]| one))]
}

/// The window's counts in the order of the known classes, "other" last.
fn cells(
    state: &MultinomialEvidence,
    stable: &BTreeMap<String, u64>,
    candidate: &BTreeMap<String, u64>,
) -> Vec<[f64; 2]> {
    let of = |classes: &BTreeMap<String, u64>, name: &String| classes.get(name).copied().unwrap_or(0);
    let mut cells: Vec<[f64; 2]> =
        state.classes.keys().map(|name| [real(of(stable, name)), real(of(candidate, name))]).collect();
    let other = |classes: &BTreeMap<String, u64>| {
        let is_known = |name: &String| state.classes.contains_key(name);
        real(total(classes.iter().filter(|(name, _)| !is_known(name)).map(|(_, n)| n)))
    };
    cells.push([other(stable), other(candidate)]);
    cells
}

/// The block e-value of one strength of the prior, as a logarithm.
pub(super) fn log_e(earlier: &[[f64; 2]], window: &[[f64; 2]], q: f64, prior: f64) -> f64 {
    let sum = |of: &dyn Fn(&[f64; 2]) -> f64| earlier.iter().map(of).sum::<f64>();
    let n = [sum(&|cell| cell[0]), sum(&|cell| cell[1])];
    let pooled = sum(&|cell| cell[0] + cell[1] + 0.5);
    let mut log = 0.0;
    for (before, now) in earlier.iter().zip(window) {
        let share = (before[0] + before[1] + 0.5) / pooled;
        let [f0, f1] = [0, 1].map(|arm: usize| (before[arm] + prior * share) / (n[arm] + prior));
        let mixture = (1.0 - q) * f0 + q * f1;
        log += now[0] * (f0 / mixture).ln() + now[1] * (f1 / mixture).ln();
    }
    log
}

/// Whether a name takes little room in the journal.
fn is_short(name: &str) -> bool {
    name.len() <= MAX_NAME && !name.contains(|c: char| c.is_control() || matches!(c, '"' | '\\'))
}

/// Counts of known classes are added to; new classes are told apart from now on, as long as there is room.
fn remember(
    state: &mut MultinomialEvidence,
    stable: &BTreeMap<String, u64>,
    candidate: &BTreeMap<String, u64>,
) {
    for (arm, classes) in [stable, candidate].into_iter().enumerate() {
        for (name, n) in classes {
            let room = state.classes.len() < MAX_CLASSES && is_short(name);
            if !state.classes.contains_key(name) && room {
                state.classes.insert(name.clone(), [0, 0]);
            }
            let cell = state.classes.get_mut(name).unwrap_or(&mut state.other);
            cell[arm] = cell[arm].saturating_add(*n);
        }
    }
}

//! How much more counts vary from look to look than independent requests would, and how much less they then count.
//!
//! Given the failures of a window, those of the candidate are binomial with the share `qq` that its traffic and the
//! ratio of the failure shares give; the squared standardised residuals of that have mean 1.

use tagship_domain::evidence::Dispersion;

use super::{boundary::Block, logs};

/// Looks' worth of belief that requests are independent.
const PRIOR: f64 = 4.0;

/// The divisor of the next look's log e-values, 1 or more. It rests on earlier looks only.
pub(super) fn temper(sums: &Dispersion) -> f64 {
    let k = sums.looks;
    if k < 1.0 {
        return 1.0;
    }
    // One degree of freedom goes to the ratio.
    let squares = sums.squares * k / (k - 1.0).max(1.0);
    ((PRIOR + squares) / (PRIOR + k)).max(1.0)
}

/// Adds a window of two versions.
pub(super) fn add(sums: &mut Dispersion, block: &Block) {
    let q = block.q();
    sums.candidate = short(sums.candidate + block.y1 * (1.0 - q));
    sums.stable = short(sums.stable + block.y0 * q);
    let ratio = ratio(sums);
    let failures = block.y0 + block.y1;
    let share = ratio * q / (1.0 + (ratio - 1.0) * q);
    add_residual(sums, block.y1, failures * share, failures * share * (1.0 - share));
}

/// Adds a window of one version with `n` observations, of which `bad`, at the overall share so far.
pub(super) fn add_one_sample(sums: &mut Dispersion, bad: f64, n: f64, share: f64) {
    add_residual(sums, bad, n * share, n * share * (1.0 - share));
}

/// The candidate's failure share over stable's, over all looks, each look compared with itself only.
pub(super) fn ratio(sums: &Dispersion) -> f64 {
    (sums.candidate + 0.5) / (sums.stable + 0.5)
}

fn add_residual(sums: &mut Dispersion, count: f64, mean: f64, variance: f64) {
    let square = if variance <= 0.5 { 1.0 } else { (count - mean).powi(2) / variance };
    sums.squares = short(sums.squares + square);
    sums.looks += 1.0;
}

/// Few digits: the sums only steer later looks, and are written to the journal.
fn short(sum: f64) -> f64 {
    logs::near(sum, 1e-3)
}

//! Every block e-value has a mean of at most 1 under its null, by summing over all outcomes.

use tagship_domain::evidence::Pairs;

use super::super::{
    boundary::{Block, Boundary, Side, log_e},
    fixed, multinomial, paired, real,
};
use crate::binomial::pmf;

const ROUNDING: f64 = 1e-9;
const RATES: [f64; 8] = [0.0, 0.001, 0.02, 0.1, 0.3, 0.7, 0.97, 1.0];
const GUESSES: [f64; 5] = [1e-6, 0.001, 0.05, 0.4, 0.98];

/// Mean of a block e-value for true rates `t0`, `t1`.
fn mean(n0: u64, n1: u64, t0: f64, t1: f64, log_e: impl Fn(&Block) -> f64) -> f64 {
    let mut mean = 0.0;
    for y0 in 0..=n0 {
        for y1 in 0..=n1 {
            let probability = pmf(y0, n0, t0) * pmf(y1, n1, t1);
            if probability > 0.0 {
                let block = Block { y0: real(y0), n0: real(n0), y1: real(y1), n1: real(n1) };
                mean += probability * log_e(&block).exp();
            }
        }
    }
    mean
}

#[test]
fn a_block_against_no_worse_than_tolerated_gains_nothing_on_average_whatever_the_rates_are() {
    for (n0, n1) in [(18, 2), (10, 10), (4, 36), (40, 4)] {
        for s in [1.0, 1.25, 2.0, 5.0] {
            for theta in GUESSES {
                for ratio in [1.05 * s, 1.5 * s, 6.0 * s] {
                    for t0 in RATES {
                        for worse in [0.0, 0.3, 0.9, 1.0] {
                            let t1 = (worse * s * t0).min(1.0);
                            let mean = mean(n0, n1, t0, t1, |block| {
                                log_e(Boundary { s, d: 0.0 }, Side::Worse, ratio, theta, block)
                            });
                            assert!(
                                mean <= 1.0 + ROUNDING,
                                "{n0} {n1} {s} {theta} {ratio} {t0} {t1}: {mean}"
                            );
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_block_against_worse_than_the_margin_gains_nothing_on_average_whatever_the_rates_are() {
    for (n0, n1) in [(18, 2), (10, 10), (40, 4)] {
        for (s, d) in [(1.5, 0.0), (1.05, 0.0), (3.0, 0.0), (1.0, 0.02), (1.0, 0.3)] {
            for theta in GUESSES {
                for ratio in [0.7, 0.8, 1.0] {
                    for t0 in RATES {
                        for worse in [0.0, 0.1, 0.6, 1.0] {
                            let margin = s * t0 + d;
                            let t1 = margin + worse * (1.0 - margin);
                            if margin > 1.0 {
                                continue;
                            }
                            let mean = mean(n0, n1, t0, t1, |block| {
                                log_e(Boundary { s, d }, Side::Better, ratio, theta, block)
                            });
                            assert!(mean <= 1.0 + ROUNDING, "{n0} {n1} {s} {d} {theta} {ratio} {t0}: {mean}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_block_of_a_hundred_observations_gains_nothing_on_average_on_the_boundary() {
    for (n0, n1) in [(90, 10), (50, 50)] {
        for (s, d, side, ratio) in [
            (1.0, 0.0, Side::Worse, 2.0),
            (1.25, 0.0, Side::Worse, 1.5),
            (2.0, 0.0, Side::Worse, 10.0),
            (1.5, 0.0, Side::Better, 1.0),
            (1.0, 0.02, Side::Better, 0.8),
        ] {
            for theta in [0.003, 0.09] {
                for t0 in [0.001, 0.01, 0.08, 0.3] {
                    let t1 = s * t0 + d;
                    let mean =
                        mean(n0, n1, t0, t1, |block| log_e(Boundary { s, d }, side, ratio, theta, block));
                    assert!(mean <= 1.0 + ROUNDING, "{n0} {n1} {s} {d} {theta} {t0}: {mean}");
                }
            }
        }
    }
}

#[test]
fn where_the_guess_is_right_the_block_wastes_nothing_on_the_boundary() {
    // At th = t0 = t1 the null point is the true one, so the mean is exactly 1.
    let mean =
        mean(90, 10, 0.08, 0.08, |block| log_e(Boundary { s: 1.0, d: 0.0 }, Side::Worse, 2.0, 0.08, block));
    assert!((mean - 1.0).abs() < 1e-3, "{mean}");
}

#[test]
fn for_rare_failures_the_block_is_the_test_of_whose_failures_they_are() {
    for ratio in [1.1_f64, 2.0, 6.0] {
        for (y0, n0, y1, n1) in [(3_u64, 900_u64, 2_u64, 100_u64), (0, 5_400, 4, 600), (20, 5_000, 20, 5_000)]
        {
            let block = Block { y0: real(y0), n0: real(n0), y1: real(y1), n1: real(n1) };
            let general = log_e(Boundary { s: 1.0, d: 0.0 }, Side::Worse, ratio, 1e-6, &block);
            let q = real(n1) / real(n0 + n1);
            let limit = real(y1) * ratio.ln() - real(y0 + y1) * (1.0 + (ratio - 1.0) * q).ln();
            assert!((general - limit).abs() < 1e-3 * (1.0 + limit.abs()), "{ratio}: {general} {limit}");
        }
    }
}

#[test]
fn a_block_against_a_fixed_bound_gains_nothing_on_average() {
    let n = 100;
    for bound in [0.01, 0.08, 0.5, 0.99] {
        for (rate, kept) in [(bound * 0.1, 1.0), (bound * 0.85, 1.0), (1.0 - (1.0 - bound) / 2.0, 0.0)] {
            for far in [0.0, 0.2, 1.0] {
                // On the bound and beyond it, on the side that the alternative is not on.
                let truth = if kept > 0.5 { bound + far * (1.0 - bound) } else { bound * (1.0 - far) };
                let mean: f64 =
                    (0..=n).map(|y| pmf(y, n, truth) * fixed::log_e(y, n, bound, rate).exp()).sum();
                assert!(mean <= 1.0 + ROUNDING, "{bound} {rate} {truth}: {mean}");
            }
        }
    }
}

#[test]
fn a_block_of_pairs_gains_nothing_on_average() {
    let n = 40;
    for disagree in [0.05, 0.3, 1.0] {
        for s in [1.0, 1.3, 2.0] {
            for (share, ratio) in [(s / (1.0 + s), 1.5 * s), (0.2, 3.0 * s), (s / (1.0 + s), 0.7 * s)] {
                if ratio < s && share < s / (1.0 + s) {
                    continue;
                }
                let sign = pairs_mean(n, disagree, share, |window| paired::sign(window, s, ratio));
                assert!(sign <= 1.0 + ROUNDING, "{disagree} {s} {ratio}: {sign}");
            }
        }
        for d in [0.01, 0.02, 0.3] {
            // The difference in accuracy is disagree * (2 share - 1).
            let share = (0.5 + 0.5 * d / disagree).min(1.0);
            if disagree < d {
                continue;
            }
            for stake in [0.05, 0.4, 0.8] {
                let bet = pairs_mean(n, disagree, share, |window| paired::stake(window, d, stake));
                assert!(bet <= 1.0 + ROUNDING, "{disagree} {d} {stake}: {bet}");
            }
        }
    }
}

/// Mean over the number of disagreements and whose mistakes they are.
fn pairs_mean(n: u64, disagree: f64, share: f64, log_e: impl Fn(Pairs) -> f64) -> f64 {
    let mut mean = 0.0;
    for disagreements in 0..=n {
        for only_candidate_wrong in 0..=disagreements {
            let window =
                Pairs { n, only_stable_wrong: disagreements - only_candidate_wrong, only_candidate_wrong };
            let probability =
                pmf(disagreements, n, disagree) * pmf(only_candidate_wrong, disagreements, share);
            mean += probability * log_e(window).exp();
        }
    }
    mean
}

#[test]
fn a_block_of_classes_gains_nothing_on_average_for_any_distribution() {
    let earlier = [[40.0, 3.0], [9.0, 4.0], [0.0, 0.0]];
    for shares in [[0.5, 0.3, 0.2], [0.9, 0.05, 0.05], [0.0, 0.1, 0.9]] {
        for (n0, n1) in [(12, 4), (7, 7)] {
            for prior in [20.0, 200.0] {
                let mut mean = 0.0;
                for (zero, p0) in trinomial(n0, shares) {
                    for (one, p1) in trinomial(n1, shares) {
                        let window: Vec<[f64; 2]> =
                            (0..3).map(|class| [real(zero[class]), real(one[class])]).collect();
                        let q = real(n1) / real(n0 + n1);
                        mean += p0 * p1 * multinomial::log_e(&earlier, &window, q, prior).exp();
                    }
                }
                assert!(mean <= 1.0 + ROUNDING, "{shares:?} {n0} {n1} {prior}: {mean}");
            }
        }
    }
}

fn trinomial(n: u64, shares: [f64; 3]) -> Vec<([u64; 3], f64)> {
    let mut outcomes = vec![];
    for first in 0..=n {
        for second in 0..=n - first {
            let rest = (shares[1] / (1.0 - shares[0])).clamp(0.0, 1.0);
            let probability = pmf(first, n, shares[0]) * pmf(second, n - first, rest);
            outcomes.push(([first, second, n - first - second], probability));
        }
    }
    outcomes
}

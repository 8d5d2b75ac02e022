//! How often, and how fast, good candidates are promoted, and how often bad ones are.

use tagship_domain::{analysis::Margin, evidence::BoundaryEvidence};
use tagship_stats::{
    random::Random,
    sequential::{
        Alternatives, REJECTS, Speed,
        boundary::{self, BoundaryTest},
        planner::n_promote,
    },
};

use crate::{
    goals::Goals,
    traffic::{Traffic, quantile},
};

type Cell = fn(f64) -> f64;

pub(crate) fn run(rollouts: u64, goals: &mut Goals) {
    println!("promotion within 30 looks of 60 s; margin 1.5x");
    println!("{:<8}{:>8}{:>8}{:>10}{:>10}{:>10}", "stable", "rps", "weight", "good %", "median", "planned");
    let test = |margin, alternatives, speed| BoundaryTest { speed, alternatives, tolerance: 1.0, margin };
    let errors = |speed| test(Margin::Ratio(1.5), Alternatives::Errors, speed);
    for (rate, baseline) in [(0.001, (|_| 0.001) as Cell), (0.01, |_| 0.01), (0.05, |_| 0.05)] {
        for (rps, weight) in [(100, 0.1), (100, 0.5), (10, 0.1)] {
            let base = Traffic::of(if weight < 0.2 { |_| 0.1 } else { |_| 0.5 }, baseline);
            let (share, median) =
                promoted(&Traffic { requests: rps * 60, ..base }, errors(Speed::TwoSpeed), rollouts);
            let planned = n_promote(rate, weight, Margin::Ratio(1.5));
            println!("{rate:<8}{rps:>8}{weight:>8}{share:>10.1}{median:>10.0}{planned:>10.0}");
            if (rate, rps, weight) == (0.01, 100, 0.1) {
                goals.at_least("5. a good candidate at 1 %, 100 rps, 10 % promoted, %", share, 97.0);
                goals.at_most("5. the same, median candidate requests", median, 4_500.0);
            }
        }
    }
    println!("\npromoted although exactly at the margin, in %");
    let mut worst = 0.0_f64;
    for (name, baseline) in [("0.1%", (|_| 0.001) as Cell), ("1%", |_| 0.01), ("5%", |_| 0.05)] {
        for (rps, noise) in [(10, 0.0), (100, 0.0), (1_000, 0.0), (100, 0.2)] {
            let shares = [(|_| 0.05) as Cell, |_| 0.1, |_| 0.5].map(|weight| {
                let base = Traffic::of(weight, baseline);
                let traffic = Traffic { requests: rps * 60, ratio: 1.5, noise, ..base };
                promoted(&traffic, errors(Speed::TwoSpeed), rollouts).0
            });
            println!("{name:<8}{rps:>6} rps, CV {noise}: {shares:.1?}");
            if noise <= 0.0 {
                worst = shares.into_iter().fold(worst, f64::max);
            }
        }
    }
    goals.at_most("5. promoted at the margin 1.5x, worst of 27 cells, %", worst, 5.0);
    let accuracy = test(Margin::Absolute(0.02), Alternatives::Accuracy, Speed::Tempered);
    let at_margin = Traffic { added: 0.02, ..Traffic::of(|_| 0.1, |_| 0.08) };
    goals.at_most("5. accuracy 0.90 promoted at +0.02, %", promoted(&at_margin, accuracy, rollouts).0, 5.0);
    let (share, median) = promoted(&Traffic::of(|_| 0.1, |_| 0.08), accuracy, rollouts);
    println!("\naccuracy 0.92 promoted at +0.02: {share:.1} %, median {median:.0} labels of the candidate\n");
}

/// Share in % and median candidate requests. Rollbacks are ignored: this is about the promotion test alone.
fn promoted(traffic: &Traffic, test: BoundaryTest, rollouts: u64) -> (f64, f64) {
    let mut requests = vec![];
    for seed in 0..rollouts {
        let mut random = Random::new(seed ^ 0x900d);
        let mut state = BoundaryEvidence::default();
        for at in 0..traffic.looks {
            let look = traffic.look(at, &mut random);
            boundary::update(&mut state, &test, look.stable, look.candidate);
            if boundary::log_evidence(&state, test.speed).promotion >= REJECTS.ln() {
                requests.push(state.candidate.n as f64);
                break;
            }
        }
    }
    requests.sort_by(f64::total_cmp);
    (100.0 * requests.len() as f64 / rollouts as f64, quantile(&requests, 0.5))
}

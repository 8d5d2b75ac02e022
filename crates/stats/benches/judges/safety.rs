//! How often a candidate that is exactly as good as stable is rolled back.

use tagship_stats::random::Random;

use crate::{
    goals::Goals,
    rules::{Machine, RULES, Rule, Verdict},
    traffic::Traffic,
};

type Cell = fn(f64) -> f64;

const RATES: [(&str, Cell); 3] = [("0.1%", |_| 0.001), ("1%", |_| 0.01), ("5%", |_| 0.05)];
const WEIGHTS: [Cell; 4] = [|_| 0.05, |_| 0.10, |_| 0.25, |_| 0.50];

pub(crate) fn run(rollouts: u64, goals: &mut Goals) {
    println!(
        "false rollbacks in %, worst of four weights (5, 10, 25, 50 %), 100 requests a second, looks of 60 s"
    );
    println!("{:<28}{:>8}{:>8}{:>8}{:>8}", "", "looks", "0.1%", "1%", "5%");
    for looks in [30, 100, 300, 1_000] {
        for (name, rule) in RULES {
            // The other rules' cells only repeat that they get worse, and one of them is quadratic.
            let ours = matches!(rule, Rule::Boundary { .. });
            if !ours && looks > 100 {
                continue;
            }
            let worst = RATES.map(|(_, baseline)| {
                WEIGHTS
                    .iter()
                    .map(|weight| {
                        let traffic = Traffic { looks, ..Traffic::of(*weight, baseline) };
                        false_share(&traffic, rule, rollouts)
                    })
                    .fold(0.0, f64::max)
            });
            println!("{name:<28}{looks:>8}{:>8.1}{:>8.1}{:>8.1}", worst[0], worst[1], worst[2]);
            if ours {
                let most = worst.into_iter().fold(0.0, f64::max);
                goals.at_most(
                    format!("1. false rollbacks at {looks} looks, {name}, worst cell, %"),
                    most,
                    5.0,
                );
            }
        }
    }
    ramp(rollouts, goals);
}

/// Weights 5-10-25-50 while the failure share of both versions rises from 0.3 to 2 %, and noise of each version's own.
fn ramp(rollouts: u64, goals: &mut Goals) {
    println!(
        "\nfalse rollbacks in %, weights 5-10-25-50, shared baseline rising 0.3 -> 2 %, noise of each version's own"
    );
    println!("{:<28}{:>10}{:>10}{:>10}", "", "CV 0", "CV 0.2", "CV 0.5");
    let weight: Cell = |progress| [0.05, 0.10, 0.25, 0.50][((progress * 4.0) as usize).min(3)];
    let baseline: Cell = |progress| 0.003 + 0.017 * progress;
    for (name, rule) in RULES {
        let shares = [0.0, 0.2, 0.5]
            .map(|noise| false_share(&Traffic { noise, ..Traffic::of(weight, baseline) }, rule, rollouts));
        println!("{name:<28}{:>10.1}{:>10.1}{:>10.1}", shares[0], shares[1], shares[2]);
        if name == "two-speed" {
            goals.at_most("4. false rollbacks, ramp with own noise CV 0.2, two-speed, %", shares[1], 5.0);
        }
    }
    println!();
}

fn false_share(traffic: &Traffic, rule: Rule, rollouts: u64) -> f64 {
    let failed = (0..rollouts).filter(|seed| {
        let mut random = Random::new(*seed);
        let mut machine = Machine::new(rule);
        (0..traffic.looks).any(|at| machine.look(&traffic.look(at, &mut random)) == Verdict::Failed)
    });
    100.0 * failed.count() as f64 / rollouts as f64
}

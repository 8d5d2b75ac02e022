//! How fast a candidate with more errors is rolled back.

use tagship_stats::{
    random::Random,
    sequential::{
        Speed,
        planner::{Stable, wald_floor},
    },
};

use crate::{
    goals::Goals,
    rules::{Machine, RULES, Rule, Verdict, boundary},
    traffic::{Traffic, quantile},
};

type Cell = fn(f64) -> f64;

/// Of the rollouts in which it was found.
struct Found {
    share: f64,
    median: f64,
    p90: f64,
    excess: f64,
}

pub(crate) fn run(rollouts: u64, goals: &mut Goals) {
    println!("detection: stable 1 %, 10 % of 100 requests a second, 30 looks of 60 s");
    println!(
        "{:<28}{:>8}{:>10}{:>10}{:>10}   {:>8}{:>10}{:>10}{:>10}",
        "", "x2 %", "median", "p90", "excess", "x5 %", "median", "p90", "excess"
    );
    for (name, rule) in RULES {
        let [two, five] = [2.0, 5.0]
            .map(|ratio| detect(&Traffic { ratio, ..Traffic::of(|_| 0.1, |_| 0.01) }, rule, rollouts));
        println!(
            "{name:<28}{:>8.1}{:>10.0}{:>10.0}{:>10.0}   {:>8.1}{:>10.0}{:>10.0}{:>10.0}",
            two.share, two.median, two.p90, two.excess, five.share, five.median, five.p90, five.excess
        );
        if name == "two-speed" {
            goals.at_least("3. x2 found by two-speed, %", two.share, 99.0);
            goals.at_most("3. x2, two-speed, median candidate requests", two.median, 3_600.0);
            goals.at_most("3. x5, two-speed, median candidate requests", five.median, 660.0);
        }
    }
    low_traffic(rollouts);
    efficiency(rollouts, goals);
}

fn low_traffic(rollouts: u64) {
    println!("\nx2 not found after 30 looks at 10 requests a second, stable 1 %, 10 %, in %");
    for (name, rule) in RULES {
        let traffic = Traffic { requests: 600, ratio: 2.0, ..Traffic::of(|_| 0.1, |_| 0.01) };
        println!("{name:<28}{:>8.1}", 100.0 - detect(&traffic, rule, rollouts).share);
    }
}

/// Median over Wald's floor when looks are small.
fn efficiency(rollouts: u64, goals: &mut Goals) {
    println!("\nsmall looks: median candidate requests over Wald's floor (beta 0.05)");
    println!(
        "{:<8}{:>8}{:>8}{:>10}{:>12}{:>12}",
        "stable", "ratio", "weight", "floor", "boundary-e", "two-speed"
    );
    let mut worst = [0.0_f64; 2];
    let rates: [(f64, Cell); 3] = [(0.001, |_| 0.001), (0.01, |_| 0.01), (0.05, |_| 0.05)];
    let weights: [(f64, Cell); 2] = [(0.1, |_| 0.1), (0.5, |_| 0.5)];
    for (rate, baseline) in rates {
        for ratio in [1.5, 2.0, 3.0] {
            for (weight, share) in weights {
                let floor = wald_floor(rate, ratio * rate, weight, Stable::Estimated, 0.05);
                let requests = (floor / weight / 60.0).ceil();
                let base = Traffic::of(share, baseline);
                let traffic = Traffic { requests: requests as u64, ratio, looks: 600, ..base };
                let over = [Speed::Tempered, Speed::TwoSpeed]
                    .map(|speed| detect(&traffic, boundary(speed), rollouts).median / floor);
                println!("{rate:<8}{ratio:>8}{weight:>8}{floor:>10.0}{:>12.2}{:>12.2}", over[0], over[1]);
                worst = [worst[0].max(over[0]), worst[1].max(over[1])];
                if (rate, ratio, weight) == (0.01, 2.0, 0.1) {
                    goals.at_most("2. 1 -> 2 %, small looks, boundary-e, median over Wald", over[0], 1.6);
                    goals.at_most("2. 1 -> 2 %, small looks, two-speed, median over Wald", over[1], 2.0);
                }
            }
        }
    }
    goals.at_most("2. every scenario, boundary-e, median over Wald", worst[0], 2.2);
    goals.at_most("2. every scenario, two-speed, median over Wald", worst[1], 2.2);
    println!();
}

fn detect(traffic: &Traffic, rule: Rule, rollouts: u64) -> Found {
    let (mut requests, mut excess) = (vec![], vec![]);
    for seed in 0..rollouts {
        let mut random = Random::new(seed ^ 0x5eed);
        let mut machine = Machine::new(rule);
        let (mut n, mut bad) = (0.0, 0.0);
        for at in 0..traffic.looks {
            let look = traffic.look(at, &mut random);
            n += look.candidate.n as f64;
            bad += look.excess;
            if machine.look(&look) == Verdict::Failed {
                requests.push(n);
                excess.push(bad);
                break;
            }
        }
    }
    requests.sort_by(f64::total_cmp);
    excess.sort_by(f64::total_cmp);
    Found {
        share: 100.0 * requests.len() as f64 / rollouts as f64,
        median: quantile(&requests, 0.5),
        p90: quantile(&requests, 0.9),
        excess: quantile(&excess, 0.5),
    }
}

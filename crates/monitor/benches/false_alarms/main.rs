//! How often columns that have not changed are called drifted, and how often changed ones are, by the default profile and by
//! the rules of Evidently 0.7; the table of `docs/drift.md`. `cargo bench -p tagship-monitor`.
//!
//! Evidently's scores are also asked at the threshold at which they alarm as often as the default profile, which nobody who
//! uses them knows: so that power is compared at equal false alarms.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints a table")]
#![allow(clippy::cast_precision_loss, reason = "simulated counts are small")]

mod laws;

use laws::{LAWS, Law};
use tagship_domain::drift::{DriftProfile, DriftReport};
use tagship_monitor::drift::{Column, Settings, conclude, measure};
use tagship_stats::random::Random;

/// Columns that are drawn of each kind.
const DRAWS: u64 = 400;
const ROWS: [[usize; 2]; 4] = [[100, 100], [1000, 700], [3000, 2500], [100_000, 20_000]];

fn main() {
    println!("| column | rows | false alarms | Evidently | power | Evidently at equal false alarms |");
    println!("|---|---|---|---|---|---|");
    for rows in ROWS {
        for law in LAWS {
            println!("{}", line(law, rows));
        }
    }
}

fn line(law: Law, rows: [usize; 2]) -> String {
    let draws = if rows[0] > 10_000 { DRAWS / 10 } else { DRAWS };
    let none: Vec<[Seen; 2]> = (0..draws).map(|seed| drawn(law, rows, seed, 0.0)).collect();
    let changed: Vec<[Seen; 2]> = (draws..2 * draws).map(|seed| drawn(law, rows, seed, law.change)).collect();
    let share = |of: &[[Seen; 2]], place: usize| {
        let drifted = of.iter().filter(|seen| seen[place].drifted).count();
        100.0 * drifted as f64 / of.len() as f64
    };
    // Evidently's strongest scores where nothing has changed, as many as ours alarmed, set the threshold.
    let mut strengths: Vec<f64> = none.iter().map(|seen| seen[1].strength).collect();
    strengths.sort_by(|one, other| other.total_cmp(one));
    let alarms = none.iter().filter(|seen| seen[0].drifted).count();
    let threshold = strengths.get(alarms).copied().unwrap_or(f64::NEG_INFINITY);
    let power = changed.iter().filter(|seen| seen[1].strength > threshold).count();
    format!(
        "| {} | {} / {} | {:.1} % | {:.1} % | {:.0} % | {:.0} % |",
        law.name,
        rows[0],
        rows[1],
        share(&none, 0),
        share(&none, 1),
        share(&changed, 0),
        100.0 * power as f64 / draws as f64,
    )
}

/// What a profile says about a column.
struct Seen {
    drifted: bool,
    /// The larger, the more it speaks for drift.
    strength: f64,
}

fn drawn(law: Law, rows: [usize; 2], seed: u64, change: f64) -> [Seen; 2] {
    let mut random = Random::new(seed);
    let reference = law.side(rows[0], &mut random, 0.0);
    let current = law.side(rows[1], &mut random, change);
    let column = Column::of("x", Some(reference), Some(current));
    [DriftProfile::Default, DriftProfile::Evidently].map(|profile| {
        let settings = Settings { profile, ..Settings::default() };
        seen(&conclude(vec![measure(&column, &settings)], &settings))
    })
}

fn seen(report: &DriftReport) -> Seen {
    let column = &report.columns[0];
    let score = column.score.unwrap_or(f64::NAN);
    // A p-value speaks for drift where it is small, a distance where it is large.
    let strength = if column.p_value.is_some() { -score } else { score };
    Seen { drifted: column.drifted == Some(true), strength }
}

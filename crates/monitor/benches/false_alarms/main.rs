//! How often columns that have not changed are called drifted, and how often changed ones are, by the default profile and by
//! the rules of Evidently 0.7; the tables of `docs/drift.md`. `cargo bench -p tagship-monitor`.
//!
//! Evidently's scores are also asked at the threshold at which they alarm as often as the default profile, which nobody who
//! uses them knows: so that power is compared at equal false alarms. `-- --curves FILE` draws that for changes of every size.
//! `-- --from NUMBER` draws others, by the seeds from this one on: what was tuned on some draws has to hold on others.

#![allow(clippy::print_stdout, missing_docs, reason = "a program that prints a table")]
#![allow(clippy::cast_precision_loss, reason = "simulated counts are small")]

mod compared;
mod curves;
mod laws;

use compared::Unchanged;
use laws::{LAWS, Law};

/// Columns that are drawn of each kind.
const DRAWS: u64 = 400;
const ROWS: [[usize; 2]; 4] = [[100, 100], [1000, 700], [3000, 2500], [100_000, 20_000]];
/// So many of them have curves: with the most rows every change is certain.
const CURVES: usize = 3;
/// With so many rows fewer are drawn.
const MANY: usize = 10_000;

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().collect();
    let value = |name: &str| words.iter().position(|word| word == name).and_then(|at| words.get(at + 1));
    let first = value("--from").map_or(Ok(0), |number| number.parse()).map_err(std::io::Error::other)?;
    if let Some(path) = value("--curves") {
        return std::fs::write(path, curves::drawn(&ROWS[..CURVES]));
    }
    println!(
        "| column | rows | false alarms | Evidently | power | Evidently | Evidently at equal false alarms |"
    );
    println!("|---|---|---|---|---|---|---|");
    for rows in ROWS {
        for law in LAWS {
            println!("{}", line(law, rows, first));
        }
    }
    println!("\n| tables of these columns, rows | false alarms of any column | Evidently |");
    println!("|---|---|---|");
    for rows in ROWS {
        let [ours, theirs] = compared::tables(&LAWS, rows, first, draws(rows) / 2);
        println!("| {} / {} | {:.1} % | {:.1} % |", rows[0], rows[1], 100.0 * ours, 100.0 * theirs);
    }
    Ok(())
}

fn draws(rows: [usize; 2]) -> u64 {
    if rows[0] > MANY { DRAWS / 10 } else { DRAWS }
}

fn line(law: Law, rows: [usize; 2], first: u64) -> String {
    let unchanged = Unchanged::draw(law, rows, first, draws(rows));
    let (alarms, power) = (unchanged.found(0.0), unchanged.found(law.change));
    format!(
        "| {} | {} / {} | {:.1} % | {:.1} % | {:.0} % | {:.0} % | {:.0} % |",
        law.name,
        rows[0],
        rows[1],
        100.0 * alarms.ours,
        100.0 * alarms.theirs,
        100.0 * power.ours,
        100.0 * power.theirs,
        100.0 * power.equal,
    )
}

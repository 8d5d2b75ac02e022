//! The checks of the gate: those that did not pass in the open, the others folded.

use tagship_domain::{
    exit::Exit,
    gate::{GateCheck, GateReport, Outcome, SeenValue},
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{mark::Mark, sentence::gate_count, text::counted};

/// Most values that are listed below a message.
const VALUES: usize = 6;

/// The checks that did not pass, worst first.
pub(crate) fn culprits(report: &GateReport, rows: usize) -> Block {
    if report.exit() == Exit::Done {
        return Block::default();
    }
    let mut bad: Vec<&GateCheck> = report.checks.iter().filter(|check| !is_fine(check)).collect();
    bad.sort_by_key(|check| std::cmp::Reverse(check.outcome));
    if bad.is_empty() { Block::default() } else { table(&bad, rows) }
}

/// The checks that passed or do not apply, folded.
pub(crate) fn passed(report: &GateReport, rows: usize) -> Block {
    let good: Vec<&GateCheck> = report.checks.iter().filter(|check| is_fine(check)).collect();
    if good.is_empty() {
        return Block::default();
    }
    let line = if report.exit() == Exit::Done {
        format!("Gate: {} passed", gate_count(report))
    } else {
        format!("Gate: {} without objection", counted(good.len(), "other check"))
    };
    Block::fold(&Inline::text(&line, 80), false, &[table(&good, rows)])
}

fn is_fine(check: &GateCheck) -> bool {
    matches!(check.outcome, Outcome::Successful | Outcome::NotApplicable)
}

fn table(checks: &[&GateCheck], rows: usize) -> Block {
    let header = [(Inline::fixed(""), Align::Centre), (Inline::fixed("Check, and what it saw"), Align::Left)];
    let cells = |check: &&GateCheck| {
        let name = Inline::text(&check.name, 80).bold();
        let told = [name, Inline::prose(&check.message, 400), unsaid(check)];
        vec![Inline::fixed(Mark::from(check.outcome).emoji()), Inline::join(told, "<br>")]
    };
    Block::table(&header, &capped(checks.iter().map(cells).collect(), rows))
}

/// The values that a check saw and its message does not name.
fn unsaid(check: &GateCheck) -> Inline {
    let unsaid = check.saw.iter().filter(|seen| !check.message.contains(&seen.path)).take(VALUES);
    let value = |seen: &SeenValue| match &seen.value {
        Some(value) => Inline::code(&format!("{} = {value}", seen.path), 100),
        None => Inline::code(&format!("{} missing", seen.path), 100),
    };
    let values = Inline::join(unsaid.map(value), ", ");
    if values.is_empty() { values } else { Inline::fixed("saw ").and(values).small() }
}

//! Objectives of a service, for someone who wants to know what burns and how much may still go wrong.

use tagship_domain::slo::{ObjectiveReport, SloReport, SloState};

use super::{paint::Style, table::headed};
use crate::{mark::Mark, number::percent, sentence::Headline};

/// The verdict, and a row per objective.
pub fn slo(report: &SloReport, style: &Style) -> String {
    let mut text = style.headline(&headline(report));
    let rows: Vec<_> =
        report.objectives.iter().map(|objective| (mark(objective.state), row(objective))).collect();
    text.push('\n');
    text.push_str(&headed(&["OBJECTIVE", "ASKED FOR", "STATE", "BUDGET LEFT", "WHY"], &rows, style));
    text
}

fn headline(report: &SloReport) -> Headline {
    let count = |state| report.objectives.iter().filter(|objective| objective.state == state).count();
    let what = format!("{} {} ({})", report.model, report.version, report.environment);
    let (symbol, said) = match report.good {
        Some(true) => (Mark::Passed, "every objective is kept".to_owned()),
        Some(false) => (
            Mark::Failed,
            format!("{} of {} objectives burn", count(SloState::Burning), report.objectives.len()),
        ),
        None => (Mark::Unknown, "whether every objective is kept cannot be said".to_owned()),
    };
    Headline { symbol, tone: symbol.tone(), text: format!("{what}: {said}") }
}

fn mark(state: SloState) -> Mark {
    match state {
        SloState::Kept => Mark::Passed,
        SloState::Burning => Mark::Failed,
        SloState::NoData | SloState::Unknown => Mark::Unknown,
    }
}

fn row(objective: &ObjectiveReport) -> Vec<String> {
    let urgent = objective.severity.map_or_else(String::new, |severity| format!(" ({severity})"));
    vec![
        objective.name.clone(),
        objective.asked.clone(),
        format!("{}{urgent}", objective.state),
        objective.budget_left.map_or_else(|| "-".to_owned(), percent),
        objective.reason.clone(),
    ]
}

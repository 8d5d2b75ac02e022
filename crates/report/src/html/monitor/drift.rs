//! Drift: each column with the spread of both sides and what the test says; what has drifted first.

use tagship_domain::drift::{ColumnDrift, DriftProfile, DriftReport, SliceDrift};

use super::{
    super::{
        escape::text,
        legend::legend,
        table::{chip, left_out, list, section as titled, table},
    },
    histogram::picture_of,
};
use crate::{
    number::{grouped_exactly, percent, value},
    text::counted,
};

/// Most columns; those that have not drifted are left out first.
const COLUMNS: usize = 60;
/// Most slices, and most columns that one of them names.
const SLICES: usize = 30;
const NAMED: usize = 6;
/// Most findings of a column.
const FINDINGS: usize = 6;

/// The headline of a page about drift alone.
pub(super) fn head(report: &DriftReport, name: &str) -> String {
    let (class, word, headline) = match report.dataset.drifted {
        Some(true) => ("bad", "drift", "The data has drifted"),
        Some(false) => ("good", "no drift", "The data has not drifted"),
        None => ("unknown", "unknown", "Whether the data has drifted cannot be said"),
    };
    format!(
        "<header><p class=\"over\">{}</p><h1>{headline} {}</h1><p class=\"lead\">{}</p></header>\n",
        text(name),
        chip(class, word),
        text(&sentence(report))
    )
}

/// The section of a page about more than drift.
pub(super) fn section(report: &DriftReport) -> String {
    let lead = format!("<p>{}</p>\n", text(&sentence(report)));
    titled("drift", "Drift", &(lead + &columns(report)))
}

/// All columns and slices.
pub(super) fn columns(report: &DriftReport) -> String {
    let mut columns: Vec<&ColumnDrift> = report.columns.iter().collect();
    columns.sort_by_key(|column| order(column.drifted));
    let rows: Vec<Vec<String>> =
        columns.iter().take(COLUMNS).enumerate().map(|(at, column)| row(at, column)).collect();
    let names = [("before", "reference".to_owned()), ("now", "current rows".to_owned())];
    let mut inside = legend(&names);
    if !rows.is_empty() {
        let head = ["Column", "Verdict", "Spread", "Test", "Missing", "What else was seen"];
        inside.push_str(&table("Drift of each column", &head, &rows));
    }
    inside.push_str(&left_out(columns.len(), COLUMNS, "columns are in the document and"));
    inside + &slices(&report.slices)
}

fn order(drifted: Option<bool>) -> u8 {
    match drifted {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    }
}

fn sentence(report: &DriftReport) -> String {
    let count = |is| report.columns.iter().filter(|column| column.drifted == is).count();
    let [reference, current] = report.rows;
    let unknown = match count(None) {
        0 => String::new(),
        unknown => format!(", {unknown} could not be judged"),
    };
    let rules = match report.profile {
        DriftProfile::Default => "",
        DriftProfile::Evidently => " by the rules of Evidently",
    };
    format!(
        "{} of {} have drifted{unknown}; {} is drift of the whole. {} current rows against {} of the reference{rules}.",
        count(Some(true)),
        counted(report.columns.len(), "column"),
        percent(report.dataset.threshold),
        grouped_exactly(current),
        grouped_exactly(reference),
    )
}

fn row(at: usize, column: &ColumnDrift) -> Vec<String> {
    let (class, word) = match column.drifted {
        Some(true) => ("bad", "drift"),
        Some(false) => ("good", "no drift"),
        None => ("unknown", "unknown"),
    };
    let kind = column.kind.map_or_else(String::new, |kind| format!("<br><small>{kind}</small>"));
    let spread = column.histogram.as_ref().map_or_else(
        || "<span class=\"small\">cannot be drawn</span>".to_owned(),
        |histogram| picture_of(&format!("c{at}"), &column.name, histogram),
    );
    let said = list(column.findings.iter().take(FINDINGS).map(|finding| finding.message.as_str()));
    let [before, now] = column.missing.map(percent);
    vec![
        format!("{}{kind}", text(&column.name)),
        chip(class, word),
        spread,
        test(column),
        text(&format!("{before} → {now}")),
        if said.is_empty() { "nothing".to_owned() } else { said },
    ]
}

fn test(column: &ColumnDrift) -> String {
    let Some(test) = &column.test else { return "none applies".to_owned() };
    let number = |number: Option<f64>| number.map_or_else(|| "unknown".to_owned(), value);
    let effect = column.effect.map_or_else(String::new, |effect| format!(", effect {}", value(effect)));
    let n = column.n.map(grouped_exactly);
    text(&format!(
        "{test} {}{effect}; drift at {}; {} against {} values",
        number(column.score),
        number(column.threshold),
        n[1],
        n[0]
    ))
}

fn slices(slices: &[SliceDrift]) -> String {
    if slices.is_empty() {
        return String::new();
    }
    let mut all: Vec<&SliceDrift> = slices.iter().collect();
    all.sort_by_key(|slice| order(slice.dataset.drifted));
    let rows: Vec<Vec<String>> = all.iter().take(SLICES).map(|slice| part(slice)).collect();
    let more = left_out(all.len(), SLICES, "slices are in the document and");
    format!(
        "<h3 class=\"part\">Parts of the rows</h3>\n{}{more}",
        table("Drift of slices", &["Slice", "Verdict", "Drifted columns", "Rows"], &rows)
    )
}

fn part(slice: &SliceDrift) -> Vec<String> {
    let (class, word) = match slice.dataset.drifted {
        Some(true) => ("bad", "drift"),
        Some(false) => ("good", "no drift"),
        None => ("unknown", "unknown"),
    };
    let drifted: Vec<&str> = slice
        .columns
        .iter()
        .filter(|column| column.drifted == Some(true))
        .map(|column| column.name.as_str())
        .collect();
    let more = drifted.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = drifted.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ") + &more;
    vec![
        text(&format!("{} = {}", slice.column, slice.value)),
        chip(class, word),
        if named.is_empty() { "none".to_owned() } else { text(&named) },
        text(&grouped_exactly(slice.rows[1])),
    ]
}

//! Drift of data, for someone who wants to know which columns to look at.

use tagship_domain::drift::{ColumnDrift, DriftProfile, DriftReport, SliceDrift};

use super::{paint::Style, table::headed};
use crate::{mark::Mark, number::percent, sentence::Headline, text::counted};

/// The verdict, a row per column with those that drifted first, and what else was seen of each.
pub fn drift(report: &DriftReport, style: &Style) -> String {
    let mut text = style.headline(&headline(report));
    let [reference, current] = report.rows;
    let profile = match report.profile {
        DriftProfile::Default => "",
        DriftProfile::Evidently => ", by the rules of Evidently",
    };
    text.push_str(
        &style.indented(&format!("{current} current rows against {reference} of the reference{profile}"), 2),
    );
    if report.columns.is_empty() {
        return text;
    }
    let mut columns: Vec<&ColumnDrift> = report.columns.iter().collect();
    columns.sort_by_key(|column| order(column.drifted));
    let header = ["COLUMN", "TEST", "SCORE", "DRIFT AT", "EFFECT", "ROWS", "WHAT ELSE"];
    let rows: Vec<_> = columns.into_iter().map(|column| (mark(column.drifted), row(column))).collect();
    text.push('\n');
    text.push_str(&headed(&header, &rows, style));
    if !report.slices.is_empty() {
        let rows: Vec<_> =
            report.slices.iter().map(|slice| (mark(slice.dataset.drifted), part(slice))).collect();
        text.push('\n');
        text.push_str(&headed(&["SLICE", "DRIFTED", "NOT JUDGED", "ROWS"], &rows, style));
    }
    text
}

/// A slice as a line: which of its columns have drifted, and how many could not be judged.
fn part(slice: &SliceDrift) -> Vec<String> {
    let drifted = slice.columns.iter().filter(|column| column.drifted == Some(true));
    let names: Vec<String> = drifted.map(|column| column.name.clone()).collect();
    let unknown = slice.columns.iter().filter(|column| column.drifted.is_none()).count();
    vec![
        format!("{}={}", slice.column, slice.value),
        names.join(", "),
        if unknown > 0 { unknown.to_string() } else { String::new() },
        slice.rows[1].to_string(),
    ]
}

fn headline(report: &DriftReport) -> Headline {
    let count = |is| report.columns.iter().filter(|column| column.drifted == is).count();
    let (drifted, unknown, all) = (count(Some(true)), count(None), report.columns.len());
    let share = percent(report.dataset.share);
    let limit = percent(report.dataset.threshold);
    let unjudged = if unknown > 0 { format!("; {unknown} could not be judged") } else { String::new() };
    let (symbol, text) = match report.dataset.drifted {
        Some(true) => {
            (Mark::Failed, format!("the data has drifted: {drifted} of {} ({share})", counted(all, "column")))
        }
        Some(false) if drifted == 0 && unknown == 0 => {
            (Mark::Passed, format!("no drift in {}", counted(all, "column")))
        }
        Some(false) if drifted == 0 => {
            (Mark::Passed, format!("no drift in {} of {}", all - unknown, counted(all, "column")))
        }
        Some(false) => (
            Mark::Passed,
            format!("{drifted} of {} drifted ({share}, below {limit})", counted(all, "column")),
        ),
        None => (
            Mark::Unknown,
            format!(
                "whether the data has drifted cannot be said: {drifted} of {} drifted",
                counted(all, "column")
            ),
        ),
    };
    Headline { symbol, tone: symbol.tone(), text: text + &unjudged }
}

fn order(drifted: Option<bool>) -> u8 {
    match drifted {
        Some(true) => 0,
        None => 1,
        Some(false) => 2,
    }
}

fn mark(drifted: Option<bool>) -> Mark {
    match drifted {
        Some(true) => Mark::Failed,
        None => Mark::Unknown,
        Some(false) => Mark::Passed,
    }
}

fn row(column: &ColumnDrift) -> Vec<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), short);
    let bound = match (column.threshold, column.p_value) {
        (Some(threshold), Some(_)) => format!("{threshold} or less"),
        (Some(threshold), None) => format!("{threshold} or more"),
        (None, _) => "-".to_owned(),
    };
    let findings: Vec<&str> = column.findings.iter().map(|finding| finding.message.as_str()).collect();
    vec![
        column.name.clone(),
        column.test.clone().unwrap_or_else(|| "-".to_owned()),
        number(column.score),
        bound,
        number(column.effect),
        column.n[1].to_string(),
        findings.join("; "),
    ]
}

/// Small numbers by their size, others to three digits.
fn short(value: f64) -> String {
    if value > 0.0 && value < 0.001 { format!("{value:.0e}") } else { format!("{value:.3}") }
}

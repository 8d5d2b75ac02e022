//! Quality of a model, for someone who wants to know whether it still does its work.

use tagship_domain::quality::{QualityEstimate, QualityReport, QualityScore};

use super::{paint::Style, table::headed};
use crate::{mark::Mark, number::percent, sentence::Headline, text::counted};

const HEADER: [&str; 6] = ["SCORE", "VALUE", "INTERVAL", "ASKED FOR", "ROWS", "WHAT ELSE"];

/// The verdict, a row per score, those of slices and of the estimate, and what else was seen.
pub fn quality(report: &QualityReport, style: &Style) -> String {
    let mut text = style.headline(&headline(report));
    text.push_str(&style.indented(&labels(report), 2));
    text.push('\n');
    text.push_str(&headed(&HEADER, &report.scores.iter().map(row).collect::<Vec<_>>(), style));
    for slice in &report.slices {
        let value = slice.value.as_deref().unwrap_or("no value");
        let labelled = counted(usize::try_from(slice.labelled).unwrap_or(usize::MAX), "labelled row");
        text.push('\n');
        text.push_str(&style.indented(&format!("{} = {value}: {labelled}", slice.column), 2));
        text.push_str(&headed(&HEADER, &slice.scores.iter().map(row).collect::<Vec<_>>(), style));
    }
    if let Some(estimate) = &report.estimate {
        text.push('\n');
        text.push_str(&style.indented(&expected(estimate), 2));
        text.push_str(&headed(&HEADER, &estimate.scores.iter().map(row).collect::<Vec<_>>(), style));
    }
    for finding in &report.findings {
        text.push_str(&style.indented(&finding.message, 2));
    }
    text
}

fn headline(report: &QualityReport) -> Headline {
    let asked: Vec<&QualityScore> = report.scores.iter().filter(|score| score.bound.is_some()).collect();
    let count = |good| asked.iter().filter(|score| score.good == good).count();
    let all = counted(asked.len(), "bound");
    let (symbol, text) = match report.good {
        Some(true) => (Mark::Passed, format!("the model keeps {all}")),
        Some(false) if count(Some(false)) == 0 => (
            Mark::Failed,
            "the model probably breaks what is asked of it: the estimate without labels does".to_owned(),
        ),
        Some(false) => (Mark::Failed, format!("the model breaks {} of {all}", count(Some(false)))),
        None if asked.is_empty() => {
            (Mark::Unknown, "scores of the model, of which nothing is asked".to_owned())
        }
        None => {
            (Mark::Unknown, format!("whether the model keeps {all} cannot be said: {} open", count(None)))
        }
    };
    Headline { symbol, tone: symbol.tone(), text }
}

fn labels(report: &QualityReport) -> String {
    let share = report.coverage.map_or_else(String::new, |share| format!(" ({})", percent(share)));
    let lag = report.label_lag.map_or_else(String::new, |lag| {
        let hours = |seconds: f64| format!("{:.1} h", seconds / 3600.0);
        format!(
            "; half of the labels came within {}, nine of ten within {}",
            hours(lag.median),
            hours(lag.p90)
        )
    });
    format!("{} of {} predictions have a label{share}{lag}", report.labelled, report.rows)
}

fn expected(estimate: &QualityEstimate) -> String {
    match &estimate.refused {
        Some(why) => format!("no estimate without labels: {why}"),
        None => format!(
            "expected of {} predictions without a label, from {} of the past; {}",
            estimate.rows, estimate.reference, estimate.assumption
        ),
    }
}

fn row(score: &QualityScore) -> (Mark, Vec<String>) {
    let mark = match (score.good, score.bound) {
        (Some(true), _) => Mark::Passed,
        (Some(false), _) => Mark::Failed,
        (None, Some(_)) => Mark::Unknown,
        (None, None) => Mark::Neutral,
    };
    let dash = || "-".to_owned();
    let interval = score.interval.map_or_else(dash, |[low, high]| format!("{low:.4} to {high:.4}"));
    let cells = vec![
        score.metric.to_string(),
        score.value.map_or_else(dash, |value| format!("{value:.4}")),
        interval,
        score.bound.map_or_else(dash, |bound| bound.to_string()),
        score.n.to_string(),
        score.reason.clone().unwrap_or_default(),
    ];
    (mark, cells)
}

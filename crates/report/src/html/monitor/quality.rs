//! Quality: scores with their intervals, whole and by slice, and how far probabilities can be believed.

use tagship_domain::quality::{QualityReport, QualityScore, QualitySlice};

use super::super::{
    escape::text,
    table::{chip, list, section as titled, table},
};
use crate::number::{grouped_exactly, percent, value};

/// Most slices.
const SLICES: usize = 30;

/// The section.
pub(super) fn section(report: &QualityReport) -> String {
    let coverage = report.coverage.map_or_else(|| "an unknown share".to_owned(), percent);
    let mut inside = format!(
        "<p>{} of {} predictions have a label ({}). Intervals are those of {}.</p>\n",
        text(&grouped_exactly(report.labelled)),
        text(&grouped_exactly(report.rows)),
        text(&coverage),
        text(&percent(report.confidence))
    );
    let rows: Vec<Vec<String>> = report.scores.iter().map(|score| row(score, "")).collect();
    let expected = report.estimate.iter().flat_map(|estimate| &estimate.scores);
    let rows: Vec<Vec<String>> =
        rows.into_iter().chain(expected.map(|score| row(score, "expected "))).collect();
    if !rows.is_empty() {
        inside.push_str(&table(
            "Scores",
            &["Score", "Value", "Between", "Asked for", "Verdict", "Rows"],
            &rows,
        ));
    }
    inside.push_str(&list(report.findings.iter().map(|finding| finding.message.as_str())));
    titled("quality", "Quality", &(inside + &slices(&report.slices)))
}

fn row(score: &QualityScore, kind: &str) -> Vec<String> {
    let number = |number: Option<f64>| number.map_or_else(|| "unknown".to_owned(), value);
    let (class, word) = match (score.good, score.bound) {
        (Some(true), _) => ("good", "kept"),
        (Some(false), _) => ("bad", "broken"),
        (None, Some(_)) => ("unknown", "open"),
        (None, None) => ("neutral", "measured"),
    };
    let between = score
        .interval
        .map_or_else(|| "unknown".to_owned(), |[low, high]| format!("{} – {}", value(low), value(high)));
    vec![
        text(&format!("{kind}{}", score.metric)),
        text(&number(score.value)),
        text(&between),
        score.bound.map_or_else(|| "nothing".to_owned(), |bound| text(&bound.to_string())),
        chip(class, word),
        text(&grouped_exactly(score.n)),
    ]
}

fn slices(slices: &[QualitySlice]) -> String {
    let of = |slice: &QualitySlice| {
        let scores: Vec<String> = slice
            .scores
            .iter()
            .filter_map(|score| Some(format!("{} {}", score.metric, value(score.value?))))
            .collect();
        vec![
            text(&format!("{} = {}", slice.column, slice.value.as_deref().unwrap_or("no value"))),
            text(&grouped_exactly(slice.rows)),
            text(&grouped_exactly(slice.labelled)),
            text(&scores.join(", ")),
        ]
    };
    let rows: Vec<Vec<String>> = slices.iter().take(SLICES).map(of).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "<h3 class=\"part\">Parts of the rows</h3>\n{}",
        table("Quality of slices", &["Slice", "Predictions", "With a label", "Scores"], &rows)
    )
}

//! What was not tested, and why: everything without a verdict, and everything that is not watched at all.

use tagship_domain::{
    drift::{ColumnDrift, DriftReport},
    incident::Standing,
    monitor::{MonitorReport, Watch},
    quality::QualityReport,
};

use super::super::{
    escape::text,
    table::{left_out, section as titled, table},
};

/// Most rows.
const MOST: usize = 60;

/// What has no verdict, with the reason.
type Open = (String, String);

/// The section. That everything has a verdict is told too.
pub(super) fn section(report: &MonitorReport) -> String {
    let mut open: Vec<Open> = vec![];
    if let Some(look) = &report.look {
        let unsaid = |standing| matches!(standing, Standing::NoData | Standing::Unknown);
        let findings = look.findings.iter().filter(|finding| unsaid(finding.standing));
        open.extend(findings.map(|finding| (finding.topic.clone(), finding.sentence.clone())));
    }
    match &report.details {
        Some(details) => {
            open.extend(details.drift.iter().flat_map(of_drift));
            open.extend(details.quality.iter().flat_map(of_quality));
        }
        None if report.look.is_some() => {
            open.push((
                "columns and objectives".to_owned(),
                "the program that looked did not keep them".to_owned(),
            ));
        }
        None => {}
    }
    open.extend(report.unwatched.iter().map(|watch| unwatched(*watch)));
    told(&open)
}

/// The same for a comparison of data.
pub(super) fn of_drift_alone(report: &DriftReport) -> String {
    told(&of_drift(report))
}

fn told(open: &[Open]) -> String {
    let rows: Vec<Vec<String>> =
        open.iter().take(MOST).map(|(what, why)| vec![text(what), text(why)]).collect();
    let inside = if rows.is_empty() {
        "<p class=\"note\">Everything that was looked at has a verdict.</p>\n".to_owned()
    } else {
        table("Not tested", &["What", "Why"], &rows)
    };
    let more = left_out(open.len(), MOST, "are");
    titled("untested", "What was not tested", &(inside + &more))
}

fn of_drift(report: &DriftReport) -> Vec<Open> {
    let columns = report.columns.iter().filter(|column| column.drifted.is_none());
    let why = |column: &ColumnDrift| {
        let said: Vec<&str> = column.findings.iter().map(|finding| finding.message.as_str()).collect();
        if said.is_empty() { "no test says anything about it".to_owned() } else { said.join("; ") }
    };
    let slices = report.slices.iter().filter(|slice| slice.dataset.drifted.is_none());
    let slices = slices.map(|slice| {
        let unknown = slice.columns.iter().filter(|column| column.drifted.is_none()).count();
        let why = format!(
            "{unknown} of {} columns cannot be judged, with {} current rows",
            slice.columns.len(),
            slice.rows[1]
        );
        (format!("drift of {} = {}", slice.column, slice.value), why)
    });
    columns.map(|column| (format!("drift of column {}", column.name), why(column))).chain(slices).collect()
}

fn of_quality(report: &QualityReport) -> Vec<Open> {
    let scores = report.scores.iter().filter(|score| score.value.is_none());
    let why =
        |reason: &Option<String>| reason.clone().unwrap_or_else(|| "the rows do not give one".to_owned());
    let mut open: Vec<Open> =
        scores.map(|score| (format!("score {}", score.metric), why(&score.reason))).collect();
    if report.labelled < report.rows {
        let without = report.rows - report.labelled;
        open.push((format!("{without} predictions"), "no label has come for them yet".to_owned()));
    }
    let refused = report.estimate.as_ref().and_then(|estimate| estimate.refused.clone());
    open.extend(refused.map(|why| ("quality without labels".to_owned(), why)));
    open
}

fn unwatched(watch: Watch) -> Open {
    let (what, key) = match watch {
        Watch::Drift => ("drift of inputs", "monitor.drift"),
        Watch::Quality => ("quality of predictions", "monitor.quality"),
        Watch::Slo => ("objectives of the service", "monitor.slo"),
        Watch::Streams => ("changes of series", "monitor.streams"),
    };
    (what.to_owned(), format!("the configuration has no {key}"))
}

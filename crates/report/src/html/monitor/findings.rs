//! Everything that is watched with its number, what was asked for, and how it stands; what is bad first.

use tagship_domain::{
    incident::{Finding, Standing},
    monitor::MonitorReport,
};

use super::super::{
    escape::text,
    table::{chip, left_out, section as titled, table},
};
use crate::{
    mark::urgency,
    number::{percent, value},
};

/// Most rows; a model with many slices has as many findings.
const MOST: usize = 60;

/// The section.
pub(super) fn section(report: &MonitorReport) -> String {
    let Some(look) = &report.look else { return String::new() };
    let mut findings: Vec<&Finding> = look.findings.iter().collect();
    findings.sort_by_key(|finding| urgency(finding.standing));
    let rows: Vec<Vec<String>> = findings.iter().take(MOST).map(|finding| row(finding)).collect();
    let inside = if rows.is_empty() {
        String::new()
    } else {
        table("What is watched", &["What", "Verdict", "Value", "Asked for", "Over", "In words"], &rows)
    };
    let more = left_out(findings.len(), MOST, "are no worse than the last of these and");
    titled("watched", "What is watched", &(inside + &more))
}

/// What is bad comes first, and what is not known before what is good.
/// Class and word of a verdict.
pub(super) fn told(standing: Standing) -> (&'static str, &'static str) {
    match standing {
        Standing::Bad => ("bad", "bad"),
        Standing::NoData => ("unknown", "no data"),
        Standing::Unknown => ("unknown", "unknown"),
        Standing::Good => ("good", "good"),
    }
}

/// The number of a topic as people read it.
pub(super) fn number(topic: &str, number: f64) -> String {
    if topic.starts_with("drift/") { percent(number) } else { value(number) }
}

fn row(finding: &Finding) -> Vec<String> {
    let (class, word) = told(finding.standing);
    vec![
        text(&finding.topic),
        chip(class, word),
        finding.value.map_or_else(|| "–".to_owned(), |value| text(&number(&finding.topic, value))),
        text(&finding.threshold),
        text(&finding.window),
        text(&finding.sentence),
    ]
}

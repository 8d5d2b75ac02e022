//! One look at what is watched, for someone who wants to know whether all is well.

use tagship_domain::incident::{Finding, IncidentPhase, Standing, WatchReport};

use super::{paint::Style, table::headed};
use crate::{
    mark::{Mark, urgency},
    sentence::Headline,
    text::counted,
};

/// The verdict, a row per thing that is watched with the bad ones first, and what is open.
pub fn watch(report: &WatchReport, style: &Style) -> String {
    let mut text = style.headline(&headline(report));
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| urgency(finding.standing));
    let rows: Vec<_> =
        findings.into_iter().map(|finding| (Mark::from(finding.standing), row(finding))).collect();
    text.push('\n');
    text.push_str(&headed(&["WATCHED", "VALUE", "ASKED FOR", "WHAT"], &rows, style));
    let open = report.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open);
    for incident in open {
        let line = format!("open since {}: {}", incident.since.readable(), incident.topic);
        text.push_str(&style.indented(&line, 2));
    }
    if !report.outbox.is_empty() {
        let waiting = format!("{} still to be sent", counted(report.outbox.len(), "notice"));
        text.push_str(&style.indented(&waiting, 2));
    }
    text
}

fn headline(report: &WatchReport) -> Headline {
    let count = |standing| report.findings.iter().filter(|finding| finding.standing == standing).count();
    let (bad, silent, open) = (count(Standing::Bad), count(Standing::NoData), count(Standing::Unknown));
    let version = report.version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
    let what = format!("{}{version} ({})", report.model, report.environment);
    let all = report.findings.len();
    let (symbol, said) = match report.good {
        Some(true) => (Mark::Passed, format!("all {all} are good")),
        Some(false) => (Mark::Failed, format!("{bad} of {all} bad")),
        None => (Mark::Unknown, "whether all is well cannot be said".to_owned()),
    };
    let others = [(silent, "without data"), (open, "unknown")];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: Vec<String> = others.map(|(count, what)| format!("; {count} {what}")).collect();
    Headline { symbol, tone: symbol.tone(), text: format!("{what}: {said}{}", others.concat()) }
}

fn row(finding: &Finding) -> Vec<String> {
    vec![
        finding.topic.clone(),
        finding.value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}")),
        finding.threshold.clone(),
        finding.sentence.clone(),
    ]
}

//! What monitoring says of the version that serves, as a short part of the status comment.

use tagship_domain::{
    incident::{Finding, Incident, IncidentPhase, Standing, WatchReport},
    monitor::MonitorReport,
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{
    mark::{Mark, Tone, urgency},
    number::{percent, value},
    standing::{ModelStanding, standing},
};

/// Most rows of the table.
const ROWS: usize = 12;
/// Most incidents that are named.
const INCIDENTS: usize = 6;
/// Share of the columns that have drifted.
const DRIFT: &str = "drift/data";

/// Verdict, when that was, numbers against their limits, and what is open.
pub(crate) fn block(report: &MonitorReport) -> Block {
    let standing = standing(report);
    let mut blocks = vec![
        Block::paragraph(&headline(report, &standing)),
        Block::paragraph(&Inline::prose(&standing.sentence, 400)),
    ];
    if let Some(look) = current(report) {
        blocks.push(table(report, look));
        blocks.push(open(look));
    }
    match standing.tone {
        Tone::Bad => Block::callout("CAUTION", &blocks),
        _ => Block::stack(&blocks),
    }
}

fn headline(report: &MonitorReport, standing: &ModelStanding) -> Inline {
    let said = Inline::fixed(standing.mark().emoji())
        .and(Inline::fixed(" "))
        .and(Inline::prose(&standing.headline, 200));
    let title = Inline::join([Inline::fixed("Monitoring").bold(), said], ": ");
    let looked = current(report).map(|look| format!("looked at {}", look.at.readable()));
    Inline::join([title, Inline::text(&looked.unwrap_or_default(), 60)], " · ")
}

/// The newest look, where it was one at what serves.
fn current(report: &MonitorReport) -> Option<&WatchReport> {
    let serves = report.past.first().map(|past| &past.version);
    let since = report.past.first().map(|past| past.at);
    let look = report.look.as_ref().filter(|look| since.is_none_or(|since| since <= look.at));
    look.filter(|look| serves.is_none() || look.version.as_ref() == serves)
}

fn table(report: &MonitorReport, look: &WatchReport) -> Block {
    let mut findings: Vec<&Finding> = look.findings.iter().filter(|finding| is_shown(finding)).collect();
    if findings.is_empty() {
        return Block::default();
    }
    findings.sort_by_key(|finding| urgency(finding.standing));
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Watched"), Align::Left),
        (Inline::fixed("Value"), Align::Left),
        (Inline::fixed("Asked for"), Align::Left),
    ];
    let cells = |finding: &&Finding| {
        vec![
            Inline::fixed(Mark::from(finding.standing).emoji()),
            Inline::text(&finding.topic, 100),
            Inline::text(&number(report, finding), 60),
            Inline::text(&finding.threshold, 120),
        ]
    };
    Block::table(&header, &capped(findings.iter().map(cells).collect(), ROWS))
}

/// A part of the rows that is as it should be is no news.
fn is_shown(finding: &Finding) -> bool {
    let is_part = finding.topic.starts_with("drift/") && finding.topic != DRIFT;
    finding.standing != Standing::Good || !is_part
}

/// The number in the words of what it is: a share of columns, a pace of a budget, a value.
fn number(report: &MonitorReport, finding: &Finding) -> String {
    let Some(number) = finding.value else {
        return match finding.standing {
            Standing::NoData => "no data",
            _ => "unknown",
        }
        .to_owned();
    };
    if finding.topic == DRIFT {
        return format!("{} of the columns drifted", percent(number));
    }
    if is_pace(report, finding) {
        return format!("{number:.2} times the pace that alarms");
    }
    value(number)
}

/// Whether the number says how fast the budget of an objective is spent.
fn is_pace(report: &MonitorReport, finding: &Finding) -> bool {
    let mut objectives = report.details.iter().flat_map(|details| &details.objectives);
    let name = finding.topic.strip_prefix("slo/");
    objectives.any(|objective| Some(objective.name.as_str()) == name && !objective.windows.is_empty())
}

/// Incidents that are open, each with its issue where it has one.
fn open(look: &WatchReport) -> Block {
    let open: Vec<&Incident> =
        look.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open).collect();
    if open.is_empty() {
        return Block::default();
    }
    let mut named: Vec<Inline> = open.iter().take(INCIDENTS).map(|incident| named(incident)).collect();
    if open.len() > INCIDENTS {
        named.push(Inline::text(&format!("and {} more", open.len() - INCIDENTS), 40));
    }
    Block::paragraph(&Inline::fixed("Open: ").and(Inline::join(named, ", ")))
}

fn named(incident: &Incident) -> Inline {
    let since = Inline::text(&format!("since {}", incident.since.readable()), 60);
    let issue = incident.issue.as_ref().map(|address| Inline::link("issue", address)).unwrap_or_default();
    let more = Inline::join([since, issue], ", ");
    Inline::text(&incident.topic, 100).bold().and(Inline::fixed(" (")).and(more).and(Inline::fixed(")"))
}

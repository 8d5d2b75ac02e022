//! What is open, and what was.

use tagship_domain::{
    incident::{Incident, IncidentPhase, WatchReport},
    monitor::MonitorReport,
    slo::Severity,
};

use super::super::{
    escape::text,
    table::{chip, left_out, section as titled, table},
};

/// Most incidents of a table.
const MOST: usize = 40;

/// The open ones.
pub(super) fn open(look: &WatchReport) -> impl Iterator<Item = &Incident> {
    look.incidents.iter().filter(|incident| incident.phase == IncidentPhase::Open)
}

/// The section; that there is none is told too.
pub(super) fn section(report: &MonitorReport) -> String {
    let Some(look) = &report.look else { return String::new() };
    let mut incidents: Vec<&Incident> = look.incidents.iter().collect();
    incidents.sort_by_key(|incident| (order(incident.phase), std::cmp::Reverse(incident.since)));
    let rows: Vec<Vec<String>> = incidents.iter().take(MOST).map(|incident| row(report, incident)).collect();
    let inside = if rows.is_empty() {
        "<p class=\"note\">None is open, and none ended lately.</p>\n".to_owned()
    } else {
        table("Incidents", &["What", "State", "Since", "What was found", "To act"], &rows)
    };
    let more = left_out(incidents.len(), MOST, "are");
    titled("incidents", "Incidents", &(inside + &more))
}

fn order(phase: IncidentPhase) -> u8 {
    match phase {
        IncidentPhase::Open => 0,
        IncidentPhase::Pending => 1,
        IncidentPhase::Resolved => 2,
    }
}

fn row(report: &MonitorReport, incident: &Incident) -> Vec<String> {
    let finding = &incident.finding;
    let (class, word) = match (incident.phase, finding.severity) {
        (IncidentPhase::Open, Severity::Page) => ("bad", "open, act now"),
        (IncidentPhase::Open, Severity::Ticket) => ("bad", "open"),
        (IncidentPhase::Pending, _) => ("unknown", "seen once"),
        (IncidentPhase::Resolved, _) => ("good", "over"),
    };
    let act = if incident.phase == IncidentPhase::Resolved {
        "nothing".to_owned()
    } else {
        format!("<code>{}</code>", text(&finding.command(&report.model, &report.environment)))
    };
    vec![
        text(&incident.topic),
        chip(class, word),
        text(&incident.since.readable()),
        text(&finding.sentence),
        act,
    ]
}

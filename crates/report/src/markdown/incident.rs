//! An incident as the text of an issue: what is bad, by which number, and what to do.

use tagship_domain::incident::IncidentNotice;

use super::inline::Inline;

/// Longest text of one line.
const LONGEST: usize = 1000;

/// The text of an issue.
pub fn incident(notice: &IncidentNotice) -> String {
    let finding = &notice.finding;
    let value = finding.value.map_or_else(|| "none".to_owned(), |value| format!("{value:.4}"));
    let version = notice.version.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
    let row = |name: &'static str, text: &str| {
        let text = Inline::text(text, LONGEST);
        format!("| {name} | {} |", text.as_str())
    };
    let mut lines = vec![
        Inline::text(&finding.sentence, LONGEST).as_str().to_owned(),
        String::new(),
        "| | |".to_owned(),
        "|---|---|".to_owned(),
        row("serving", &version),
        row("value", &value),
        row("asked for", &finding.threshold),
        row("over", &finding.window),
        row("since", &notice.opened.readable()),
        row("looked at", &notice.at.readable()),
        String::new(),
        format!("To act: {}", Inline::code(&notice.command, LONGEST).as_str()),
    ];
    let links = [("Runbook", &notice.runbook), ("The run that found it", &notice.run)];
    for (name, address) in links {
        if let Some(address) = address {
            lines.extend([String::new(), Inline::link(name, address).as_str().to_owned()]);
        }
    }
    lines.extend([String::new(), "This issue is closed when the incident is over.".to_owned()]);
    lines.join("\n")
}

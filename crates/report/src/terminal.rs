//! Plain lines and aligned tables for a terminal, a log or a pipe.

use tagship_domain::{
    decision::Decision, gate::GateReport, release::Release, report::TimelineEntry, rollout::RolloutState,
    validation::ValidationReport,
};

use crate::{
    sentence,
    text::{clean, columns},
};

/// How the terminal wants things rendered.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether colours may be used.
    pub color: bool,
    /// Columns of a line.
    pub width: usize,
    /// Whether characters outside ASCII can be shown.
    pub unicode: bool,
}

/// What was decided, one line per model and environment.
pub fn decision(decision: &Decision, style: &Style) -> String {
    let rows: Vec<Vec<String>> = decision
        .items
        .iter()
        .map(|item| vec![item.model.to_string(), item.action.to_string(), item.sentence.clone()])
        .collect();
    format!("{}\n{}", clean(&decision.sentence, 400), table(&["MODEL", "ACTION", "WHY"], &rows, style))
}

/// What validation says.
pub fn validation(report: &ValidationReport, style: &Style) -> String {
    format!(
        "{} {}\n",
        sentence::validation(report, "artifact").symbol.glyph(style.unicode),
        sentence::validation(report, "artifact").text
    )
}

/// What the gate says.
pub fn gate(report: &GateReport, style: &Style) -> String {
    let headline = sentence::gate(report, "candidate");
    format!("{} {}\n", headline.symbol.glyph(style.unicode), headline.text)
}

/// A release, and why it got its version.
pub fn release(release: &Release, because: Option<&str>, _style: &Style) -> String {
    format!("{release} {}\n", clean(because.unwrap_or_default(), 200))
}

/// Where a rollout stands, and how it came there.
pub fn rollout(state: &RolloutState, timeline: &[TimelineEntry], style: &Style) -> String {
    let headline = sentence::rollout(state);
    let mut out = format!("{} {}\n", headline.symbol.glyph(style.unicode), headline.text);
    for entry in timeline {
        out.push_str(&format!("  {} {} {}\n", entry.at.clock(), entry.phase, clean(&entry.message, 200)));
    }
    out
}

/// An aligned table.
pub fn table(header: &[&str], rows: &[Vec<String>], _style: &Style) -> String {
    let mut out = header.join("  ");
    out.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| clean(cell, columns(cell).max(1))).collect();
        out.push_str(&cells.join("  "));
        out.push('\n');
    }
    out
}

//! A rollout in the terminal: line by line while it runs, and as a whole afterwards.

use tagship_domain::{
    report::TimelineEntry,
    rollout::{Kind, RolloutState},
    time::Timestamp,
};

use super::{paint::Style, table::marked};
use crate::{
    advice::advice_for_rollout,
    mark::Mark,
    markdown::bar,
    sentence::{self, phase_name},
    text::columns,
};

/// Columns for the name of a phase; the longest is `Rollback failed`.
const LABEL: usize = 15;

/// One line of a live story, whole in itself: it reads the same in a log as on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// When.
    pub at: Timestamp,
    /// Its symbol.
    pub mark: Mark,
    /// What it is about in a word, e.g. a phase.
    pub label: String,
    /// The candidate's share of traffic in percent, where it is about one.
    pub weight: Option<u8>,
    /// What happened.
    pub message: String,
}

impl TimelineLine {
    /// An entry of a rollout's journal.
    pub fn of(entry: &TimelineEntry, kind: Kind) -> Self {
        Self {
            at: entry.at,
            mark: Mark::of_phase(entry.phase, kind),
            label: phase_name(entry.phase).to_owned(),
            weight: Some(entry.weight),
            message: entry.message.clone(),
        }
    }

    /// The line, wrapped below its message, with a final line feed.
    pub fn render(&self, style: &Style) -> String {
        let glyph = self.mark.glyph(style.unicode);
        let label = style.text(&self.label, LABEL);
        let pad = " ".repeat(LABEL.saturating_sub(columns(&label)));
        let share = self.weight.map(|weight| format!("{} {weight:>3}%  ", style.text(&bar(weight, 8), 16)));
        let share = share.unwrap_or_default();
        let clock = self.at.clock();
        let indent = columns(&clock) + 2 + columns(glyph) + 1 + LABEL + 2 + columns(&share);
        let room = style.columns().saturating_sub(indent).max(24);
        let message = style.wrap(&self.message, room).join(&format!("\n{}", " ".repeat(indent)));
        let mark = style.mark(self.mark);
        format!("{}  {mark} {}{pad}  {share}{message}\n", style.dim(&clock), style.bold(&label))
            .replace(" \n", "\n")
    }
}

/// Where a rollout stands, how it came there, what its analysis says and what to do.
pub fn rollout(state: &RolloutState, timeline: &[TimelineEntry], style: &Style) -> String {
    let mut text = style.headline(&sentence::rollout(state));
    if !state.message.trim().is_empty() {
        text.push_str(&style.indented(&state.message, 2));
    }
    if !timeline.is_empty() {
        text.push('\n');
    }
    for entry in timeline {
        text.push_str(&TimelineLine::of(entry, state.kind).render(style));
    }
    if !state.judges.is_empty() {
        text.push('\n');
        let row = |(name, judge): (&String, &tagship_domain::analysis::JudgeState)| {
            (Mark::from(judge.phase), vec![name.clone(), judge.message.clone()])
        };
        text.push_str(&marked(&state.judges.iter().map(row).collect::<Vec<_>>(), style));
    }
    if let Some(advice) = advice_for_rollout(state) {
        text.push('\n');
        text.push_str(&style.indented(&format!("{}:", advice.text), 0));
        text.push_str(&advice.command.map(|command| format!("  {command}\n")).unwrap_or_default());
    }
    text
}

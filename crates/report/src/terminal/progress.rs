//! A rollout in the terminal: line by line while it runs, and as a whole afterwards.

use tagship_domain::{
    report::TimelineEntry,
    rollout::{Kind, Phase, RolloutState},
    series::MetricSeries,
    time::Timestamp,
};

use super::{analysis, paint::Style, table::marked};
use crate::{
    advice::{Advice, Choice, advice_for_rollout},
    mark::Mark,
    sentence::{self, phase_name},
    spark::bar,
    text::columns,
    verdict::{culprits, exposure},
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

/// Where a rollout stands and why, what its analysis says, how it came there and what to do.
pub fn rollout(
    state: &RolloutState,
    timeline: &[TimelineEntry],
    series: &[MetricSeries],
    style: &Style,
) -> String {
    let mut text = style.headline(&sentence::rollout(state));
    let culprits = culprits(state);
    for (at, culprit) in culprits.iter().take(CULPRITS).enumerate() {
        // The headline names the first one already, unless going back failed.
        let named = at == 0 && state.phase != Phase::RollbackFailed;
        let words = if named { culprit.evidence.join("; ") } else { culprit.full() };
        if !words.is_empty() {
            text.push_str(&style.indented(&words, 2));
        }
    }
    if (culprits.is_empty() || matches!(state.phase, Phase::Paused | Phase::RollbackFailed))
        && !state.message.trim().is_empty()
    {
        text.push_str(&style.indented(&state.message, 2));
    }
    text.push_str(&exposure(state, series).map(|words| style.indented(&words, 2)).unwrap_or_default());
    let story: String =
        timeline.iter().map(|entry| TimelineLine::of(entry, state.kind).render(style)).collect();
    let advice = advice_for_rollout(state).map(|advice| advised(&advice, style)).unwrap_or_default();
    let parts = [
        analysis::way(state, style),
        analysis::metrics(state, style),
        story,
        analysis::trends(state, series, style),
        judges(state, style),
        advice,
    ];
    for part in parts.iter().filter(|part| !part.is_empty()) {
        text.push('\n');
        text.push_str(part);
    }
    text
}

/// Most metrics that are told as the reason.
const CULPRITS: usize = 3;

/// Verdicts of checks that count nothing, such as the smoke check.
fn judges(state: &RolloutState, style: &Style) -> String {
    let checks = state.judges.iter().filter(|(name, judge)| {
        let mut metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
        judge.measurement.is_none() && metrics.all(|metric| metric.name != **name)
    });
    let row = |(name, judge): (&String, &tagship_domain::analysis::JudgeState)| {
        (Mark::from(judge.phase), vec![name.clone(), judge.message.clone()])
    };
    marked(&checks.map(row).collect::<Vec<_>>(), style)
}

/// What to do, with the command lines: one as it is, of several each with what it does.
fn advised(advice: &Advice, style: &Style) -> String {
    if advice.choices.is_empty() {
        return style.indented(&advice.text, 0);
    }
    let mut text = style.indented(&format!("{}:", advice.text), 0);
    for Choice { does, command, .. } in &advice.choices {
        if !does.is_empty() {
            text.push_str(&style.dim(style.indented(&format!("# {does}"), 2).trim_end_matches('\n')));
            text.push('\n');
        }
        text.push_str("  ");
        text.push_str(command);
        text.push('\n');
    }
    text
}

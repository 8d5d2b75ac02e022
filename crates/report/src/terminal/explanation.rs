//! Why a rollout went the way it went, line by line.

use tagship_domain::{
    Duration,
    explanation::{Cause, Explained, Explanation},
    rollout::{Kind, Phase},
};

use super::paint::{Style, indent_lines};
use crate::{
    mark::{Mark, Tone},
    sentence::{Headline, phase_name},
    spark::bar,
    text::columns,
};

/// Columns of the longest cause, `newer version`.
const CAUSE: usize = 13;
/// Columns of a bar of traffic.
const BAR: usize = 8;

/// Every decision with when, what led to it, and the candidate's share of traffic.
pub fn explanation(explanation: &Explanation, style: &Style) -> String {
    let Explanation { rollout, kind, phase, by, started, updated, .. } = explanation;
    let mark = Mark::of_phase(*phase, *kind);
    let tone = if matches!(phase, Phase::RolledBack | Phase::Failed) { Tone::Bad } else { mark.tone() };
    let mut text = style.headline(&Headline { symbol: mark, tone, text: explanation.sentence.clone() });
    let length = Duration::from_secs(updated.since(*started).std().as_secs());
    let took = if phase.is_terminal() { "took" } else { "for" };
    text.push_str(&style.indented(
        &format!("{rollout}, started by {} at {}, {took} {length}", by.actor, started.readable()),
        2,
    ));
    if !explanation.complete {
        text.push_str(&style.indented("the journal goes further back than what was read", 2));
    }
    let mut day = started.minute().split(' ').next().unwrap_or_default().to_owned();
    text.push('\n');
    for one in &explanation.decisions {
        let date = one.at.minute().split(' ').next().unwrap_or_default().to_owned();
        if date != day {
            text.push_str(&style.dim(&date));
            text.push('\n');
            day = date;
        }
        text.push_str(&entry(one, *kind, style));
    }
    text
}

fn entry(one: &Explained, kind: Kind, style: &Style) -> String {
    let mark = if matches!(one.cause, Cause::Looks { .. }) {
        Mark::Neutral
    } else {
        Mark::of_phase(one.after.phase, kind)
    };
    let (clock, cause) = (one.at.clock(), one.cause.name());
    let glyph = mark.glyph(style.unicode);
    let weight = one.after.applied.get();
    let share = format!("{} {weight:>3}%", style.text(&bar(weight, BAR), 2 * BAR));
    let pad = " ".repeat(CAUSE.saturating_sub(columns(cause)));
    let indent = columns(&clock) + 2 + columns(glyph) + 1 + CAUSE + 2 + columns(&share) + 2;
    // Where the line is narrow, sentences get lines of their own.
    let (indent, first) = match style.columns().saturating_sub(indent) {
        room if room >= 40 => (indent, String::new()),
        _ => (4, format!("{}\n    ", phase_name(one.after.phase))),
    };
    let room = style.columns().saturating_sub(indent).max(24);
    let between = format!("\n{}", " ".repeat(indent));
    let sentence = style.wrap(&one.sentence, room).join(&between);
    let head = format!("{}  {} {}{pad}  {share}  ", style.dim(&clock), style.mark(mark), style.bold(cause));
    let mut text = format!("{head}{first}{sentence}\n");
    // A bad metric is in the sentence already.
    for reading in one.evidence.iter().filter(|reading| !one.sentence.contains(&reading.message)) {
        let mark = style.mark(reading.phase.into());
        let words = style
            .wrap(&format!("{}: {}", reading.name, reading.message), room - 3)
            .join(&format!("{between}  "));
        text.push_str(&indent_lines(std::iter::once(format!("{mark} {words}").as_str()), indent));
    }
    let notes = [
        one.until.map(|until| format!("until {}", until.clock())),
        one.silence.map(|silence| {
            format!("no run had written for {silence} before: none led the rollout, or one died")
        }),
        one.run.as_ref().map(|run| format!("by run {run}")),
        Some(format!("journal {}", one.commit.short())),
    ];
    let notes = notes.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let lines: Vec<String> = style.wrap(&notes, room).iter().map(|line| style.dim(line)).collect();
    text.push_str(&indent_lines(lines.iter().map(String::as_str), indent));
    text
}

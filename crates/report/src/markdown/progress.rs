//! A rollout as it goes: what happened, what the analysis says, what is still open.

use tagship_domain::{
    analysis::{JudgeState, MetricPhase},
    report::TimelineEntry,
    rollout::{Kind, Phase, RolloutState},
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{
    mark::Mark,
    sentence::{effect_words, phase_name},
    text::counted,
};

/// What happened, oldest first; of a long story the newest part.
pub(crate) fn timeline(entries: &[TimelineEntry], kind: Kind, rows: usize) -> Block {
    let Some(first) = entries.first() else { return Block::default() };
    let skipped = entries.len().saturating_sub(rows);
    let mut cells = Vec::new();
    if skipped > 0 {
        let earlier = format!("{skipped} earlier steps");
        cells.push(vec![Inline::fixed("…"), Inline::text(&earlier, 60)]);
    }
    let mut day = day_of(first);
    for entry in &entries[skipped..] {
        let today = day_of(entry);
        let new_day = (today != day).then(|| Inline::text(&today, 20));
        day = today;
        let clock = Inline::text(&entry.at.clock(), 20);
        let when = Inline::join([new_day.unwrap_or_default(), clock, traffic(entry)], "<br>");
        cells.push(vec![when, told(entry, kind)]);
    }
    let header =
        [(Inline::fixed("Time (UTC), traffic"), Align::Left), (Inline::fixed("What happened"), Align::Left)];
    Block::table(&header, &cells)
}

fn day_of(entry: &TimelineEntry) -> String {
    entry.at.readable().split(' ').next().unwrap_or_default().to_owned()
}

fn traffic(entry: &TimelineEntry) -> Inline {
    let share = Inline::text(&format!("{}%", entry.weight), 8);
    Inline::code(&bar(entry.weight, 8), 16).and(Inline::fixed("&nbsp;")).and(share)
}

fn told(entry: &TimelineEntry, kind: Kind) -> Inline {
    let phase = Inline::fixed(Mark::of_phase(entry.phase, kind).emoji())
        .and(Inline::fixed(" "))
        .and(Inline::fixed(phase_name(entry.phase)).bold());
    Inline::join([phase, Inline::prose(&entry.message, 240)], "<br>")
}

/// A share of traffic as blocks: none only at 0, all only at 100.
pub(crate) fn bar(percent: u8, width: usize) -> String {
    let percent = usize::from(percent.min(100));
    let full = match percent {
        0 => 0,
        100 => width,
        _ => (percent * width + 50) / 100,
    };
    let full = if percent == 0 || percent == 100 { full } else { full.clamp(1, width - 1) };
    "█".repeat(full) + &"░".repeat(width - full)
}

/// The verdict of every metric with its numbers, folded.
pub(crate) fn judges(state: &RolloutState, rows: usize) -> Block {
    if state.judges.is_empty() {
        return Block::default();
    }
    let header = [
        (Inline::fixed(""), Align::Centre),
        (Inline::fixed("Metric"), Align::Left),
        (Inline::fixed("n"), Align::Right),
        (Inline::fixed("What it says"), Align::Left),
    ];
    let cells = |(name, judge): (&String, &JudgeState)| {
        vec![
            Inline::fixed(Mark::from(judge.phase).emoji()),
            Inline::text(name, 80).bold(),
            Inline::text(&judge.n.to_string(), 24),
            Inline::prose(&judge.message, 300),
        ]
    };
    let good = state.judges.values().filter(|judge| judge.phase == MetricPhase::Successful).count();
    let line = format!("Analysis: {good} of {} good", counted(state.judges.len(), "metric"));
    Block::fold(
        &Inline::text(&line, 80),
        false,
        &[Block::table(&header, &capped(state.judges.iter().map(cells).collect(), rows))],
    )
}

/// What went wrong, else what is happening. Where going back failed, the person needs the newest trouble too, which
/// is in the message together with the first cause.
pub(crate) fn cause(state: &RolloutState) -> Option<Inline> {
    let (name, text) = match &state.cause {
        Some(cause) if state.phase != Phase::RollbackFailed => ("**Cause:** ", cause),
        _ => ("", &state.message),
    };
    let text = Inline::prose(text, 600);
    (!text.is_empty()).then(|| Inline::fixed(name).and(text))
}

/// What was decided and did not work yet, with the error.
pub(crate) fn open_effects(state: &RolloutState) -> Vec<Inline> {
    let stuck = state.intended.iter().filter(|intended| intended.error.is_some()).take(3);
    let line = |intended: &tagship_domain::rollout::Intended| {
        let attempts = counted(intended.attempts as usize, "attempt");
        let head = format!("Not done after {attempts}: {}:", effect_words(&intended.effect));
        Inline::text(&head, 120)
            .and(Inline::fixed(" "))
            .and(Inline::prose(intended.error.as_deref().unwrap_or_default(), 300))
    };
    stuck.map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::bar;

    #[test]
    fn a_bar_is_empty_only_at_none_and_full_only_at_all() {
        assert_eq!(bar(0, 4), "░░░░");
        assert_eq!(bar(1, 4), "█░░░");
        assert_eq!(bar(50, 4), "██░░");
        assert_eq!(bar(99, 4), "███░");
        assert_eq!(bar(100, 4), "████");
    }
}

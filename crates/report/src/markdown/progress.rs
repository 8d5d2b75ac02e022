//! A rollout as it goes: what happened, what the analysis says, what is still open.

use tagship_domain::{
    analysis::{JudgeState, MetricPhase},
    report::{Section, StepPosition, TimelineEntry},
    rollout::{Kind, Phase, RolloutState},
};

use super::{
    block::{Align, Block, capped},
    inline::Inline,
};
use crate::{
    mark::Mark,
    measure,
    sentence::{effect_words, phase_name, standing},
    spark::bar,
    text::counted,
    verdict::{self, Culprit, culprits, exposure},
    way::{Leg, legs},
};

/// What happened; folded where the way of the traffic and the metrics tell already where it stands.
pub(crate) fn story(section: &Section, state: &RolloutState, rows: usize) -> Block {
    let table = timeline(&section.timeline, state.kind, rows);
    let Some(last) = section.timeline.last().filter(|_| !legs(state).is_empty()) else { return table };
    let line =
        format!("Timeline: {}, the last at {}", counted(section.timeline.len(), "event"), last.at.readable());
    Block::fold(&Inline::text(&line, 80), false, &[table])
}

/// What happened, oldest first; of a long story the newest part.
fn timeline(entries: &[TimelineEntry], kind: Kind, rows: usize) -> Block {
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
    let step = entry.step.map(|step| Inline::text(&format!("step {} of {}", step.number, step.count), 40));
    let reason = entry.reason.map(|reason| Inline::fixed(standing(reason)));
    let phase = Inline::join([phase, step.unwrap_or_default(), reason.unwrap_or_default()], " · ");
    Inline::join([phase, Inline::prose(&entry.message, 240)], "<br>")
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
            Inline::fixed(verdict::mark(judge.phase, state).emoji()),
            Inline::text(name, 80).bold(),
            Inline::text(&measure::count(judge.n), 24),
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

/// What went wrong, else what is happening. Where an analysis is the reason, its numbers say it, and how far the
/// candidate had come. Where going back failed, the person needs the newest trouble too, which is in the message
/// together with the first cause.
pub(crate) fn cause(section: &Section, state: &RolloutState) -> Vec<Inline> {
    let culprits = culprits(state);
    let mut lines: Vec<Inline> = culprits.iter().take(CULPRITS).map(culprit).collect();
    if culprits.len() > CULPRITS {
        lines.push(Inline::text(&format!("and {} more metrics", culprits.len() - CULPRITS), 40));
    }
    // A cause would only say the numbers again; what a person has to decide, or what is in the way, it does not.
    if culprits.is_empty() || matches!(state.phase, Phase::Paused | Phase::RollbackFailed) {
        let (name, text) = match &state.cause {
            Some(cause) if state.phase != Phase::RollbackFailed => ("**Cause:** ", cause),
            _ => ("", &state.message),
        };
        let text = Inline::prose(text, 600);
        lines.extend((!text.is_empty()).then(|| Inline::fixed(name).and(text)));
    }
    let exposure = exposure(state, &section.series);
    lines.extend(exposure.map(|words| Inline::text(&words, 200).and(Inline::fixed("."))));
    lines
}

/// Most metrics that are told in the open as the reason.
const CULPRITS: usize = 3;

fn culprit(culprit: &Culprit) -> Inline {
    let what = Inline::text(&culprit.what, 120).bold();
    let against =
        culprit.against.as_deref().map(|words| Inline::fixed(" against ").and(Inline::text(words, 120)));
    let evidence = culprit.evidence.iter().map(|words| Inline::text(words, 120));
    Inline::join(std::iter::once(what.and(against.unwrap_or_default())).chain(evidence), " · ")
}

/// How the traffic goes: its share, the step, and every share on the way.
pub(crate) fn way(state: &RolloutState) -> Block {
    let legs = legs(state);
    if legs.is_empty() {
        return Block::default();
    }
    let share = state.weight.applied;
    let bar = Inline::code(&bar(share.get(), 10), 16).and(Inline::fixed("&nbsp;"));
    let step = StepPosition::of(state).map(|step| format!("step {} of {}", step.number, step.count));
    let now = Inline::text(&share.to_string(), 8).bold().and(Inline::fixed(" of the traffic"));
    let now = Inline::join([bar.and(now), Inline::text(&step.unwrap_or_default(), 40)], " · ");
    let current = legs.iter().position(Leg::is_current).unwrap_or(0);
    let from = current.saturating_sub(LEGS / 2).min(legs.len().saturating_sub(LEGS));
    let before = (from > 0).then(|| Inline::fixed("…"));
    let after = (from + LEGS < legs.len()).then(|| Inline::fixed("…"));
    let shown = legs.iter().skip(from).take(LEGS).map(leg);
    let way = Inline::join(before.into_iter().chain(shown).chain(after), " → ");
    Block::paragraph(&Inline::join([now, way], "<br>"))
}

/// Most legs of the way that are shown.
const LEGS: usize = 8;

fn leg(leg: &Leg) -> Inline {
    let name = Inline::text(&leg.name, 60);
    match leg.mark {
        Mark::Neutral => name,
        mark => {
            let name = if leg.is_current() { name.bold() } else { name };
            Inline::fixed(mark.emoji()).and(Inline::fixed(" ")).and(name)
        }
    }
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

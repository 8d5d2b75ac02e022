//! One model on its way to one environment, as blocks in reading order.

use tagship_domain::report::Section;

use super::{
    block::Block,
    checks, facts, findings,
    fit::{Part, Rank},
    inline::Inline,
    metrics, progress,
};
use crate::{
    advice::{Advice, advice},
    mark::Tone,
    sentence::headline,
    stage::stages,
};

/// Everything about a section but its headline.
pub(crate) fn parts(section: &Section, rows: usize) -> Vec<Part> {
    let tone = headline(section).tone;
    let mut parts = Vec::new();
    let mut add = |rank, name, block: Block| {
        if !block.is_empty() {
            parts.push(Part { rank, name, block });
        }
    };
    add(Rank::Stages, "the stages", strip(section));
    add(Rank::Cause, "the cause", cause(section, tone));
    if let Some(report) = &section.validation {
        add(Rank::Culprits, "the findings", findings::culprits(report, rows));
    }
    if let Some(report) = &section.gate {
        add(Rank::Culprits, "the failed checks", checks::culprits(report, rows));
        add(Rank::Metrics, "the metrics", metrics::watched(report));
    }
    add(Rank::Facts, "the facts", facts::table(section));
    if let Some(state) = &section.rollout {
        add(Rank::Timeline, "the timeline", progress::timeline(&section.timeline, state.kind, rows));
        add(Rank::Passed, "the analysis", progress::judges(state, rows));
    }
    if tone == Tone::Good {
        add(Rank::Command, "the command to go back", next_step(advice(section)));
    }
    if let Some(report) = &section.gate {
        add(Rank::Passed, "the passed checks", checks::passed(report, rows));
        add(Rank::Rest, "all metrics", metrics::all(report, rows));
    }
    if let Some(report) = &section.validation {
        add(Rank::Rest, "the validation", findings::artifacts(report, rows));
    }
    parts
}

fn strip(section: &Section) -> Block {
    let stages = stages(section);
    if stages.is_empty() {
        return Block::default();
    }
    let stage = |stage: crate::stage::Stage| {
        let note = if stage.note.is_empty() { String::new() } else { format!(" {}", stage.note) };
        let name = Inline::fixed(stage.name).bold().and(Inline::fixed(""));
        Inline::text(stage.mark.emoji(), 4)
            .and(Inline::fixed(" "))
            .and(name)
            .and(Inline::fixed(if note.is_empty() { "" } else { " " }))
            .and(Inline::text(&note, 60))
    };
    Block::paragraph(&Inline::join(stages.into_iter().map(stage), " → "))
}

/// Why it stands where it stands and what to do, as a call-out where somebody has to act.
fn cause(section: &Section, tone: Tone) -> Block {
    let kind = match tone {
        Tone::Bad => "CAUTION",
        Tone::Unknown | Tone::Waiting => "WARNING",
        Tone::Running => "NOTE",
        Tone::Good | Tone::Neutral => return Block::default(),
    };
    let mut lines = Vec::new();
    if let Some(state) = &section.rollout {
        lines.push(Inline::prose(&state.message, 600));
        lines.extend(progress::open_effects(state));
    }
    let advice = advice(section);
    if let Some(Advice { text, command: None }) = &advice {
        lines.push(Inline::text(text, 300));
    }
    lines.retain(|line| !line.is_empty());
    let mut blocks = Vec::new();
    if !lines.is_empty() {
        blocks.push(Block::callout(kind, &lines));
    }
    if let Some(Advice { command: Some(_), .. }) = &advice {
        blocks.push(next_step(advice));
    }
    Block::stack(&blocks)
}

fn next_step(advice: Option<Advice>) -> Block {
    let Some(Advice { text, command: Some(command) }) = advice else { return Block::default() };
    Block::stack(&[Block::paragraph(&Inline::text(&format!("{text}:"), 300)), Block::command(&command)])
}

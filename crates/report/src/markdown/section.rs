//! One model on its way to one environment, as blocks in reading order.

use tagship_domain::report::Section;

use super::{
    analysis,
    block::Block,
    checks, facts, findings,
    fit::{Part, Rank},
    inline::Inline,
    metrics, monitoring, progress,
};
use crate::{
    advice::{Advice, advice},
    mark::Tone,
    sentence::way,
    stage::{Stage, stages},
};

/// Everything about a section but its headline. `spoken` says whether commands in comments are followed.
pub(crate) fn parts(section: &Section, rows: usize, spoken: bool) -> Vec<Part> {
    let tone = way(section).tone;
    let mut parts = vec![
        Part { rank: Rank::Stages, name: "the stages", block: strip(section) },
        Part { rank: Rank::Cause, name: "the cause", block: cause(section, tone, spoken) },
    ];
    let mut add = |rank, name, block: Block| parts.push(Part { rank, name, block });
    if let Some(report) = &section.validation {
        add(Rank::Culprits, "the findings", findings::culprits(report, rows));
    }
    if let Some(report) = &section.gate {
        add(Rank::Culprits, "the failed checks", checks::culprits(report, rows));
    }
    match (&section.rollout, &section.gate) {
        // What happens in production matters more by then than how the candidate compared before.
        (Some(state), _) => {
            add(Rank::Way, "the way of the traffic", progress::way(state));
            add(Rank::Metrics, "the metrics of the analysis", analysis::table(state, rows));
            if let Some(report) = &section.monitoring {
                add(Rank::Monitoring, "what monitoring says", monitoring::block(report));
            }
            add(Rank::Facts, "the facts", facts::table(section));
            add(Rank::Timeline, "the timeline", progress::story(section, state, rows));
        }
        (None, Some(report)) => {
            add(Rank::Metrics, "the metrics", metrics::watched(report));
            add(Rank::Facts, "the facts", facts::table(section));
        }
        (None, None) => add(Rank::Facts, "the facts", facts::table(section)),
    }
    if tone == Tone::Good {
        let step = advice(section).map(|advice| next_step(&advice, spoken)).unwrap_or_default();
        add(Rank::Command, "what to do next", step);
    }
    folded(section, rows, &mut add);
    parts.retain(|part| !part.block.is_empty());
    parts
}

/// What opens on a click.
fn folded(section: &Section, rows: usize, add: &mut impl FnMut(Rank, &'static str, Block)) {
    if let Some(state) = &section.rollout {
        add(Rank::Passed, "the analysis", progress::judges(state, rows));
        add(Rank::Looks, "the looks", analysis::looks(section, rows));
    }
    if let Some(report) = &section.gate {
        add(Rank::Rest, "all metrics", metrics::folded(report, section.rollout.is_some(), rows));
        add(Rank::Passed, "the passed checks", checks::passed(report, rows));
    }
    if let Some(report) = &section.validation {
        add(Rank::Rest, "the validation", findings::artifacts(report, rows));
    }
}

fn strip(section: &Section) -> Block {
    let stage = |stage: Stage| {
        let words = [
            Inline::fixed(stage.mark.emoji()),
            Inline::fixed(stage.name).bold(),
            Inline::text(&stage.note, 60),
        ];
        Inline::join(words, " ")
    };
    let stages: Vec<Inline> = stages(section).into_iter().map(stage).collect();
    if stages.is_empty() { Block::default() } else { Block::paragraph(&Inline::join(stages, " → ")) }
}

/// Why it stands where it stands and what to do, as a call-out where it is not simply good.
fn cause(section: &Section, tone: Tone, spoken: bool) -> Block {
    let kind = match tone {
        Tone::Bad => "CAUTION",
        Tone::Unknown | Tone::Waiting => "WARNING",
        Tone::Running => "NOTE",
        Tone::Neutral if section.rollout.is_some() => "NOTE",
        Tone::Good | Tone::Neutral => return Block::default(),
    };
    let mut blocks = Vec::new();
    if let Some(state) = &section.rollout {
        blocks.extend(progress::cause(section, state).iter().map(Block::paragraph));
        blocks.extend(progress::open_effects(state).iter().map(Block::paragraph));
    }
    blocks.extend(advice(section).map(|advice| next_step(&advice, spoken)));
    if blocks.is_empty() { Block::default() } else { Block::callout(kind, &blocks) }
}

fn next_step(advice: &Advice, spoken: bool) -> Block {
    if advice.choices.is_empty() {
        return Block::paragraph(&Inline::text(&advice.text, 300));
    }
    let line = Inline::text(&advice.text, 300).and(Inline::fixed(if spoken { ", say here:" } else { ":" }));
    Block::stack(&[Block::paragraph(&line), Block::commands(&advice.choices, spoken)])
}

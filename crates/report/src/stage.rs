//! The way of a change as a strip of stages: what is done, what runs, what is still to come.

use tagship_domain::{
    exit::Exit,
    report::Section,
    rollout::{Kind, Phase},
    validation::Verdict,
};

use crate::{mark::Mark, sentence::gate_numbers};

/// One stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// How it stands.
    pub mark: Mark,
    /// Its name.
    pub name: &'static str,
    /// What is worth knowing about it in a word, e.g. `5/5` or `v1.1.0`; may be empty.
    pub note: String,
}

/// The stages of a section; empty where none has begun.
pub fn stages(section: &Section) -> Vec<Stage> {
    let begun = section.validation.is_some() || section.gate.is_some() || section.release.is_some();
    match &section.rollout {
        // A rollback is a way of its own: what was validated and gated long ago is no stage of it.
        Some(state) if state.kind == Kind::Rollback => return vec![rollout(section)],
        None if !begun => return Vec::new(),
        _ => {}
    }
    let mut stages = Vec::with_capacity(4);
    if section.validation.is_some() || section.rollout.is_none() {
        stages.push(validate(section));
    }
    if section.gate.is_some() || section.rollout.is_none() {
        stages.push(gate(section));
    }
    stages.push(release(section));
    if section.environment.is_some() || section.rollout.is_some() {
        stages.push(rollout(section));
    }
    stages
}

fn to_come(name: &'static str) -> Stage {
    Stage { mark: Mark::Neutral, name, note: String::new() }
}

fn validate(section: &Section) -> Stage {
    let Some(report) = &section.validation else { return to_come("Validate") };
    let note = match (Mark::from(report), report.verdict) {
        (Mark::Failed, _) => "rejected",
        (Mark::Unknown, _) => "incomplete",
        (_, Verdict::Warn) => "warning",
        _ => "",
    };
    Stage { mark: report.into(), name: "Validate", note: note.to_owned() }
}

fn gate(section: &Section) -> Stage {
    let Some(report) = &section.gate else { return to_come("Gate") };
    let mark = if report.exit() == Exit::Incomplete { Mark::Unknown } else { report.outcome.into() };
    let (good, all) = gate_numbers(report);
    Stage { mark, name: "Gate", note: format!("{good}/{all}") }
}

fn release(section: &Section) -> Stage {
    let made = section.release.as_ref().or(section.rollout.as_ref().map(|state| &state.candidate));
    let (mark, note) = match (made, &section.next) {
        (Some(release), _) => (Mark::Passed, release.version.to_string()),
        (None, Some(next)) => (Mark::Neutral, next.version.to_string()),
        (None, None) => (Mark::Neutral, String::new()),
    };
    Stage { mark, name: "Release", note }
}

fn rollout(section: &Section) -> Stage {
    let Some(state) = &section.rollout else { return to_come("Rollout") };
    let mark = Mark::of_phase(state.phase, state.kind);
    let note = match (state.kind, state.phase) {
        (Kind::Rollback, _) => match &state.stable {
            Some(stable) => format!("{} to {}", stable.version, state.candidate.version),
            None => format!("to {}", state.candidate.version),
        },
        (_, Phase::Paused) => format!("paused at {}", state.weight.applied),
        (_, Phase::Waiting) => format!("frozen at {}", state.weight.applied),
        (_, Phase::Baking) => format!("baking at {}", state.weight.applied),
        (_, Phase::Progressing | Phase::Promoting | Phase::Finalising) => state.weight.applied.to_string(),
        (_, Phase::Validating) => "checking".to_owned(),
        (_, Phase::RollingBack | Phase::RolledBack) => "rolled back".to_owned(),
        (_, Phase::Failed | Phase::RollbackFailed) => "failed".to_owned(),
        (_, Phase::Succeeded) => "live".to_owned(),
        (_, Phase::Superseded) => "superseded".to_owned(),
        (_, Phase::Pending) => String::new(),
    };
    Stage { mark, name: if state.kind == Kind::Rollback { "Rollback" } else { "Rollout" }, note }
}

//! What to do next: one sentence, and the command to act with where there is one.

use tagship_domain::{
    event::Command,
    exit::Exit,
    name::{Environment, ModelName},
    report::Section,
    rollout::{Kind, Phase, RolloutState},
    validation::{Status, Verdict},
};

use crate::mark::Mark;

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What and when, e.g. `To go back to v1.0.0`.
    pub text: String,
    /// The command line, ready to paste; names of models and environments need no quoting in any shell.
    pub command: Option<String>,
}

/// The command line with which a person tells a rollout what to do.
pub fn command_line(command: Command, model: &ModelName, environment: &Environment) -> String {
    let verb = match command {
        Command::Deploy => "rollout",
        Command::Retry => "rollout --retry",
        Command::Abort => "rollout --abort",
        Command::Pause => "rollout --pause",
        Command::Resume => "rollout --resume",
        Command::Promote => "rollout --promote",
        Command::PromoteFull => "rollout --promote-full",
        Command::Rollback => "rollback",
    };
    format!("tagship {verb} --model {model} --environment {environment}")
}

/// What to do about a section; nothing where all runs by itself.
pub fn advice(section: &Section) -> Option<Advice> {
    if let Some(state) = &section.rollout {
        return advice_for_rollout(state);
    }
    if let Some(report) = section.validation.as_ref().filter(|report| !report.passed()) {
        let text = match (Mark::from(report), report.status) {
            (Mark::Failed, _) => {
                "Nothing was released. Do not load this artifact; replace it and push again."
            }
            (_, Status::Error) => "What cannot be read never passes. Mend the artifact and push again.",
            _ => "What cannot be judged never passes. Do what the finding says and push again.",
        };
        return Some(Advice { text: text.to_owned(), command: None });
    }
    let gate = section.gate.as_ref()?;
    let text = match gate.exit() {
        Exit::Done => return warnings(section),
        Exit::Negative => "Nothing was released. Mend what the failed checks name and push again.",
        _ => "What is missing never passes. Supply what the checks ask for and push again.",
    };
    Some(Advice { text: text.to_owned(), command: None })
}

fn warnings(section: &Section) -> Option<Advice> {
    let report = section.validation.as_ref().filter(|report| report.verdict == Verdict::Warn)?;
    let text = match report.artifacts.len() {
        0 => return None,
        _ => "Validation has a warning; look at it before you merge.",
    };
    Some(Advice { text: text.to_owned(), command: None })
}

/// What to do about a rollout; nothing where all runs by itself.
pub fn advice_for_rollout(state: &RolloutState) -> Option<Advice> {
    let (text, command) = match (state.phase, state.kind) {
        (Phase::Succeeded, Kind::Deploy) => match &state.stable {
            Some(stable) => (format!("To go back to {}", stable.version), Command::Rollback),
            None => return None,
        },
        (Phase::Succeeded, Kind::Rollback) => match &state.stable {
            Some(_) => (
                "The version that was left stays released. To deploy it again once the cause is gone"
                    .to_owned(),
                Command::Retry,
            ),
            None => return None,
        },
        (Phase::Failed | Phase::RolledBack, Kind::Deploy) => (
            "These bytes are not deployed again by themselves. To try them once more".to_owned(),
            Command::Retry,
        ),
        (Phase::Failed | Phase::RolledBack, Kind::Rollback) => {
            ("Once the cause is gone, to go back again".to_owned(), Command::Rollback)
        }
        (Phase::RollbackFailed, _) => (
            "No other rollout starts until this is settled. Look at the target first, then go back again"
                .to_owned(),
            Command::Rollback,
        ),
        (Phase::Superseded | Phase::RollingBack, _) | (_, Kind::Rollback) => return None,
        (_, Kind::Deploy) => ("To stop and go back".to_owned(), Command::Abort),
    };
    Some(Advice { text, command: Some(command_line(command, &state.model, &state.environment)) })
}

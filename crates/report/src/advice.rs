//! What to do next: one sentence that says who is waited for, and the commands to act with.

use tagship_domain::{
    event::{Command, PREFIX},
    exit::Exit,
    name::{Environment, ModelName},
    report::Section,
    rollout::{Kind, Phase, Reason, RolloutState},
    validation::{Status, Verdict},
};

use crate::{mark::Mark, sentence::is_preview, text::clean};

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// What and when, e.g. `To go back to v1.0.0`.
    pub text: String,
    /// What can be done, the likeliest first; of several, each says what it does.
    pub choices: Vec<Choice>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What it does, e.g. `stop and go back to v1.0.0`; empty where the advice says it.
    pub does: String,
    /// The command line, ready to paste; names of models and environments need no quoting in any shell.
    pub command: String,
    /// The same as a comment on the pull request, where comments are listened to.
    pub comment: String,
}

impl Advice {
    fn words(text: &str) -> Self {
        Self { text: text.to_owned(), choices: vec![] }
    }
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
        return Some(Advice::words(text));
    }
    let gate = section.gate.as_ref()?;
    let text = match gate.exit() {
        Exit::Done => return warnings(section),
        Exit::Negative => "Nothing was released. Mend what the failed checks name and push again.",
        _ => "What is missing never passes. Supply what the checks ask for and push again.",
    };
    Some(Advice::words(text))
}

fn warnings(section: &Section) -> Option<Advice> {
    let report = section.validation.as_ref().filter(|report| report.verdict == Verdict::Warn)?;
    let text = match report.artifacts.len() {
        0 => return None,
        _ => "Validation has a warning; look at it before you merge.",
    };
    Some(Advice::words(text))
}

/// What to do about a rollout; nothing where all runs by itself.
pub fn advice_for_rollout(state: &RolloutState) -> Option<Advice> {
    if state.phase == Phase::Paused {
        return Some(advice_for_pause(state));
    }
    if state.phase == Phase::Waiting {
        return Some(advice_for_freeze(state));
    }
    if state.phase == Phase::RollbackFailed && state.holds_lock() {
        return Some(advice_for_stuck(state));
    }
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
        (Phase::Failed, _) if state.reason == Reason::PromotionFailed => {
            ("Bring the version from before in order; then, to go back to it".to_owned(), Command::Rollback)
        }
        (Phase::Failed | Phase::RolledBack, Kind::Deploy) => (
            "These bytes are not deployed again by themselves. To try them once more".to_owned(),
            Command::Retry,
        ),
        (Phase::Failed | Phase::RolledBack, Kind::Rollback) => {
            ("Once the cause is gone, to go back again".to_owned(), Command::Rollback)
        }
        (Phase::RollbackFailed, _) => {
            ("Its lock was taken away. To go back to the version before it".to_owned(), Command::Rollback)
        }
        (Phase::Superseded, _) => {
            return Some(Advice::words("Nothing is left to do here: the newer version has its own rollout."));
        }
        (Phase::RollingBack, _) | (_, Kind::Rollback) => return None,
        (_, Kind::Deploy) => ("To stop and go back".to_owned(), Command::Abort),
    };
    Some(Advice { text, choices: vec![choice(state, command, "")] })
}

/// What ends a freeze early.
fn advice_for_freeze(state: &RolloutState) -> Advice {
    let version = &state.candidate.version;
    let go_on = format!("lead {version} on in spite of the freeze, which is recorded with your name");
    let choices = vec![choice(state, Command::Promote, &go_on), choice(state, Command::Abort, &stop(state))];
    Advice { text: "It goes on by itself when the freeze ends".to_owned(), choices }
}

/// What gets a rollout going again that could not go back.
fn advice_for_stuck(state: &RolloutState) -> Advice {
    let (model, environment) = (&state.model, &state.environment);
    let unlock = Choice {
        does: "let others begin once you have brought it in order by hand".to_owned(),
        command: format!("tagship unlock --model {model} --environment {environment} --reason TEXT"),
        comment: format!("{PREFIX} unlock --model {model} --environment {environment} REASON"),
    };
    let text = "No other rollout starts until this is settled. Look at the target first".to_owned();
    let again = choice(state, Command::Rollback, "go back again");
    if state.keeps_way_back() {
        let turn = choice(state, Command::Abort, &stop(state));
        return Advice { text, choices: vec![again, turn, unlock] };
    }
    Advice { text, choices: vec![again, unlock] }
}

/// Who is waited for, and what that person can do.
fn advice_for_pause(state: &RolloutState) -> Advice {
    let version = &state.candidate.version;
    let preview = is_preview(state);
    let move_all = format!("move the traffic to {version}");
    let go_on: &[(Command, &str)] = match state.reason {
        _ if preview => &[(Command::Promote, &move_all)],
        Reason::ManualPause => &[(Command::Resume, "go on where it was paused")],
        Reason::Frozen | Reason::RollbackProposed => &[
            (Command::Resume, "hold this share and measure from the beginning"),
            (Command::Promote, "go on although a metric is bad"),
        ],
        Reason::InconclusiveAnalysis | Reason::NoData => &[
            (Command::Promote, "go on although the metrics do not decide it"),
            (Command::Resume, "hold this share and measure once more"),
        ],
        _ => &[(Command::Promote, "go on")],
    };
    let all = format!("give {version} all traffic now, past all steps and measurements");
    let back = choice(state, Command::Abort, &stop(state));
    let mut choices: Vec<Choice> =
        go_on.iter().map(|(command, does)| choice(state, *command, does)).collect();
    if !preview {
        choices.push(choice(state, Command::PromoteFull, &all));
    }
    // What is proposed stands first.
    let at = if state.reason == Reason::RollbackProposed { 0 } else { choices.len() };
    choices.insert(at, back);
    Advice { text: format!("{}. Until then nothing changes", waits_for(state)), choices }
}

fn stop(state: &RolloutState) -> String {
    match &state.stable {
        Some(stable) => format!("stop and go back to {}", stable.version),
        None => "stop and take it out of service".to_owned(),
    }
}

/// The person who is waited for by name; whoever may act can do it in that person's place.
fn waits_for(state: &RolloutState) -> String {
    let who = match clean(&state.by.actor, 40) {
        nobody if nobody.is_empty() => "someone who may deploy here".to_owned(),
        actor => format!("{actor}, who started it, or anyone else who may deploy here"),
    };
    format!("It waits for {who}")
}

fn choice(state: &RolloutState, command: Command, does: &str) -> Choice {
    let (model, environment) = (&state.model, &state.environment);
    Choice {
        does: does.to_owned(),
        command: command_line(command, model, environment),
        comment: format!("{PREFIX} {command} --model {model} --environment {environment}"),
    }
}

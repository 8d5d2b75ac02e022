//! Whether a command in a comment is followed.
//!
//! The caller looks up what the author may do, how the pull request stands now, what its status comment showed, and which
//! rollouts run, each with the pull requests that brought its candidate. A command is about what was shown to its author.
//! It never replaces a required reviewer: `promote` leads a rollout on that was allowed to begin.

use tagship_domain::{
    CommitId, Environment, ModelName, Version,
    decision::{Action, Decision, DecisionItem, ReasonCode},
    event::{Ask, Asked, Command, CommentCommand, CommentRequest, Request, Trigger},
};
use tagship_ports::conversation::{Access, PullRequest};

use crate::{
    deploy::Subject,
    event::conclude,
    person,
    state::{ArtifactState, RepositoryState},
};

/// What a command is held against.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// What its author may do.
    pub access: Access,
    /// The pull request that it stands on, as it is now; absent on anything else.
    pub pull_request: Option<&'a PullRequest>,
    /// The head commit that our status comment there showed; absent where there is no such comment.
    pub shown: Option<&'a CommitId>,
    /// Every rollout that has not ended.
    pub running: &'a [RunningRollout],
}

/// A rollout that has not ended, and where its candidate came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningRollout {
    /// The model.
    pub model: ModelName,
    /// The environment.
    pub environment: Environment,
    /// The version that is rolled out.
    pub version: Version,
    /// The pull requests that brought it; empty where it was pushed without one.
    pub pull_requests: Vec<u64>,
}

/// A command that its author may give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorised {
    /// What is asked for.
    pub request: CommentRequest,
    /// The running rollouts that the pull request brought and the command is about; empty where none runs.
    pub rollouts: Vec<(ModelName, Environment)>,
    /// The author.
    pub author: String,
}

/// Why a command is not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The same as a stable word.
    pub reason_code: ReasonCode,
    /// One sentence for its author, without a full stop.
    pub sentence: String,
}

/// Whether a command may be followed.
///
/// # Errors
/// Why not, in words for its author.
pub fn authorise(command: &CommentCommand, standing: &Standing<'_>) -> Result<Authorised, Refusal> {
    if standing.access < Access::Write {
        let sentence = format!("{} may not write to this repository, which a command needs", command.author);
        return refuse(ReasonCode::AccessDenied, sentence);
    }
    let (Some(_), Some(pull)) = (command.pull_request, standing.pull_request) else {
        return refuse(ReasonCode::NotAPullRequest, "commands are followed on pull requests only");
    };
    let request = match &command.asked {
        Asked::For(request) => request,
        Asked::Unclear(problem) => return refuse(ReasonCode::CommandUnclear, problem.as_str()),
    };
    let rollouts = match &request.ask {
        Ask::Do { command, version } => {
            follows_what_was_shown(*command, version.as_ref(), pull, standing)?;
            own_rollouts(request, pull, standing.running)?
        }
        Ask::Lock { .. } | Ask::Unlock { .. } | Ask::Status | Ask::Help => vec![],
    };
    Ok(Authorised { request: request.clone(), rollouts, author: command.author.clone() })
}

/// What an authorised command leads to. Questions and locks lead to nothing here: they are answered without a rollout.
///
/// # Errors
/// Where it is unclear what it is about, in words for its author.
pub fn decide_command(
    authorised: &Authorised,
    trigger: &Trigger,
    repository: &RepositoryState,
) -> Result<Decision, Refusal> {
    let CommentRequest { ask, model, environment } = &authorised.request;
    let Ask::Do { command, version } = ask else {
        let ignored = (ReasonCode::EventIgnored, "the command asks for no rollout".to_owned());
        return Ok(conclude(trigger, Err(ignored)));
    };
    let request = Request {
        model: model.clone(),
        environment: environment.clone(),
        version: version.clone(),
        from: None,
        command: Some(*command),
    };
    let mut subjects = person::subjects(&request, repository)
        .map_err(|(reason_code, sentence)| Refusal { reason_code, sentence })?;
    let is_own = |name: &ModelName, environment: &Environment| {
        authorised.rollouts.iter().any(|(model, place)| model == name && place == environment)
    };
    if !authorised.rollouts.is_empty() {
        subjects.retain(|subject| is_own(subject.name, subject.environment));
    } else if !command.is_to_running() && subjects.len() > 1 {
        let places: Vec<String> =
            subjects.iter().map(|subject| format!("{} in {}", subject.name, subject.environment)).collect();
        let sentence =
            format!("{command} could be about {}; add --model NAME or --environment NAME", places.join(", "));
        return refuse(ReasonCode::Ambiguous, sentence);
    }
    let items = subjects.into_iter().map(|subject| {
        let item = match newest_failed(&request, subject) {
            Some(version) => subject.deploy_version(version, true),
            None => person::one(&request, subject),
        };
        let failed = |item: &DecisionItem| {
            subject.state.blocked.iter().any(|blocked| Some(&blocked.digest) == item.digest.as_ref())
        };
        if item.action == Action::Retry && !failed(&item) {
            let sentence = format!("nothing of {} failed in {}", subject.name, subject.environment);
            return subject.item(Action::Skip, ReasonCode::NothingToRetry, sentence);
        }
        item
    });
    Ok(conclude(trigger, Ok(items.collect())))
}

/// What a retry without a version means where the bytes are not in the checkout, because they come from elsewhere: the newest
/// that failed there.
fn newest_failed<'a>(request: &Request, subject: Subject<'a>) -> Option<&'a Version> {
    let is_meant = request.command == Some(Command::Retry) && request.version.is_none();
    let is_absent = matches!(subject.model.artifact, ArtifactState::Missing(_));
    subject.state.blocked.first().filter(|_| is_meant && is_absent).map(|blocked| &blocked.version)
}

/// What stops a rollout or goes back needs no look at the newest change; everything else does.
fn follows_what_was_shown(
    command: Command,
    version: Option<&Version>,
    pull: &PullRequest,
    standing: &Standing<'_>,
) -> Result<(), Refusal> {
    let goes_back = matches!(command, Command::Pause | Command::Abort)
        || (command == Command::Rollback && version.is_none());
    if goes_back || !pull.open {
        return Ok(());
    }
    if pull.from_fork {
        return refuse(
            ReasonCode::FromFork,
            "what a fork proposes is deployed once it is merged, not before",
        );
    }
    match standing.shown {
        Some(shown) if *shown == pull.head => {}
        Some(shown) => {
            let sentence = format!(
                "the pull request has moved on to {} since {} was shown; look at it, wait for the new status, and say it \
                 again",
                pull.head.short(),
                shown.short()
            );
            return refuse(ReasonCode::HeadMoved, sentence);
        }
        None => {
            let sentence = format!("the status of {} has not been shown yet; wait for it", pull.head.short());
            return refuse(ReasonCode::HeadMoved, sentence);
        }
    }
    if command == Command::Retry {
        return refuse(ReasonCode::NotMerged, "the pull request is not merged; its merge deploys it");
    }
    Ok(())
}

/// The running rollouts that the command is about: those that this pull request brought.
fn own_rollouts(
    request: &CommentRequest,
    pull: &PullRequest,
    running: &[RunningRollout],
) -> Result<Vec<(ModelName, Environment)>, Refusal> {
    let meant = |rollout: &&RunningRollout| {
        request.model.as_ref().is_none_or(|model| *model == rollout.model)
            && request.environment.as_ref().is_none_or(|environment| *environment == rollout.environment)
    };
    let (own, others): (Vec<_>, Vec<_>) =
        running.iter().filter(meant).partition(|rollout| rollout.pull_requests.contains(&pull.number));
    if let (true, Some(other)) = (own.is_empty(), others.first()) {
        let RunningRollout { model, environment, version, pull_requests } = other;
        let brought: Vec<String> = pull_requests.iter().map(|number| format!("#{number}")).collect();
        let (by, there) = if brought.is_empty() {
            ("no pull request".to_owned(), "start the workflow by hand".to_owned())
        } else {
            (brought.join(", "), format!("say it on {}", brought.join(" or ")))
        };
        let sentence =
            format!("{model} {version}, which is rolling out to {environment}, was brought by {by}; {there}");
        return refuse(ReasonCode::AnotherPullRequest, sentence);
    }
    Ok(own.into_iter().map(|rollout| (rollout.model.clone(), rollout.environment.clone())).collect())
}

fn refuse<T>(reason_code: ReasonCode, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { reason_code, sentence: sentence.into() })
}

#[cfg(test)]
mod tests;

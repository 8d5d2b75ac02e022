//! What people ask for by hand.

use tagship_domain::{
    ModelName, Release,
    decision::{Action, DecisionItem, ReasonCode},
    event::{Command, Request},
};

use crate::{
    deploy::Subject,
    state::{EnvironmentState, ModelState, RepositoryState},
};

/// One item for every model and environment that the request names, or a refusal that says what is unknown.
pub(crate) fn answer(request: &Request, repository: &RepositoryState) -> Result<Vec<DecisionItem>, Refusal> {
    Ok(subjects(request, repository)?.into_iter().map(|subject| one(request, subject)).collect())
}

/// What the request is about.
pub(crate) fn subjects<'a>(
    request: &Request,
    repository: &'a RepositoryState,
) -> Result<Vec<Subject<'a>>, Refusal> {
    if let Some(name) = &request.model
        && !repository.models.contains_key(name)
    {
        let known: Vec<_> = repository.models.keys().map(ToString::to_string).collect();
        let sentence = format!("no model {name} is configured; there is {}", known.join(", "));
        return Err((ReasonCode::UnknownModel, sentence));
    }
    let chosen = || {
        let wanted =
            |(name, _): &(&ModelName, &ModelState)| request.model.as_ref().is_none_or(|model| model == *name);
        repository.models.iter().filter(wanted).flat_map(|(name, model)| Subject::all(name, model))
    };
    for environment in request.environment.iter().chain(&request.from) {
        if chosen().all(|subject| subject.environment != environment) {
            let sentence = format!("no environment {environment} is configured for the chosen models");
            return Err((ReasonCode::UnknownEnvironment, sentence));
        }
    }
    // What staging holds goes anywhere but to staging.
    let wanted = |subject: &Subject<'_>| match (&request.environment, &request.from) {
        (Some(wanted), _) => wanted == subject.environment,
        (None, Some(from)) => from != subject.environment,
        (None, None) => true,
    };
    Ok(chosen().filter(wanted).collect())
}

/// Why a request cannot be answered.
pub(crate) type Refusal = (ReasonCode, String);

pub(crate) fn one(request: &Request, subject: Subject<'_>) -> DecisionItem {
    let version = match &request.from {
        None => request.version.clone(),
        Some(from) => match subject.model.environments.get(from).and_then(|state| state.current.as_ref()) {
            Some(held) => Some(held.version.clone()),
            None => {
                let sentence = format!("{from} holds no version of {} to deploy", subject.name);
                return subject.item(Action::Skip, ReasonCode::NothingToPromote, sentence);
            }
        },
    };
    match (request.command.unwrap_or(Command::Deploy), &version) {
        (command @ (Command::Deploy | Command::Retry), Some(version)) => {
            subject.deploy_version(version, command == Command::Retry)
        }
        (command @ (Command::Deploy | Command::Retry), None) => {
            subject.deploy_checkout(command == Command::Retry)
        }
        (Command::Rollback, version) => rollback(subject, version.as_ref()),
        (
            command @ (Command::Abort
            | Command::Pause
            | Command::Resume
            | Command::Promote
            | Command::PromoteFull),
            _,
        ) => tell(subject, command),
    }
}

fn rollback(subject: Subject<'_>, version: Option<&tagship_domain::Version>) -> DecisionItem {
    let Subject { name, model, environment, state } = subject;
    let to = match version {
        Some(version) => model.release(version).ok_or_else(|| {
            (ReasonCode::UnknownVersion, format!("{name} has no registered version {version} to go back to"))
        }),
        None => state.previous.as_ref().ok_or_else(|| {
            (ReasonCode::NoPreviousVersion, format!("{environment} held no other version of {name} before"))
        }),
    };
    match to {
        Err((code, sentence)) => subject.item(Action::Skip, code, sentence),
        Ok(to) if state.current.as_ref().is_some_and(|current| current.digest == to.digest) => {
            let sentence = format!("{environment} already holds {name} {}", to.version);
            subject.item(Action::Skip, ReasonCode::AlreadyDeployed, sentence)
        }
        Ok(to) if !is_way_back(state, to) => {
            let lock = state.lock.as_ref().map(|lock| format!("{}; {}", lock.sentence(), lock.way_out()));
            let sentence = format!(
                "{name} {} is not what {environment} held before, and {}",
                to.version,
                lock.unwrap_or_default()
            );
            subject.item(Action::Skip, ReasonCode::EnvironmentLocked, sentence)
        }
        Ok(to) => DecisionItem {
            digest: Some(to.digest.clone()),
            version: Some(to.version.clone()),
            ..subject.item(
                Action::Rollback,
                ReasonCode::Requested,
                format!("roll {environment} back to {name} {} on request", to.version),
            )
        },
    }
}

/// A lock lets nothing new in, and never stands in the way of going back to what served before.
fn is_way_back(state: &EnvironmentState, to: &Release) -> bool {
    state.lock.is_none() || state.previous.as_ref().is_some_and(|previous| previous.digest == to.digest)
}

/// A command to the rollout that runs.
fn tell(subject: Subject<'_>, command: Command) -> DecisionItem {
    let (action, what) = match command {
        Command::Pause => (Action::Pause, "hold"),
        Command::Resume => (Action::Resume, "go on with"),
        Command::Promote => (Action::Promote, "let go on, past what it waits for,"),
        Command::PromoteFull => (Action::PromoteFull, "give all traffic at once in"),
        Command::Abort | Command::Deploy | Command::Retry | Command::Rollback => (Action::Abort, "stop"),
    };
    match &subject.state.running {
        Some(running) => {
            let sentence = format!(
                "{what} the rollout of {} {} to {}",
                subject.name, running.version, subject.environment
            );
            DecisionItem {
                version: Some(running.version.clone()),
                ..subject.item(action, ReasonCode::Requested, sentence)
            }
        }
        None => {
            let sentence = format!("no rollout of {} to {} is running", subject.name, subject.environment);
            subject.item(Action::Skip, ReasonCode::NoRollout, sentence)
        }
    }
}

//! Going on: by the clock, or because an earlier run asks for the next one.

use tagship_domain::{
    decision::{Action, DecisionItem, ReasonCode},
    event::{Command, Continuation, Request},
};

use super::Decided;
use crate::{arrival, deploy::Subject, person, state::RepositoryState};

/// Goes on with every wanted rollout that has not ended.
pub(super) fn tick(repository: &RepositoryState, wanted: impl Fn(&Subject<'_>) -> bool) -> Decided {
    let tick = |subject: Subject<'_>| {
        let running = subject.state.running.as_ref()?;
        let sentence = format!(
            "go on with the rollout of {} {} to {} ({})",
            subject.name, running.version, subject.environment, running.phase
        );
        let item = subject.item(Action::Tick, ReasonCode::RolloutRunning, sentence);
        Some(DecisionItem { version: Some(running.version.clone()), ..item })
    };
    let subjects = repository.models.iter().flat_map(|(name, model)| Subject::all(name, model));
    let items: Vec<_> = subjects.filter(wanted).filter_map(tick).collect();
    if items.is_empty() {
        return Err((ReasonCode::NothingToDo, "no rollout is running".to_owned()));
    }
    Ok(items)
}

/// Goes on with what runs, and deploys what has arrived in the places that artifacts come from. What runs comes first: a
/// version that arrives and cannot be judged holds no rollout up.
pub(super) fn by_clock(repository: &RepositoryState) -> Decided {
    let arrived: Vec<DecisionItem> =
        repository.models.iter().flat_map(|(name, model)| arrival::items(name, model)).collect();
    let is_told = |subject: &Subject<'_>| {
        arrived.iter().any(|item| {
            item.model == *subject.name
                && item.environment.as_ref() == Some(subject.environment)
                && item.action == Action::Tick
        })
    };
    match tick(repository, |subject| !is_told(subject)) {
        Err((code, _))
            if arrived.is_empty() && repository.models.values().any(|model| model.arrival.is_some()) =>
        {
            Err((code, "no rollout is running, and no new version has arrived".to_owned()))
        }
        Err(nothing) if arrived.is_empty() => Err(nothing),
        ticks => {
            let mut items: Vec<_> = ticks.unwrap_or_default().into_iter().chain(arrived).collect();
            items.sort_by_key(|item| item.action != Action::Tick);
            Ok(items)
        }
    }
}

/// The next stage of a version, or the next tick.
pub(super) fn on_continue(repository: &RepositoryState, next: &Continuation) -> Decided {
    let Continuation { model, environment, version } = next;
    if version.is_some() {
        let request = Request {
            model: model.clone(),
            environment: environment.clone(),
            version: version.clone(),
            from: None,
            command: Some(Command::Deploy),
        };
        return person::answer(&request, repository);
    }
    tick(repository, |subject| {
        model.as_ref().is_none_or(|wanted| wanted == subject.name)
            && environment.as_ref().is_none_or(|wanted| wanted == subject.environment)
    })
}

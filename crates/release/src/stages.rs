//! What an environment holds, recorded as GTO stage tags.

use async_trait::async_trait;
use tagship_domain::{Environment, ModelName, Timestamp, Version};
use tagship_ports::{PortError, Problem, Repo, StageRegistry, stage_registry::StageChange, target::Done};
use tagship_registry::{Event, Model, Options, PlannedTag, Registry, RegistryError, Trailer, Trailers};

use crate::{error::ReleaseError, find::known, publish::publish};

/// The stage tags of a repository. The trailer `Tagship-Rollout: <rollout>#<number>` carries the fencing number.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it holds nothing but seams")]
pub struct TagStages<'a> {
    /// The repository.
    pub repo: &'a dyn Repo,
    /// What `.gto` says.
    pub options: &'a Options,
}

#[async_trait]
impl StageRegistry for TagStages<'_> {
    async fn assign(&self, change: &StageChange) -> Result<Done, PortError> {
        self.record(change, Registry::plan_assignment).await
    }

    async fn unassign(&self, change: &StageChange) -> Result<Done, PortError> {
        self.record(change, Registry::plan_unassignment).await
    }

    async fn reaffirm(&self, change: &StageChange) -> Result<Done, PortError> {
        self.record(change, once_more).await
    }
}

/// Plans the tag of a change; `None` where it is recorded already.
type Plan = fn(
    &Registry,
    &ModelName,
    &Version,
    &Environment,
    &Trailers,
    Timestamp,
) -> Result<Option<PlannedTag>, RegistryError>;

impl TagStages<'_> {
    async fn record(&self, change: &StageChange, plan: Plan) -> Result<Done, PortError> {
        let StageChange { model, version, environment, at, .. } = change;
        let operation = || format!("record {}@{} in {}", change.model, change.version, change.environment);
        let trailers = trailers(change);
        let planned = |registry: &Registry| {
            let seen = newest_fence(registry, model, environment).filter(|seen| change.fence < *seen);
            if let Some(seen) = seen {
                let message = format!("a later change (number {seen}) is recorded already");
                return Err(PortError::new(Problem::Fenced, operation(), message).into());
            }
            Ok(plan(registry, model, version, environment, &trailers, *at)?)
        };
        match publish(self.repo, self.options, &planned).await {
            Ok(made) => Ok(made.map_or(Done::AlreadyThere, |_| Done::Applied)),
            Err(ReleaseError::Port(error)) => Err(error),
            Err(error @ ReleaseError::Overtaken { .. }) => {
                Err(PortError::new(Problem::Unreachable, operation(), error.to_string()))
            }
            Err(error) => Err(PortError::new(Problem::Invalid, operation(), error.to_string())),
        }
    }
}

/// Plans the tag that a number is recorded with; `None` where one of this number is there, for then a run that died did it.
fn once_more(
    registry: &Registry,
    model: &ModelName,
    version: &Version,
    environment: &Environment,
    trailers: &Trailers,
    at: Timestamp,
) -> Result<Option<PlannedTag>, RegistryError> {
    let number = trailers.get(Trailer::Rollout);
    let mut there = stage_events(registry, model, environment);
    if there.any(|event| event.trailers().get(Trailer::Rollout) == number) {
        return Ok(None);
    }
    registry.plan_reaffirmation(model, version, environment, trailers, at).map(Some)
}

fn trailers(change: &StageChange) -> Trailers {
    Trailers::new()
        .with(Trailer::Rollout, &format!("{}#{}", change.rollout, change.fence))
        .with(Trailer::Actor, &change.by.actor)
        .with(Trailer::Run, change.by.run.as_deref().unwrap_or_default())
        .with(Trailer::Reason, &change.reason)
}

/// The highest number that a stage tag of this model and environment carries.
fn newest_fence(registry: &Registry, name: &ModelName, environment: &Environment) -> Option<u64> {
    stage_events(registry, name, environment).filter_map(fence_of).max()
}

fn stage_events<'a>(
    registry: &'a Registry,
    name: &ModelName,
    environment: &'a Environment,
) -> impl Iterator<Item = &'a Event> {
    let model = known(registry, name).ok().flatten();
    let here = |event: &&Event| event.action.stage() == Some(environment.as_str());
    model.into_iter().flat_map(Model::events).filter(here)
}

fn fence_of(event: &Event) -> Option<u64> {
    event.trailers().get(Trailer::Rollout)?.rsplit_once('#')?.1.parse().ok()
}

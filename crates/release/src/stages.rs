//! What an environment holds, recorded as GTO stage tags.

use async_trait::async_trait;
use tagship_domain::{Environment, ModelName, Timestamp, Version};
use tagship_ports::{
    PortError, Problem, Repo, StageRegistry, repo::NewTag, stage_registry::StageChange, target::Done,
};
use tagship_registry::{Event, Model, Options, PlannedTag, Registry, RegistryError, Trailer, Trailers};

use crate::find::{known, read_registry};

/// How often a lost race for a tag is run again.
const ATTEMPTS: u32 = 20;

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
        let invalid = |message: String| PortError::new(Problem::Invalid, operation(), message);
        let trailers = trailers(change);
        for _ in 0..ATTEMPTS {
            let registry = read_registry(self.repo, self.options.clone())
                .await
                .map_err(|error| invalid(error.to_string()))?;
            let seen = newest_fence(&registry, model, environment);
            if seen.is_some_and(|seen| change.fence < seen) {
                let message =
                    format!("a later change (number {}) is recorded already", seen.unwrap_or_default());
                return Err(PortError::new(Problem::Fenced, operation(), message));
            }
            let planned = plan(&registry, model, version, environment, &trailers, *at);
            let Some(tag) = planned.map_err(|error| invalid(error.to_string()))? else {
                return Ok(Done::AlreadyThere);
            };
            let tag = NewTag { name: tag.name, commit: tag.target, message: tag.message, at: tag.time };
            match self.repo.create_tag(&tag).await {
                Ok(()) => return Ok(Done::Applied),
                Err(error) if error.problem == Problem::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        let message = format!("other runs created tags faster {ATTEMPTS} times in a row");
        Err(PortError::new(Problem::Unreachable, operation(), message))
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

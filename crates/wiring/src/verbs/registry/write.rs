//! What a person changes in the registry alone. Stages that something is rolled out to are not among it: a tag would say
//! what does not serve. The configuration names them, and so do the journals: another branch, or the past, may roll out
//! what the file that is checked out does not.

use std::path::Path;

use tagship_adapters::SystemClock;
use tagship_domain::{CommitId, Environment, Exit, ModelName, Timestamp};
use tagship_git::GitRepo;
use tagship_ports::{Clock as _, Repo as _, StateStore};
use tagship_registry::{Number, Options, PlannedTag, Registry, Trailer, Trailers};
use tagship_release::{ReleaseError, publish, read_registry};
use tagship_rollout::{ROLLOUTS, place_of};
use tagship_runner::{
    Context, Failure,
    args::{NamedVersion, RegistryChange},
};

use crate::{
    answer::Answer,
    failure::failed,
    pipeline::would,
    project::{CONFIG_FILE, actor, read_config},
};

/// Makes the tag of a change, in the name of whoever caused the run.
pub(super) async fn run(
    change: &RegistryChange,
    repo: &GitRepo,
    options: &Options,
    context: &Context,
) -> Result<Answer, Failure> {
    let plan = Plan {
        change,
        commit: commit(change, repo).await?,
        trailers: trailers(change, repo, context),
        now: SystemClock.now(),
        rolled_out: rolled_out(change, repo).await?,
    };
    let edit = change.edit();
    if edit.dry_run {
        let registry = read_registry(repo, options.clone()).await.map_err(failed)?;
        let planned = plan.of(&registry).map_err(ended)?;
        return Ok(planned.map_or_else(nothing, |tag| would(&format!("make {}", sentence(&tag)))));
    }
    let made = publish(repo, options, &|registry: &Registry| plan.of(registry)).await.map_err(ended)?;
    Ok(made.map_or_else(nothing, |tag| {
        let json = serde_json::json!({ "tag": tag.name, "commit": tag.target, "message": tag.message });
        Answer::plain(Exit::Done, "written", "done", format!("made {}", sentence(&tag)), json.to_string())
    }))
}

/// A change with everything that its tag is planned from.
struct Plan<'a> {
    change: &'a RegistryChange,
    /// The commit to be registered.
    commit: Option<CommitId>,
    trailers: Trailers,
    now: Timestamp,
    /// What is rolled out to which stages.
    rolled_out: Vec<(ModelName, Environment)>,
}

impl Plan<'_> {
    /// The tag to make; none where there is nothing to change.
    fn of(&self, registry: &Registry) -> Result<Option<PlannedTag>, ReleaseError> {
        let Self { trailers, now, .. } = self;
        Ok(match self.change {
            RegistryChange::Register { model, version, bump, .. } => {
                let number = version.clone().map_or(Number::Next((*bump).into()), Number::Exactly);
                let commit = self.commit.as_ref();
                commit
                    .map(|commit| registry.plan_version(model, commit, &number, trailers, *now))
                    .transpose()?
            }
            RegistryChange::Deregister { version: NamedVersion { model, version }, .. } => {
                for environment in self.environments(model) {
                    let held = registry.model(model)?.current(environment);
                    if held.and_then(|held| held.version()) == Some(version) {
                        return Err(rolls_out(model, environment));
                    }
                }
                Some(registry.plan_withdrawal(model, version, trailers, *now)?)
            }
            RegistryChange::Assign { version: NamedVersion { model, version }, stage, .. } => {
                self.refuse(model, stage)?;
                registry.plan_assignment(model, version, stage, trailers, *now)?
            }
            RegistryChange::Unassign { version: NamedVersion { model, version }, stage, .. } => {
                self.refuse(model, stage)?;
                registry.plan_unassignment(model, version, stage, trailers, *now)?
            }
            RegistryChange::Deprecate { model, .. } => registry.plan_retirement(model, trailers, *now)?,
        })
    }

    fn environments(&self, model: &ModelName) -> impl Iterator<Item = &Environment> {
        self.rolled_out.iter().filter(move |(name, _)| name == model).map(|(_, environment)| environment)
    }

    fn refuse(&self, model: &ModelName, stage: &Environment) -> Result<(), ReleaseError> {
        if self.environments(model).any(|environment| environment == stage) {
            return Err(rolls_out(model, stage));
        }
        Ok(())
    }
}

fn rolls_out(model: &ModelName, environment: &Environment) -> ReleaseError {
    ReleaseError::RolledOut { model: model.clone(), environment: environment.clone() }
}

async fn commit(change: &RegistryChange, repo: &GitRepo) -> Result<Option<CommitId>, Failure> {
    match change {
        RegistryChange::Register { at, .. } => repo.resolve(at).await.map(Some).map_err(failed),
        _ => Ok(None),
    }
}

fn trailers(change: &RegistryChange, repo: &GitRepo, context: &Context) -> Trailers {
    Trailers::new()
        .with(Trailer::Actor, &actor(repo, context))
        .with(Trailer::Run, context.by.run.as_deref().unwrap_or_default())
        .with(Trailer::Reason, &change.edit().reason)
}

/// Every environment that a model is or was rolled out to, where the change could be about it.
async fn rolled_out(
    change: &RegistryChange,
    repo: &GitRepo,
) -> Result<Vec<(ModelName, Environment)>, Failure> {
    if matches!(change, RegistryChange::Register { .. } | RegistryChange::Deprecate { .. }) {
        return Ok(vec![]);
    }
    let mut places = configured(repo.root())?;
    let journals = StateStore::list(repo, ROLLOUTS).await.map_err(failed)?;
    places.extend(
        journals.iter().filter_map(|name| place_of(name)).map(|(environment, model)| (model, environment)),
    );
    Ok(places)
}

/// Every environment that the repository's configuration rolls a model out to; none without a configuration.
fn configured(root: &Path) -> Result<Vec<(ModelName, Environment)>, Failure> {
    let file = root.join(CONFIG_FILE);
    if !file.is_file() {
        return Ok(vec![]);
    }
    let config = read_config(&file, root)?;
    let places = config.models.into_iter().flat_map(|(name, model)| {
        model.environments.into_keys().map(move |environment| (name.clone(), environment))
    });
    Ok(places.collect())
}

/// A refusal of the registry is the caller's to mend.
pub(super) fn ended(error: ReleaseError) -> Failure {
    match error {
        ReleaseError::Registry(error) => failed(error),
        error => failed(error),
    }
}

fn sentence(tag: &PlannedTag) -> String {
    let subject = tag.message.lines().next().unwrap_or_default();
    format!("tag {} on {}: {subject}", tag.name, tag.target.short())
}

fn nothing() -> Answer {
    let text = "it is so already".to_owned();
    let json = serde_json::json!({ "tag": null }).to_string();
    Answer::plain(Exit::Done, "nothing", "already-so", text, json)
}

//! Gathering what a decision rests on: artifacts of the checkout, the registry, the journals.

use std::collections::BTreeMap;

use tagship_artifact::digest_path;
use tagship_config::ModelConfig;
use tagship_decide::{
    Arrival, ArtifactState, Before, Blocked, EnvironmentState, ModelState, RepositoryState, Running,
};
use tagship_domain::{
    CommitId, Digest, Environment, FileEntry, ModelName, Release, freeze::frozen_until, lock::Lock,
    rollout::RolloutState,
};
use tagship_ports::Repo as _;
use tagship_registry::Registry;
use tagship_release as release;
use tagship_rollout::{
    JournalError, LOCKS, blocked, ended, journal_name, lock_journal, read_lock, state_of, succeeded,
};
use tagship_runner::Failure;

use crate::{
    failure::failed,
    project::Project,
    sources::{Looked, artifact_path, taken},
    workspace::Workspace,
};

/// How many journal entries are read to know what failed here before.
const MEMORY: usize = 500;

/// Everything a decision rests on, for the chosen models and environment, with what was found in the places that artifacts
/// come from.
///
/// # Errors
/// When tags or journals cannot be read. An artifact that is missing is part of the state, not an error.
pub(crate) async fn repository_state(
    workspace: &Workspace,
    looked: &Looked,
) -> Result<RepositoryState, Failure> {
    let registry = workspace.registry().await?;
    let locks = locks(workspace).await?;
    let mut state = RepositoryState::default();
    for (name, settings) in workspace.models()? {
        let mut environments = BTreeMap::new();
        for environment in settings.environments.keys().filter(|name| workspace.chooses(name)) {
            let known = environment_state(workspace, &registry, name, environment).await?;
            let lock = locks.get(environment).cloned();
            let frozen = settings.environments.get(environment).map(|here| here.freeze.as_slice());
            let frozen_until = frozen_until(frozen.unwrap_or_default(), workspace.clock.now());
            let after = before(workspace, &registry, name, environment).await?;
            environments.insert(environment.clone(), EnvironmentState { lock, frozen_until, after, ..known });
        }
        let released = release::releases(&registry, name).map_err(failed)?;
        state.models.insert(
            name.clone(),
            ModelState {
                artifact: artifact_state(workspace, name, settings, looked),
                released,
                environments,
                arrival: looked.arrival(name).cloned(),
            },
        );
    }
    Ok(state)
}

fn artifact_state(
    workspace: &Workspace,
    name: &ModelName,
    settings: &ModelConfig,
    looked: &Looked,
) -> ArtifactState {
    if let Some(Arrival::Unknown(why)) = looked.arrival(name) {
        return ArtifactState::Missing(why.clone());
    }
    let digest = match settings.artifact.elsewhere() {
        None => artifact_files(workspace, name, settings).map(|(digest, _)| digest),
        // It was hashed while it was fetched, and is again when it is judged.
        Some(address) => match taken(workspace, name, address) {
            Ok(Some(taken)) => Ok(taken.digest),
            Ok(None) => {
                Err(Failure::incomplete(format!("nothing was fetched from {address} for this event")))
            }
            Err(failure) => Err(failure),
        },
    };
    match digest {
        Ok(digest) => ArtifactState::Present(digest),
        Err(why) => ArtifactState::Missing(why.message),
    }
}

/// Digest and files of a model's artifact in the checkout, or where it was fetched to.
///
/// # Errors
/// When it is missing or cannot be read.
pub(crate) fn artifact_files(
    project: &Project,
    name: &ModelName,
    settings: &ModelConfig,
) -> Result<(Digest, Vec<FileEntry>), Failure> {
    digest_path(&artifact_path(project, name, settings)?).map_err(Failure::incomplete)
}

/// The failure that a journal is which this build cannot read.
pub(crate) fn unusable_journal(journal: &str, error: &JournalError) -> Failure {
    Failure::incomplete(format!("read journal {journal}: {error}"))
}

async fn environment_state(
    workspace: &Workspace,
    registry: &Registry,
    model: &ModelName,
    environment: &Environment,
) -> Result<EnvironmentState, Failure> {
    let journal = journal_name(environment, model);
    let entries = workspace.host.journals.history(&journal, MEMORY).await.map_err(failed)?;
    let unusable = |error| unusable_journal(&journal, &error);
    let tip = entries.first().map(state_of).transpose().map_err(unusable)?;
    let failures = blocked(&ended(&entries).map_err(unusable)?);
    Ok(EnvironmentState {
        current: release::current(registry, model, environment).map_err(failed)?,
        previous: release::previous(registry, model, environment).map_err(failed)?,
        running: tip.filter(RolloutState::is_open).map(running),
        blocked: failures
            .into_iter()
            .map(|blocked| Blocked {
                digest: blocked.release.digest,
                version: blocked.release.version,
                phase: blocked.phase,
            })
            .collect(),
        lock: None,
        after: None,
        frozen_until: None,
    })
}

/// What succeeded in the environment that comes before this one; absent where it is the first.
///
/// # Errors
/// When the registry or the journal cannot be read.
pub(crate) async fn before(
    workspace: &Workspace,
    registry: &Registry,
    model: &ModelName,
    environment: &Environment,
) -> Result<Option<Before>, Failure> {
    let settings = workspace.config.models.get(model).and_then(|model| model.environments.get(environment));
    let Some(before) = settings.and_then(|settings| settings.after.as_ref()) else { return Ok(None) };
    let journal = journal_name(before, model);
    let entries = workspace.host.journals.history(&journal, MEMORY).await.map_err(failed)?;
    let unusable = |error| unusable_journal(&journal, &error);
    let ended = ended(&entries).map_err(unusable)?;
    let mut digests = succeeded(&ended);
    // What it holds for longer than the journal was read for counts as well, unless it fell or is still on its way.
    let tip = entries.first().map(state_of).transpose().map_err(unusable)?;
    let fell = blocked(&ended);
    let is_done = |held: &Release| {
        fell.iter().all(|blocked| blocked.release.digest != held.digest)
            && tip.as_ref().is_none_or(|tip| tip.phase.is_terminal() || tip.candidate.digest != held.digest)
    };
    let held = release::current(registry, model, before).map_err(failed)?;
    digests.extend(held.filter(is_done).map(|held| held.digest));
    Ok(Some(Before { environment: before.clone(), succeeded: digests }))
}

/// The locks on configured environments.
///
/// # Errors
/// When they cannot be read; whether an environment is locked is unknown then.
pub(crate) async fn locks(workspace: &Workspace) -> Result<BTreeMap<Environment, Lock>, Failure> {
    let journals = workspace.host.journals.list(LOCKS).await.map_err(failed)?;
    let mut locks = BTreeMap::new();
    for (_, _, environment, _) in workspace.places() {
        if journals.contains(&lock_journal(environment)) && !locks.contains_key(environment) {
            let lock = read_lock(workspace.host.journals.as_ref(), environment).await.map_err(failed)?;
            locks.extend(lock.map(|lock| (environment.clone(), lock)));
        }
    }
    Ok(locks)
}

fn running(state: RolloutState) -> Running {
    Running { id: state.id, version: state.candidate.version, phase: state.phase }
}

/// The commit that is checked out.
///
/// # Errors
/// When there is none.
pub(crate) async fn head(workspace: &Workspace) -> Result<CommitId, Failure> {
    workspace.clone.resolve("HEAD").await.map_err(failed)
}

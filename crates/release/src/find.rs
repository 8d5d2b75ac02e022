//! Releases from the registry: what there is, what an environment holds, what it held before.

use tagship_domain::{Digest, Environment, ModelName, Release, Version};
use tagship_ports::Repo;
use tagship_registry::{Model, ModelVersion, Options, Registry, Tag, Trailer};

use crate::error::ReleaseError;

/// Reads the registry from the repository's tags.
///
/// # Errors
/// When the tags cannot be read; a shallow clone is an error, never an empty registry.
pub async fn read_registry(repo: &dyn Repo, options: Options) -> Result<Registry, ReleaseError> {
    let tags: Vec<Tag> = repo.tags().await?;
    Ok(Registry::from_tags(tags, options))
}

/// Every release of a model that tagship made, newest version first. Empty where the model is not registered.
///
/// # Errors
/// When the model's tags contradict each other.
pub fn releases(registry: &Registry, name: &ModelName) -> Result<Vec<Release>, ReleaseError> {
    let Some(model) = known(registry, name)? else { return Ok(vec![]) };
    Ok(model.active_versions().into_iter().filter_map(|version| release(name, version)).collect())
}

/// The release of a version.
///
/// # Errors
/// When there is none, or another tool made the version and no manifest is known.
pub fn release_of_version(
    registry: &Registry,
    name: &ModelName,
    version: &Version,
) -> Result<Release, ReleaseError> {
    let model = known(registry, name)?;
    let active = model.map(Model::active_versions).unwrap_or_default();
    match active.iter().find(|candidate| candidate.version() == Some(version)) {
        Some(found) => release(name, found)
            .ok_or_else(|| ReleaseError::Foreign { model: name.clone(), version: version.clone() }),
        None => Err(ReleaseError::UnknownVersion {
            model: name.clone(),
            version: version.clone(),
            registered: active.iter().filter_map(|version| version.version().cloned()).collect(),
        }),
    }
}

/// What an environment holds.
///
/// # Errors
/// When the model's tags contradict each other, or the version it holds has no manifest.
pub fn current(
    registry: &Registry,
    name: &ModelName,
    environment: &Environment,
) -> Result<Option<Release>, ReleaseError> {
    held(name, known(registry, name)?.and_then(|model| model.current(environment)))
}

/// What an environment held before, which a rollback without a named version goes back to.
///
/// # Errors
/// As [`current`].
pub fn previous(
    registry: &Registry,
    name: &ModelName,
    environment: &Environment,
) -> Result<Option<Release>, ReleaseError> {
    held(name, known(registry, name)?.and_then(|model| model.previous(environment)))
}

fn held(name: &ModelName, version: Option<&ModelVersion>) -> Result<Option<Release>, ReleaseError> {
    let Some(held) = version else { return Ok(None) };
    match (release(name, held), held.version()) {
        (Some(release), _) => Ok(Some(release)),
        (None, Some(version)) => Err(ReleaseError::Foreign { model: name.clone(), version: version.clone() }),
        (None, None) => Ok(None),
    }
}

/// Name of the tag that made a release.
pub(crate) fn tag_of(registry: &Registry, release: &Release) -> Result<Option<String>, ReleaseError> {
    let Some(model) = known(registry, &release.model)? else { return Ok(None) };
    let events = model.version(&release.version).into_iter().flat_map(ModelVersion::registrations);
    let complete = events.filter(|event| event.trailers().get(Trailer::Manifest).is_some());
    Ok(complete.last().map(|event| event.tag.clone()))
}

/// The model, where it has tags.
pub(crate) fn known<'a>(registry: &'a Registry, name: &ModelName) -> Result<Option<&'a Model>, ReleaseError> {
    match registry.model(name) {
        Ok(model) => Ok(Some(model)),
        Err(tagship_registry::RegistryError::UnknownModel { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A version's release, where its newest registration names digest and manifest.
pub(crate) fn release(name: &ModelName, version: &ModelVersion) -> Option<Release> {
    let trailers = version.registrations().map(tagship_registry::Event::trailers);
    let complete = trailers.filter(|trailers| trailers.get(Trailer::Manifest).is_some()).last()?;
    Some(Release {
        model: name.clone(),
        version: version.version()?.clone(),
        digest: complete.digest()?,
        manifest: complete.get(Trailer::Manifest)?.parse::<Digest>().ok()?,
        commit: version.commit().clone(),
    })
}

//! What happened since the version before: its manifest, and the commits in between.

use tagship_domain::{CommitId, Manifest};
use tagship_ports::{ArtifactStore, PortError, Problem, Repo};
use tagship_registry::Registry;

use crate::{error::ReleaseError, fetch::read_manifest, find::release_of_version};

/// Most commits that are told.
const COMMITS: usize = 50;

/// What a release is told beside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Since {
    /// The version before; absent for a first one, and where it is gone.
    pub(crate) previous: Option<Manifest>,
    /// Id and first line of the commits since, newest first, along first parents.
    pub(crate) commits: Vec<(CommitId, String)>,
    /// Whether these are all.
    pub(crate) complete: bool,
}

/// Reads what happened before a release.
///
/// # Errors
/// When repository or store fail in a way that may pass.
pub(crate) async fn since(
    repo: &dyn Repo,
    store: &dyn ArtifactStore,
    registry: &Registry,
    manifest: &Manifest,
) -> Result<Since, ReleaseError> {
    let Some(version) = &manifest.previous else { return Ok(Since::default()) };
    let Ok(release) = release_of_version(registry, &manifest.model, version) else {
        return Ok(Since::default());
    };
    let previous = match read_manifest(store, &release).await {
        Ok(previous) => previous,
        Err(ReleaseError::Port(error)) if error.may_pass() => return Err(error.into()),
        // What is gone for good must not keep newer versions from being shown.
        Err(_) => return Ok(Since::default()),
    };
    let (commits, complete) = commits_since(repo, &manifest.commit, &previous.commit).await?;
    Ok(Since { previous: Some(previous), commits, complete })
}

async fn commits_since(
    repo: &dyn Repo,
    newest: &CommitId,
    until: &CommitId,
) -> Result<(Vec<(CommitId, String)>, bool), ReleaseError> {
    let mut commits = vec![];
    let mut next = Some(newest.clone());
    while let Some(id) = next.filter(|id| id != until) {
        if commits.len() == COMMITS {
            return Ok((commits, false));
        }
        let commit = match repo.commit(&id).await {
            Ok(commit) => commit,
            // The clone does not reach further back.
            Err(PortError { problem: Problem::NotFound, .. }) => return Ok((commits, false)),
            Err(error) => return Err(error.into()),
        };
        commits.push((id, commit.message.lines().next().unwrap_or_default().to_owned()));
        next = commit.parents.first().cloned();
    }
    Ok((commits, true))
}

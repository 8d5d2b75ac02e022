//! Where the repository is hosted, behind the ports: GitHub in a workflow, else a directory.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use tagship_adapters::{forges::LocalForge, stores::Remembering};
use tagship_domain::{CommitId, Redacted, tag::Tag};
use tagship_git::{Access, GitRepo};
use tagship_github::{GitHub, Settings};
use tagship_ports::{
    ArtifactStore, Clock, Dispatcher, Forge, PortError, Problem, Repo, StateStore,
    dispatcher::Dispatch,
    forge::{Comment, CommentOutcome, CommitCheck, DeploymentStatus, ReleaseNote},
    repo::{Commit, NewTag},
};
use tagship_runner::{Context, Failure, Host as Addresses};

use crate::failure::failed;

/// The host of a repository.
pub(crate) struct Host {
    /// Comments, checks, deployments, releases.
    pub(crate) forge: Arc<dyn Forge>,
    /// Journals.
    pub(crate) journals: Arc<dyn StateStore>,
    /// Commits and tags.
    pub(crate) repo: Arc<dyn Repo>,
    /// The clone, where it is what tags are read from.
    followed: Option<Arc<GitRepo>>,
    /// Where the bytes of releases are kept, where nothing else is configured; absent where there is no such place.
    pub(crate) store: Option<Arc<dyn ArtifactStore>>,
    /// Everything else that GitHub can do; absent elsewhere.
    pub(crate) github: Option<Arc<GitHub>>,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("github", &self.github).finish_non_exhaustive()
    }
}

impl Host {
    /// The host that the environment names, else the directory `local`.
    ///
    /// # Errors
    /// When the environment names a host that cannot be right.
    pub(crate) fn of(
        context: &Context,
        mut repo: GitRepo,
        local: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Arc<GitRepo>), Failure> {
        let Some(addresses) = &context.host else {
            return Ok(Self::git(Arc::new(LocalForge::new(local)), Arc::new(repo)));
        };
        let access = repo.authenticate(&addresses.server_url, addresses.token.as_ref());
        let repo = Arc::new(repo);
        match &addresses.token {
            Some(token) => {
                let github = Arc::new(github(addresses, token, context, clock)?);
                Ok((Self::github(github, repo.clone(), access), repo))
            }
            None if context.hosted => Ok(Self::git(Arc::new(NoToken), repo)),
            None => Ok(Self::git(Arc::new(LocalForge::new(local)), repo)),
        }
    }

    /// Reads tags that others have pushed since the checkout; over the API they are always the newest.
    ///
    /// # Errors
    /// When the remote cannot be read.
    pub(crate) async fn refresh(&self) -> Result<(), PortError> {
        match &self.followed {
            Some(clone) => clone.fetch().await,
            None => Ok(()),
        }
    }

    /// Who starts other runs.
    pub(crate) fn dispatcher(&self) -> &dyn Dispatcher {
        match &self.github {
            Some(github) => github.as_ref(),
            None => &NoRuns,
        }
    }

    fn git(forge: Arc<dyn Forge>, repo: Arc<GitRepo>) -> (Self, Arc<GitRepo>) {
        let followed = Some(repo.clone());
        (
            Self { forge, journals: repo.clone(), repo: repo.clone(), followed, store: None, github: None },
            repo,
        )
    }

    fn github(github: Arc<GitHub>, repo: Arc<GitRepo>, access: Access) -> Self {
        let forge: Arc<dyn Forge> = github.clone();
        let followed = Some(repo.clone()).filter(|_| access == Access::Git);
        let (journals, repo): (Arc<dyn StateStore>, Arc<dyn Repo>) = match access {
            Access::Git => (repo.clone(), repo),
            // A token opens no SSH connection, but the API.
            Access::Key => (github.clone(), Arc::new(TagsByApi { clone: repo, api: github.clone() })),
        };
        let store: Arc<dyn ArtifactStore> = Arc::new(Remembering::new(github.clone()));
        Self { forge, journals, repo, followed, store: Some(store), github: Some(github) }
    }
}

/// A client of the host. Nothing is sent yet.
///
/// # Errors
/// Where an address cannot be right.
pub(crate) fn github(
    addresses: &Addresses,
    token: &Redacted<String>,
    context: &Context,
    clock: Arc<dyn Clock>,
) -> Result<GitHub, Failure> {
    let Addresses { api_url, server_url, graphql_url, repository, .. } = addresses;
    let settings = Settings {
        run_url: context.by.run.clone(),
        from_fork: context.proposed.as_ref().is_some_and(|proposed| proposed.from_fork),
        ..Settings::new(api_url, server_url, graphql_url, repository, token.expose())
    };
    GitHub::new(settings, clock).map_err(failed)
}

/// The clone's commits and files with the host's tags, for a remote that git cannot reach with a token.
struct TagsByApi {
    clone: Arc<GitRepo>,
    api: Arc<GitHub>,
}

#[async_trait]
impl Repo for TagsByApi {
    async fn resolve(&self, revision: &str) -> Result<CommitId, PortError> {
        self.clone.resolve(revision).await
    }

    async fn commit(&self, id: &CommitId) -> Result<Commit, PortError> {
        self.clone.commit(id).await
    }

    async fn tags(&self) -> Result<Vec<Tag>, PortError> {
        self.api.tags().await
    }

    async fn refresh(&self) -> Result<(), PortError> {
        self.api.refresh().await
    }

    async fn file_at(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.clone.file_at(commit, path).await
    }

    async fn create_tag(&self, tag: &NewTag) -> Result<(), PortError> {
        self.api.create_tag(tag).await
    }

    async fn uncommitted(&self, path: &str, limit: usize) -> Result<Vec<String>, PortError> {
        self.clone.uncommitted(path, limit).await
    }
}

/// A host that starts no runs, or that the run has no token for.
struct NoRuns;

#[async_trait]
impl Dispatcher for NoRuns {
    async fn dispatch(&self, dispatch: &Dispatch) -> Result<(), PortError> {
        let message = "only a workflow's run with a token can start another one";
        Err(PortError::new(Problem::Unsupported, format!("dispatch {}", dispatch.what()), message)
            .hint("deploy it there by hand: `tagship run --request deploy --environment NAME --from NAME`"))
    }
}

/// A host that the run has no token for.
struct NoToken;

impl NoToken {
    fn refuse<T>(what: &str) -> Result<T, PortError> {
        Err(PortError::new(Problem::Denied, what, "the step has no token")
            .hint("pass `github-token: ${{ github.token }}`, or set GITHUB_TOKEN in its environment"))
    }
}

#[async_trait]
impl Forge for NoToken {
    async fn comment(&self, comment: &Comment) -> Result<CommentOutcome, PortError> {
        Self::refuse(&format!("comment on #{}", comment.pull_request))
    }

    async fn pull_requests_of(&self, commit: &CommitId) -> Result<Vec<u64>, PortError> {
        Self::refuse(&format!("find the pull requests of commit {}", commit.short()))
    }

    async fn checks(&self, commit: &CommitId) -> Result<Vec<CommitCheck>, PortError> {
        Self::refuse(&format!("read the checks of commit {}", commit.short()))
    }

    async fn deployment(&self, status: &DeploymentStatus) -> Result<(), PortError> {
        Self::refuse(&format!("show the deployment to {}", status.environment))
    }

    async fn release(&self, note: &ReleaseNote) -> Result<(), PortError> {
        Self::refuse(&format!("show release {}", note.tag))
    }
}

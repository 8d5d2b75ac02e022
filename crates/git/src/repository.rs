//! Finding a repository and what it is connected to.

use std::{
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use git2::{ErrorCode, Repository};
use tagship_domain::Timestamp;
use tagship_ports::{PortError, Problem};

use crate::{
    error::{at, from_git2},
    program::Program,
};

/// Who commits and tags where git knows no `user.name` and `user.email`.
const OWN_NAME: &str = "tagship";
const OWN_EMAIL: &str = "tagship@localhost";

/// A git repository on this machine, with its remote where it has one.
///
/// Handles are cheap to call from several tasks: libgit2 is locked for the short reads only, never while a
/// command runs.
pub struct GitRepo {
    repository: Mutex<Repository>,
    pub(crate) program: Program,
    pub(crate) remote: Option<String>,
}

impl std::fmt::Debug for GitRepo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitRepo")
            .field("program", &self.program)
            .field("remote", &self.remote)
            .finish_non_exhaustive()
    }
}

impl GitRepo {
    /// Opens the repository that a directory is in.
    ///
    /// # Errors
    /// [`Problem::NotFound`] outside a repository, [`Problem::Denied`] where it belongs to another user,
    /// [`Problem::Invalid`] where several remotes leave open which one is meant.
    pub fn discover(directory: &Path) -> Result<Self, PortError> {
        let operation = format!("open the git repository of {}", directory.display());
        // Whatever a fetch or push brings is hashed by git on its way, and zlib's checksum shows damage on the disk. Hashing
        // every object once more on each reading, which git does not do either, takes half of the time of a long journal.
        git2::opts::strict_hash_verification(false);
        let repository = Repository::discover(directory).map_err(|error| match error.code() {
            ErrorCode::NotFound => PortError::new(Problem::NotFound, &operation, "not a git repository")
                .hint("run inside a clone; in a workflow, after actions/checkout with `fetch-depth: 0`"),
            _ => from_git2(&operation, &error),
        })?;
        let remote = choose_remote(&repository, &operation)?;
        let git_dir = repository.path().to_path_buf();
        let directory = repository.workdir().unwrap_or(repository.path()).to_path_buf();
        Ok(Self {
            repository: Mutex::new(repository),
            program: Program { git_dir, directory, credential: None },
            remote,
        })
    }

    /// The top directory of the work tree, or the repository itself where it is bare.
    pub fn root(&self) -> &Path {
        &self.program.directory
    }

    /// The remote that tags and journals are published to: `origin`, else the only one.
    pub fn remote(&self) -> Option<&str> {
        self.remote.as_deref()
    }

    /// The default branch: what the remote's HEAD named when it was cloned, else the branch checked out.
    pub fn default_branch(&self) -> Option<String> {
        let repository = self.lock();
        let of_remote = self.remote.as_ref().and_then(|remote| {
            let prefix = format!("refs/remotes/{remote}/");
            let head = repository.find_reference(&format!("{prefix}HEAD")).ok()?;
            let target = head.symbolic_target().ok().flatten()?;
            target.strip_prefix(&prefix).map(str::to_owned)
        });
        of_remote.or_else(|| {
            let head = repository.find_reference("HEAD").ok()?;
            let target = head.symbolic_target().ok().flatten()?;
            target.strip_prefix("refs/heads/").map(str::to_owned)
        })
    }

    /// The configured `user.name`, which stands in for the actor of a run outside of CI.
    pub fn user_name(&self) -> Option<String> {
        let signature = self.lock().signature().ok()?;
        signature.name().ok().map(str::to_owned)
    }

    /// Opens the repository anew, because libgit2 remembers what a shallow clone lacks.
    pub(crate) fn reopen(&self, operation: &str) -> Result<(), PortError> {
        *self.lock() = Repository::open(&self.program.git_dir).map_err(at(operation))?;
        Ok(())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Repository> {
        // A panic elsewhere leaves libgit2's repository usable: it holds no half-made state of ours.
        self.repository.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The configured identity, else our own name, at the given time in UTC.
pub(crate) fn identity(
    repository: &Repository,
    time: Timestamp,
) -> Result<git2::Signature<'static>, PortError> {
    let operation = "read user.name and user.email";
    let time = git2::Time::new(time.as_seconds(), 0);
    let configured = repository.signature().ok();
    let known = configured.as_ref().and_then(|who| Some((who.name().ok()?, who.email().ok()?)));
    let (name, email) = known.unwrap_or((OWN_NAME, OWN_EMAIL));
    git2::Signature::new(name, email, &time).map_err(at(operation))
}

fn choose_remote(repository: &Repository, operation: &str) -> Result<Option<String>, PortError> {
    let remotes = repository.remotes().map_err(at(operation))?;
    let names: Vec<String> =
        remotes.iter_bytes().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    match names.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        several if several.iter().any(|name| name == "origin") => Ok(Some("origin".to_owned())),
        several => Err(PortError::new(
            Problem::Invalid,
            operation,
            format!("it has the remotes {} and none is called origin", several.join(", ")),
        )
        .hint("rename the one to publish to: `git remote rename NAME origin`")),
    }
}

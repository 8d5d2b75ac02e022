//! Git repositories in temporary directories, made by the `git` program as people make them.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::environment;

/// Time of the first commit, 2026-01-01T12:00:00Z; each further one is a minute later.
const FIRST_COMMIT: u64 = 1_767_268_800;

/// A git repository with the branch `main`. It is removed when the answer is dropped.
#[derive(Debug)]
pub struct Repository {
    directory: TempDir,
    home: TempDir,
    commits: Cell<u64>,
}

impl Repository {
    /// An empty one with a working tree.
    pub fn new() -> Self {
        Self::made(&["init", "--quiet", "--initial-branch", "main", "."])
    }

    /// An empty one without a working tree, to be pushed to.
    pub fn bare() -> Self {
        Self::made(&["init", "--quiet", "--bare", "--initial-branch", "main", "."])
    }

    /// A clone, as a run gets it: by the protocol, for files that are only copied may be half of what another run is writing.
    pub fn clone_of(origin: &Self) -> Self {
        Self::made(&["clone", "--quiet", "--no-local", &origin.path().display().to_string(), "."])
    }

    /// A clone of the last `depth` commits, without tags, as a run gets it that asks for nothing else.
    pub fn shallow_clone_of(origin: &Self, depth: u32) -> Self {
        let url = format!("file://{}", origin.path().display());
        Self::made(&["clone", "--quiet", "--no-tags", "--depth", &depth.to_string(), &url, "."])
    }

    fn made(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let repository = Self { directory, home: environment::home(), commits: Cell::new(0) };
        repository.git(arguments);
        repository
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs git in it and answers what it printed, without the final line feed. Panics where it fails.
    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        environment::scrub(&mut command, &self.home);
        let time = format!("{} +0000", FIRST_COMMIT + 60 * self.commits.get());
        command.env("GIT_AUTHOR_DATE", &time).env("GIT_COMMITTER_DATE", &time);
        let done = command.current_dir(self.path()).args(arguments).output().expect("git can be started");
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "git {}: {complaint}", arguments.join(" "));
        String::from_utf8_lossy(&done.stdout).trim_end_matches('\n').to_owned()
    }

    /// Writes a file of the working tree and answers its path.
    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let file = self.path().join(path);
        let folder = file.parent().expect("a file lies in a folder");
        fs::create_dir_all(folder).expect("the working tree can be written");
        fs::write(&file, content).expect("the working tree can be written");
        file
    }

    /// Commits everything in the working tree and answers the commit's id.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.commits.set(self.commits.get() + 1);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Names of all references, sorted.
    pub fn references(&self) -> Vec<String> {
        self.git(&["for-each-ref", "--format=%(refname)"]).lines().map(str::to_owned).collect()
    }
}

impl Default for Repository {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_steps_give_the_same_commits_everywhere() {
        let make = || {
            let repository = Repository::new();
            repository.write("models/churn/model.onnx", b"one");
            repository.commit("First");
            repository.write("models/churn/model.onnx", b"two");
            repository.commit("Second")
        };
        assert_eq!(make(), make());
    }

    #[test]
    fn clones_know_what_they_were_given() {
        let origin = Repository::bare();
        let work = Repository::clone_of(&origin);
        work.commit("First");
        work.commit("Second");
        work.git(&["tag", "--annotate", "--message", "x", "churn@v1.0.0"]);
        work.git(&["push", "--quiet", "--follow-tags", "origin", "HEAD:main"]);
        assert_eq!(origin.references(), ["refs/heads/main", "refs/tags/churn@v1.0.0"]);
        let shallow = Repository::shallow_clone_of(&origin, 1);
        assert_eq!(shallow.git(&["rev-list", "--count", "HEAD"]), "1");
        assert!(!shallow.references().iter().any(|name| name.starts_with("refs/tags/")));
    }
}

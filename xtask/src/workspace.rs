//! Where the repository lies, which files it has, and which crates.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::process;

/// A checkout of this repository.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

/// A member crate, as cargo sees it.
#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency as its manifest declares it.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `dev` or `build`; absent for a normal one.
    pub(crate) kind: Option<String>,
    /// Where it lies, for a crate of ours.
    path: Option<PathBuf>,
}

impl Dependency {
    pub(crate) fn is_ours(&self) -> bool {
        self.path.is_some()
    }

    pub(crate) fn is_dev(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

impl Workspace {
    /// The checkout that this program was built from.
    pub fn this() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: here.parent().unwrap_or(here).to_owned() }
    }

    /// A path in it.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }

    /// A command that runs in it.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// A cargo command that runs in it.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        command.args(arguments);
        command
    }

    /// Text of a file.
    pub(crate) fn read(&self, relative: impl AsRef<Path>) -> Result<String> {
        let path = self.path(relative);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    /// Every file that git tracks or would add, relative, sorted. Deleted ones are left out.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        let mut git = self.command("git");
        git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
        let listing = process::output(git)?;
        let mut files: Vec<String> =
            listing.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
        files.retain(|file| self.path(file).is_file());
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Every member crate with the dependencies that it declares. Needs no network.
    pub(crate) fn members(&self) -> Result<Vec<Member>> {
        Ok(self.metadata()?.packages)
    }

    /// Where cargo puts what it builds without a named profile: `target/debug`, unless a setting of cargo's says otherwise.
    pub(crate) fn built(&self) -> Result<PathBuf> {
        Ok(self.metadata()?.target_directory.join("debug"))
    }

    fn metadata(&self) -> Result<Metadata> {
        let text =
            process::output(self.cargo(&["metadata", "--format-version", "1", "--no-deps", "--offline"]))?;
        serde_json::from_str(&text).context("read the output of cargo metadata")
    }
}

/// What cargo tells of a workspace, as far as it is read.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Member>,
    target_directory: PathBuf,
}

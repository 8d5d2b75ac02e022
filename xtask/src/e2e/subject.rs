//! What the steps look at, made once and only where a step asks for it.

use std::{cell::OnceCell, fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{process, workspace::Workspace};

/// The repository, and what it builds.
pub(super) struct Subject<'a> {
    pub(super) workspace: &'a Workspace,
    binaries: OnceCell<PathBuf>,
    demo: OnceCell<PathBuf>,
}

impl<'a> Subject<'a> {
    pub(super) fn of(workspace: &'a Workspace) -> Self {
        Self { workspace, binaries: OnceCell::new(), demo: OnceCell::new() }
    }

    /// Directory of every built program.
    pub(super) fn binaries(&self) -> Result<PathBuf> {
        if let Some(built) = self.binaries.get() {
            return Ok(built.clone());
        }
        process::run(self.workspace.cargo(&["build", "--locked", "--package", "tagship", "--bins"]))?;
        let built = self.workspace.built()?;
        Ok(self.binaries.get_or_init(|| built).clone())
    }

    /// The built program.
    pub(super) fn tagship(&self) -> Result<PathBuf> {
        Ok(self.binaries()?.join("tagship"))
    }

    /// What `tagship demo --keep` left: a repository with releases, assignments and journals.
    pub(super) fn demo(&self) -> Result<PathBuf> {
        if let Some(played) = self.demo.get() {
            return Ok(played.clone());
        }
        let demo = self.workspace.path("target/e2e/demo");
        if demo.exists() {
            fs::remove_dir_all(&demo).with_context(|| format!("remove {}", demo.display()))?;
        }
        let parent = demo.parent().context("the demo lies in a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        let mut play = self.workspace.command(self.tagship()?);
        play.args(["demo", "--keep"]).arg(&demo);
        process::run(play)?;
        Ok(self.demo.get_or_init(|| demo).clone())
    }
}

//! What the steps look at, made once and only where a step asks for it.

use std::{
    cell::OnceCell,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{process, workspace::Workspace};

/// Names the demo that another process of these steps has played.
const DEMO: &str = "TAGSHIP_E2E_DEMO";

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

    /// Directory of every built program, with the features that `cargo test --workspace` builds them with, so that nothing is
    /// built twice; the examples lie in `examples` there.
    pub(super) fn binaries(&self) -> Result<PathBuf> {
        if let Some(built) = self.binaries.get() {
            return Ok(built.clone());
        }
        // This program itself runs.
        let all = ["build", "--locked", "--workspace", "--exclude", "xtask", "--bins", "--examples"];
        process::run(self.workspace.cargo(&all))?;
        let built = self.workspace.built()?;
        Ok(self.binaries.get_or_init(|| built).clone())
    }

    /// The built program.
    pub(super) fn tagship(&self) -> Result<PathBuf> {
        Ok(self.binaries()?.join("tagship"))
    }

    /// An example, built.
    pub(super) fn example(&self, name: &str) -> Result<PathBuf> {
        Ok(self.binaries()?.join("examples").join(name))
    }

    /// What `tagship demo --keep` left: a repository with releases, assignments and journals.
    pub(super) fn demo(&self) -> Result<PathBuf> {
        if let Some(played) = self.demo.get() {
            return Ok(played.clone());
        }
        if let Some(played) = std::env::var_os(DEMO) {
            return Ok(played.into());
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

    /// Has a process of other steps use the demo that was played.
    pub(super) fn pass_on(demo: &Path, process: &mut Command) {
        process.env(DEMO, demo);
    }
}

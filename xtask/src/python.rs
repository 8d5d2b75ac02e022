//! Tools that come as Python packages: pinned, each set in an environment of its own below `target/`.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::{process, workspace::Workspace};

/// A set of installed packages.
pub(crate) struct Environment {
    programs: PathBuf,
}

impl Environment {
    /// Installs pinned packages (`name==version`), unless they are there already.
    ///
    /// # Errors
    /// When there is no Python with the `venv` module, or a package cannot be had.
    pub(crate) fn install(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<Self> {
        let directory = workspace.path("target/tools").join(name);
        let environment = Self { programs: directory.join("bin") };
        let installed = directory.join("installed.txt");
        let wanted = packages.join("\n");
        if fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
            return Ok(environment);
        }
        let mut create = workspace.command("python3");
        create.args(["-m", "venv", "--clear"]).arg(&directory);
        process::run(create).context("Python 3 with its `venv` module is needed; install python3-venv")?;
        let mut install = environment.program("python");
        install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages);
        process::run(install)?;
        fs::write(&installed, wanted).with_context(|| format!("write {}", installed.display()))?;
        Ok(environment)
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }

    /// Where a program of the environment lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }
}

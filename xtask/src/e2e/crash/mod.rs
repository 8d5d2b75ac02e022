//! Real processes that are killed at every act that others can see: whoever dies where, the next runs end where an
//! undisturbed one ends, nothing is lost, nothing is doubled, and the journal tells it.

mod http;
mod invariants;
mod kills;
mod model_server;
mod nginx;
mod points;
mod proxy;
mod scenario;
mod stage;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use super::{Ending, Subject, system};
use crate::process;
use stage::Programs;

/// Points at which somebody is killed, at least.
const POINTS: usize = 200;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let directory = tempfile::tempdir()?;
    let programs = programs(subject, directory.path())?;
    let kills = kills::campaign(&programs)?;
    println!("{}", kills.table);
    if kills.points < POINTS {
        bail!("{} points are fewer than {POINTS}", kills.points);
    }
    Ok(Ending::Passed)
}

/// Builds what is killed, and finds the proxy of the system. Copies are played with, so that a build meanwhile changes none.
fn programs(subject: &Subject<'_>, directory: &Path) -> Result<Programs> {
    let workspace = subject.workspace;
    let build = ["build", "--locked", "--package", "tagship", "--bin", "tagship-serve", "--example", "hasty"];
    process::run(workspace.cargo(&build))?;
    system::demand("nginx", "nginx-light")?;
    let copy = |built: &str, name: &str| -> Result<PathBuf> {
        let to = directory.join(name);
        fs::copy(workspace.path("target/debug").join(built), &to).with_context(|| format!("copy {built}"))?;
        Ok(to)
    };
    Ok(Programs {
        tagship: copy("examples/hasty", "tagship")?,
        serve: copy("tagship-serve", "tagship-serve")?,
        nginx: system::find("nginx").context("there is no nginx")?,
        hooks: workspace.path("docs/hooks"),
    })
}

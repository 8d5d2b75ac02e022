//! Real processes in every trouble: killed at every act that others can see, two at once, by wrong clocks, on full disks, with
//! a remote that refuses, is slow or loses its answers. Whatever happens where, the next runs end where an undisturbed one
//! ends, nothing is lost, nothing is doubled, and the journal tells it.

mod campaign;
mod clocks;
mod disk;
mod http;
mod invariants;
mod kills;
mod model_server;
mod nginx;
mod points;
mod proxy;
mod remote;
mod runners;
mod scenario;
mod stage;
mod template;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};

use super::{Ending, Subject, system};
use campaign::{Extent, Part, campaign};
use stage::Programs;

/// Points at which somebody is killed, at least.
const POINTS: usize = 200;
const KILLS: &str = "killed";
/// Plays one scenario, one part or both, as `canary/remote`.
const ONLY: &str = "CRASH_ONLY";

/// All trouble but that of disks.
const PARTS: &[Part] = &[
    Part { name: KILLS, plays: |_| true, trials: kills::trials },
    Part { name: "two runners", plays: runners::plays, trials: runners::trials },
    Part { name: "remote", plays: remote::plays, trials: remote::trials },
    Part { name: "clocks", plays: clocks::plays, trials: clocks::trials },
];
/// Trouble that is played in a namespace of its own.
const INSIDE: &[Part] = &[Part { name: "full disks", plays: disk::plays, trials: disk::trials }];

/// As many trials as a run of everything has time for.
pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    with(subject, "crash", Extent::Half)
}

/// Every trial.
pub(super) fn everywhere(subject: &Subject<'_>) -> Result<Ending> {
    with(subject, "crash-everywhere", Extent::All)
}

fn with(subject: &Subject<'_>, step: &str, extent: Extent) -> Result<Ending> {
    let only = std::env::var_os(ONLY).map(|only| only.to_string_lossy().into_owned());
    let anywhere: Vec<&Part> = PARTS.iter().chain(INSIDE).collect();
    if let Some(only) = &only
        && !campaign::names_some(&anywhere, only)
    {
        bail!("{ONLY}: no part of a scenario is named like {only}");
    }
    let directory = tempfile::tempdir()?;
    let programs = programs(subject, directory.path())?;
    let began = Instant::now();
    let inside = disk::is_inside();
    let parts = if inside { INSIDE } else { PARTS };
    for outcome in campaign(&programs, parts, extent, only.as_deref())? {
        println!("{}: {} as good as undisturbed", outcome.name, outcome.good);
        if outcome.name == KILLS && outcome.good < POINTS && only.is_none() {
            bail!("{} points are fewer than {POINTS}", outcome.good);
        }
    }
    println!("{:.0} s", began.elapsed().as_secs_f64());
    let left_out = if inside { None } else { disk::inside(subject.workspace, step)? };
    Ok(left_out.map_or(Ending::Passed, Ending::NotRun))
}

/// Builds what is played with, and finds the proxy of the system. Copies are played with, so that a build meanwhile changes none.
fn programs(subject: &Subject<'_>, directory: &Path) -> Result<Programs> {
    let workspace = subject.workspace;
    system::demand("nginx", "nginx-light")?;
    let built = subject.binaries()?;
    let copy = |program: &str, name: &str| -> Result<PathBuf> {
        let to = directory.join(name);
        fs::copy(built.join(program), &to).with_context(|| format!("copy {program}"))?;
        Ok(to)
    };
    Ok(Programs {
        tagship: copy("examples/hasty", "tagship")?,
        serve: copy("tagship-serve", "tagship-serve")?,
        nginx: system::find("nginx").context("there is no nginx")?,
        hooks: workspace.path("docs/hooks"),
    })
}

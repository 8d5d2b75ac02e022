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

use anyhow::{Result, bail};

use super::{Ending, Subject, system};
use crate::process;
use stage::Programs;

/// Points at which somebody is killed, at least.
const POINTS: usize = 200;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let programs = programs(subject)?;
    let kills = kills::campaign(&programs)?;
    println!("{}", kills.table);
    if kills.points < POINTS {
        bail!("{} points are fewer than {POINTS}", kills.points);
    }
    Ok(Ending::Passed)
}

/// Builds what is killed, and finds the proxy of the system.
fn programs(subject: &Subject<'_>) -> Result<Programs> {
    let workspace = subject.workspace;
    let build = ["build", "--locked", "--package", "tagship", "--bin", "tagship-serve", "--example", "hasty"];
    process::run(workspace.cargo(&build))?;
    let nginx = match system::demand("nginx", "nginx-light") {
        Ok(()) => system::find("nginx"),
        Err(error) => {
            println!("without nginx: {error:#}");
            None
        }
    };
    Ok(Programs {
        tagship: workspace.path("target/debug/examples/hasty"),
        serve: workspace.path("target/debug/tagship-serve"),
        nginx,
        hooks: workspace.path("docs/hooks"),
    })
}

//! Tagship against real counterparts: each step installs a pinned one, or asks the system for one, and holds Tagship
//! against it.
//!
//! A counterpart that cannot be had is a failed step: this task is run where they are demanded.

mod act;
mod comment;
mod crash;
mod events;
mod faults;
mod full_disk;
mod github;
mod gto;
mod model;
mod prometheus;
mod proxies;
mod release;
mod sarif;
mod subject;
mod system;
mod yaml;

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use subject::Subject;

/// One counterpart. A further one is one more entry.
struct Step {
    name: &'static str,
    run: fn(&Subject<'_>) -> Result<Ending>,
}

/// How a step ended that did not fail.
enum Ending {
    Passed,
    /// This machine cannot, and nobody demands it here; why.
    NotRun(String),
}

const STEPS: &[Step] = &[
    Step { name: "yaml", run: yaml::run },
    Step { name: "gto", run: gto::run },
    Step { name: "github", run: github::run },
    Step { name: "events", run: events::run },
    Step { name: "comment", run: comment::run },
    Step { name: "act", run: act::run },
    Step { name: "release", run: release::run },
    Step { name: "faults", run: faults::run },
    Step { name: "crash", run: crash::run },
    Step { name: "full-disk", run: full_disk::run },
    Step { name: "model", run: model::run },
    Step { name: "sarif", run: sarif::run },
    Step { name: "nginx", run: proxies::nginx },
    Step { name: "haproxy", run: proxies::haproxy },
    Step { name: "envoy", run: proxies::envoy },
    Step { name: "service-hooks", run: proxies::services },
    Step { name: "prometheus", run: prometheus::run },
];

/// Runs the named steps, or all.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("{unknown:?} is no step; there is {}", known.join(", "));
    }
    let subject = Subject::of(workspace);
    let (mut passed, mut failed, mut not_run) = (0, 0, 0);
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n== {}", step.name);
        match (step.run)(&subject) {
            Ok(Ending::Passed) => passed += 1,
            Ok(Ending::NotRun(why)) => {
                println!("== {}: NOT RUN: {why}", step.name);
                not_run += 1;
            }
            Err(error) => {
                println!("== {}: FAILED: {error:#}", step.name);
                failed += 1;
            }
        }
    }
    println!("\n{passed} passed, {failed} failed, {not_run} not run");
    if failed == 0 { Ok(()) } else { bail!("{failed} of {} steps failed", passed + failed + not_run) }
}

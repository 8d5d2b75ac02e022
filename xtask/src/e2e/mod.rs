//! Tagship against real counterparts: each step installs a pinned one, or asks the system for one, and holds Tagship
//! against it.
//!
//! A counterpart that cannot be had is a failed step: this task is run where they are demanded.

mod act;
mod attestations;
mod comment;
mod crash;
mod definitions;
mod events;
mod faults;
mod full_disk;
mod github;
mod gto;
mod kubernetes;
mod mlflow;
mod model;
mod monitor_loop;
mod oracles;
mod pages;
mod prometheus;
mod proxies;
mod pushgateway;
mod release;
mod rules;
mod sarif;
mod signing;
mod stores;
mod subject;
pub(crate) mod system;
mod yaml;

use std::time::Instant;

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
    Step { name: "pages", run: pages::run },
    Step { name: "act", run: act::run },
    Step { name: "release", run: release::run },
    Step { name: "faults", run: faults::run },
    Step { name: "crash", run: crash::run },
    Step { name: "definitions", run: definitions::run },
    Step { name: "full-disk", run: full_disk::run },
    Step { name: "model", run: model::run },
    Step { name: "oracles", run: oracles::run },
    Step { name: "sarif", run: sarif::run },
    Step { name: "signing", run: signing::run },
    Step { name: "attestations", run: attestations::run },
    Step { name: "nginx", run: proxies::nginx },
    Step { name: "haproxy", run: proxies::haproxy },
    Step { name: "envoy", run: proxies::envoy },
    Step { name: "service-hooks", run: proxies::services },
    Step { name: "prometheus", run: prometheus::run },
    Step { name: "ready-queries", run: prometheus::ready_queries },
    Step { name: "rules", run: rules::run },
    Step { name: "loop", run: monitor_loop::run },
    Step { name: "pushgateway", run: pushgateway::run },
    Step { name: "stores", run: stores::run },
    Step { name: "mlflow", run: mlflow::run },
    Step { name: "kubernetes-guide", run: kubernetes::guide },
];

/// Steps that run only where somebody names them: they take long to prepare.
const BY_NAME: &[Step] = &[Step { name: "kubernetes", run: kubernetes::run }];

/// Runs the named steps, or all of [`STEPS`].
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let all = || STEPS.iter().chain(BY_NAME);
    if let Some(unknown) = names.iter().find(|name| !all().any(|step| step.name == **name)) {
        let known: Vec<&str> = all().map(|step| step.name).collect();
        bail!("{unknown:?} is no step; there is {}", known.join(", "));
    }
    let subject = Subject::of(workspace);
    let (mut passed, mut not_run, mut failures) = (0, 0, vec![]);
    let chosen = |step: &&Step| names.contains(&step.name);
    let steps: Vec<&Step> =
        if names.is_empty() { STEPS.iter().collect() } else { all().filter(chosen).collect() };
    for step in steps {
        println!("\n== {}", step.name);
        let began = Instant::now();
        match (step.run)(&subject) {
            Ok(Ending::Passed) => passed += 1,
            Ok(Ending::NotRun(why)) => {
                println!("== {}: NOT RUN: {why}", step.name);
                not_run += 1;
            }
            Err(error) => {
                println!("== {}: FAILED: {error:#}", step.name);
                failures.push(format!("{}: {error:#}", step.name));
            }
        }
        println!("== {} took {:.0} s", step.name, began.elapsed().as_secs_f64());
    }
    println!("\n{passed} passed, {} failed, {not_run} not run", failures.len());
    if failures.is_empty() {
        return Ok(());
    }
    // Whoever sees only the end of a long log sees what went wrong.
    let all = passed + failures.len() + not_run;
    bail!("{} of {all} steps failed\n\n{}", failures.len(), failures.join("\n\n"))
}

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
mod lanes;
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
use serde::{Deserialize, Serialize};

use crate::workspace::Workspace;
use subject::Subject;

/// One counterpart. A further one is one more entry.
struct Step {
    name: &'static str,
    run: fn(&Subject<'_>) -> Result<Ending>,
}

/// How a step ended that did not fail.
#[derive(Serialize, Deserialize)]
enum Ending {
    Passed,
    /// This machine cannot, and nobody demands it here; why.
    NotRun(String),
}

/// How a step ended, or why it failed.
type Ended = Result<Ending, String>;

/// The longest first, so that none of them is left over at the end.
const STEPS: &[Step] = &[
    Step { name: "crash", run: crash::run },
    Step { name: "act", run: act::run },
    Step { name: "faults", run: faults::run },
    Step { name: "gto", run: gto::run },
    Step { name: "mlflow", run: mlflow::run },
    Step { name: "loop", run: monitor_loop::run },
    Step { name: "stores", run: stores::run },
    Step { name: "haproxy", run: proxies::haproxy },
    Step { name: "envoy", run: proxies::envoy },
    Step { name: "nginx", run: proxies::nginx },
    Step { name: "service-hooks", run: proxies::services },
    Step { name: "model", run: model::run },
    Step { name: "attestations", run: attestations::run },
    Step { name: "rules", run: rules::run },
    Step { name: "prometheus", run: prometheus::run },
    Step { name: "pages", run: pages::run },
    Step { name: "oracles", run: oracles::run },
    Step { name: "signing", run: signing::run },
    Step { name: "ready-queries", run: prometheus::ready_queries },
    Step { name: "comment", run: comment::run },
    Step { name: "github", run: github::run },
    Step { name: "events", run: events::run },
    Step { name: "yaml", run: yaml::run },
    Step { name: "pushgateway", run: pushgateway::run },
    Step { name: "sarif", run: sarif::run },
    Step { name: "release", run: release::run },
    Step { name: "full-disk", run: full_disk::run },
    Step { name: "kubernetes-guide", run: kubernetes::guide },
    Step { name: "definitions", run: definitions::run },
];

/// Steps that run only where somebody names them: they take long.
const BY_NAME: &[Step] = &[
    Step { name: "kubernetes", run: kubernetes::run },
    Step { name: "crash-everywhere", run: crash::everywhere },
];

/// Runs the named steps, or all of [`STEPS`]; several are beside each other.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let steps = chosen(names)?;
    let subject = Subject::of(workspace);
    if let [step] = steps.as_slice() {
        let ended = alone(step, &subject);
        return if lanes::tell(&ended)? { Ok(()) } else { verdict(&[(step.name, ended)]) };
    }
    verdict(&lanes::run(&steps, &subject)?)
}

fn chosen(names: &[&str]) -> Result<Vec<&'static Step>> {
    let all = || STEPS.iter().chain(BY_NAME);
    if let Some(unknown) = names.iter().find(|name| !all().any(|step| step.name == **name)) {
        let known: Vec<&str> = all().map(|step| step.name).collect();
        bail!("{unknown:?} is no step; there is {}", known.join(", "));
    }
    let named = |step: &&Step| names.contains(&step.name);
    Ok(if names.is_empty() { STEPS.iter().collect() } else { all().filter(named).collect() })
}

fn alone(step: &Step, subject: &Subject<'_>) -> Ended {
    println!("\n== {}", step.name);
    let began = Instant::now();
    let ended = (step.run)(subject).map_err(|error| format!("{error:#}"));
    match &ended {
        Ok(Ending::Passed) => {}
        Ok(Ending::NotRun(why)) => println!("== {}: NOT RUN: {why}", step.name),
        Err(why) => println!("== {}: FAILED: {why}", step.name),
    }
    println!("== {} took {:.0} s", step.name, began.elapsed().as_secs_f64());
    ended
}

fn verdict(ended: &[(&str, Ended)]) -> Result<()> {
    let count = |what: fn(&Ended) -> bool| ended.iter().filter(|(_, ended)| what(ended)).count();
    let passed = count(|ended| matches!(ended, Ok(Ending::Passed)));
    let not_run = count(|ended| matches!(ended, Ok(Ending::NotRun(_))));
    let why = |(name, ended): &(&str, Ended)| ended.as_ref().err().map(|why| format!("{name}: {why}"));
    let failures: Vec<String> = ended.iter().filter_map(why).collect();
    println!("\n{passed} passed, {} failed, {not_run} not run", failures.len());
    if failures.is_empty() {
        return Ok(());
    }
    // Whoever sees only the end of a long log sees what went wrong.
    bail!("{} of {} steps failed\n\n{}", failures.len(), ended.len(), failures.join("\n\n"))
}

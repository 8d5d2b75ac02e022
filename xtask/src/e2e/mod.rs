//! Tagship against real counterparts: each step installs a pinned one, or asks the system for one, and holds Tagship
//! against it.
//!
//! A counterpart that cannot be had is a failed step: this task is run where they are demanded.

mod full_disk;

use std::{fs, path::PathBuf};

use anyhow::{Context, Result, bail};

use crate::{node::Packages, process, python::Environment, workspace::Workspace};

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
    Step { name: "gto", run: gto },
    Step { name: "github", run: github },
    Step { name: "full-disk", run: full_disk::run },
];

/// What the steps look at.
struct Subject<'a> {
    workspace: &'a Workspace,
    /// The built binary.
    tagship: PathBuf,
    /// What `tagship demo --keep` left: a repository with releases, assignments and journals.
    demo: PathBuf,
}

/// Runs the named steps, or all.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        bail!("{unknown:?} is no step; there is {}", known.join(", "));
    }
    let subject = prepare(workspace)?;
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

/// Builds the binary and has it play the demo once for all steps.
fn prepare(workspace: &Workspace) -> Result<Subject<'_>> {
    process::run(workspace.cargo(&["build", "--locked", "--bin", "tagship"]))?;
    let tagship = workspace.path("target/debug/tagship");
    let demo = workspace.path("target/e2e/demo");
    if demo.exists() {
        fs::remove_dir_all(&demo).with_context(|| format!("remove {}", demo.display()))?;
    }
    let parent = demo.parent().context("the demo lies in a directory")?;
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    let mut play = workspace.command(&tagship);
    play.args(["demo", "--keep"]).arg(&demo);
    process::run(play)?;
    Ok(Subject { workspace, tagship, demo })
}

/// GTO reads the registry as Tagship does.
fn gto(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-gto", &["gto==1.10.1"])?;
    let mut compare = environment.program("python");
    compare
        .arg(subject.workspace.path("tests/e2e/gto_compare.py"))
        .arg(subject.demo.join("clone"))
        .arg(&subject.tagship)
        .arg("--gto")
        .arg(environment.path("gto"));
    process::run(compare)?;
    Ok(Ending::Passed)
}

/// Every kind of request to GitHub's API keeps to its published description, behind a validating proxy.
fn github(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
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
    let mut check =
        workspace.cargo(&["run", "--locked", "--package", "tagship-github", "--example", "contract", "--"]);
    check.arg(packages.program("prism")).arg(&description);
    process::run(check)?;
    Ok(Ending::Passed)
}

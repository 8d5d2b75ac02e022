//! A run by schedule over many rollouts, and a long journal that is read.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result};
use tagship_testkit::{Repository, journals};

use super::{
    Bench, cost, row,
    table::{Line, Unit},
};
use crate::process;

/// Rollouts that have not ended.
const ROLLOUTS: usize = 500;
/// Looks of the long one.
const LOOKS: &str = "1000";

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    Ok(vec![all(bench)?, long(bench)?])
}

/// No target answers, so that what is measured is what Tagship itself does; the exit code says that all wait for somebody.
fn all(bench: &Bench<'_>) -> Result<Line> {
    let origin = Repository::bare();
    let clone = Repository::clone_of(&origin);
    write(bench, origin.path(), &[])?;
    let models: Vec<String> = (0..ROLLOUTS).map(|number| format!("model-{number:03}")).collect();
    journals::copy(&origin, "production", "churn", &models);
    clone.write("tagship.yml", config(&models));
    clone.commit("Configure");
    let tick = || {
        let tagship = bench.tagship(clone.path(), &["rollout", "--all", "--once"]);
        let mut waits = Command::new("sh");
        waits.args(["-c", "\"$0\" \"$@\"; test $? = 4"]).arg(tagship.get_program()).args(tagship.get_args());
        waits.current_dir(clone.path()).env("TOKEN", "unused");
        waits
    };
    let cost = cost::of(tick, 3)?;
    Ok(row("rollout --all over 500 rollouts that wait", cost.cpu, 1.0, Unit::Cpu))
}

/// From the repository to states and looks, without the start of a program and what it says about them.
fn long(bench: &Bench<'_>) -> Result<Line> {
    let origin = Repository::bare();
    write(bench, origin.path(), &[LOOKS])?;
    // As a host keeps it, and with it a clone.
    origin.git(&["repack", "-adq"]);
    let seconds = process::output(journals(bench, &["--profile", "dist"], origin.path(), &["read"])?)?;
    let seconds: f64 = seconds.trim().parse().context("read what reading the journal took")?;
    Ok(row("read the journal of a rollout of 1,000 looks", seconds, 0.05, Unit::Wall))
}

/// Writes a journal by the real engine.
fn write(bench: &Bench<'_>, repository: &Path, looks: &[&str]) -> Result<()> {
    process::run(journals(bench, &[], repository, looks)?)
}

/// The tool that writes journals and reads them.
fn journals(bench: &Bench<'_>, built: &[&str], repository: &Path, arguments: &[&str]) -> Result<Command> {
    let example = ["run", "--quiet", "--locked", "--package", "tagship", "--example", "journals"];
    let mut cargo = bench.workspace.cargo(&[&example[..], built, &["--"]].concat());
    cargo.arg(fs::canonicalize(repository).context("find the repository")?).args(arguments);
    Ok(cargo)
}

fn config(models: &[String]) -> String {
    let target =
        "{ local: { url: \"http://127.0.0.1:9\", admin-url: \"http://127.0.0.1:9\", token-env: TOKEN } }";
    let mut config = "version: 1\nmodels:\n".to_owned();
    for model in models {
        let artifact = ["  ", model, ":\n    artifact: models/", model, ".onnx\n    environments:\n"];
        config += &[&artifact.concat(), "      production:\n        target: ", target, "\n"].concat();
    }
    config
}

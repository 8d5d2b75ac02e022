//! `self-test.yml` of this repository, on the one system that act has.

use std::fs;

use anyhow::{Context, Result, ensure};

use super::super::{
    Tools,
    stage::{Shape, Stage},
};

/// What the workflow needs of this repository.
const NEEDED: [&str; 5] =
    [".github/", "actions/", "docs/", "tests/fixtures/models/churn/", "tests/fixtures/models/hostile/"];

pub(super) fn passes(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &[], Shape::SMALL)?;
    for file in
        tools.workspace.files()?.iter().filter(|file| NEEDED.iter().any(|place| file.starts_with(place)))
    {
        let copy = stage.work.path().join(file);
        let parent = copy.parent().context("a file lies in a directory")?;
        fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        fs::copy(tools.workspace.path(file), &copy).with_context(|| format!("copy {file}"))?;
    }
    let head = stage.push("Begin");
    stage.github.forget_requests();
    let played = stage.run("self-test", &tools.payloads.push(&head)?)?;
    ensure!(played.succeeded, "it failed:\n{}", played.log);
    ensure!(played.jobs.values().any(|result| result == "success"), "no job ran: {:?}", played.jobs);
    stage.close()?;
    Ok(stage.counted_requests())
}

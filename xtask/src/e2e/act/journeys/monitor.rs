//! A scheduled look at what serves: an issue for what is bad, closed by the looks that find it over.

use std::fmt::Write as _;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    super::{Tools, payload::Payloads, stage::Stage},
    canary,
};

/// What is watched, at the end of a configuration.
const WATCHED: &str = "    monitor:
      drift: { reference: monitoring/reference.csv, current: monitoring/today.csv }
      alerts: { to: [github-issue] }
";

/// Has the stage watched, by rows that have not drifted.
pub(super) fn watch(stage: &Stage<'_>) -> Result<()> {
    let path = stage.work.path().join("tagship.yml");
    let config = std::fs::read_to_string(&path).context("read the configuration")?;
    stage.work.write("tagship.yml", format!("{config}{WATCHED}"));
    stage.work.write("monitoring/reference.csv", rows(0));
    stage.work.write("monitoring/today.csv", rows(0));
    Ok(())
}

pub(super) fn looks(tools: &Tools) -> Result<usize> {
    let stage = canary::serving(tools, &["canary", "monitor"], "")?;
    watch(&stage)?;
    let good = stage.push("Watch what serves");
    stage.github.forget_requests();
    look(&stage, &good)?;
    ensure!(issues(&stage).is_empty(), "what is good has issues: {:?}", issues(&stage));

    stage.work.write("monitoring/today.csv", rows(60));
    let bad = stage.push("Take other rows");
    for _ in 0..2 {
        look(&stage, &bad)?;
        ensure!(issues(&stage) == [("open", 1)], "the issues are {:?}", issues(&stage));
    }
    for _ in 0..2 {
        look(&stage, &good)?;
    }
    ensure!(issues(&stage) == [("closed", 1)], "the issues are {:?}", issues(&stage));
    stage.close()?;
    Ok(stage.counted_requests())
}

fn look(stage: &Stage<'_>, commit: &str) -> Result<()> {
    let played = stage.run("monitor", &Payloads::schedule(commit))?;
    ensure!(played.succeeded, "a look failed:\n{}", played.log);
    Ok(())
}

/// How many issues are in which state; pull requests are none.
fn issues(stage: &Stage<'_>) -> Vec<(&'static str, usize)> {
    let count = |state: &str| {
        stage.github.world(|world| {
            let is = |issue: &&Value| issue["state"] == state && issue["pull_request"].is_null();
            world.issues.values().filter(is).count()
        })
    };
    ["open", "closed"]
        .into_iter()
        .map(|state| (state, count(state)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Rows of two columns, of which one is so much larger.
fn rows(larger: u32) -> String {
    (0..200).fold("amount,weight\n".to_owned(), |mut text, row| {
        let _ = writeln!(text, "{},{}", row * 37 % 101 + larger, row * 53 % 89);
        text
    })
}

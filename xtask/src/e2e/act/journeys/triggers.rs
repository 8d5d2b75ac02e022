//! Everything but a push of main that leads to production: passed tests, a version tag, a schedule.

use std::{thread, time::Duration};

use anyhow::{Context, Result, bail, ensure};

use super::{
    super::{
        Tools,
        payload::Payloads,
        stage::{Shape, Stage},
    },
    canary, ends_well, ends_with,
};

/// Two short steps: what a killed run has left is soon done.
const SHORT: &str = "\
strategy: { canary: { steps: [ { set-weight: 10 }, { pause: 5s }, { set-weight: 50 }, { pause: 5s } ] } }
analysis:
  interval: 1s
  max-wait: 60s
  metrics:
    - { name: errors, kind: error-ratio, judge: two-speed, promote-margin: { absolute: 0.02 }, source: target }";

/// How often the journal is looked at until a rollout is under way, ten times a second.
const UNDER_WAY: usize = 1200;
/// How many ticks may pass until a rollout has ended.
const TICKS: usize = 120;

pub(super) fn tests_passed(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["tests-passed"], Shape::SMALL)?;
    stage.put("v1");
    let head = stage.push("Begin");
    // Runs that failed, or that a fork caused, deploy nothing.
    let passed = tools.payloads.workflow_run("tests", "push", &head, "acme/shop")?;
    let foreign = tools.payloads.workflow_run("tests", "push", &head, "someone/shop")?;
    for refused in [passed.clone().with("/workflow_run/conclusion", "failure"), foreign] {
        let played = stage.run("tests-passed", &refused)?;
        ensure!(played.succeeded && stage.tags().is_empty(), "something was deployed:\n{}", played.log);
    }
    stage.github.forget_requests();
    let played = stage.run("tests-passed", &passed)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(
        stage.phase().as_deref() == Some("Succeeded"),
        "the rollout is {:?}:\n{}",
        stage.phase(),
        played.log
    );
    ends_well(&stage, &["churn#production#1", "churn@v0.1.0"])?;
    Ok(stage.counted_requests())
}

pub(super) fn tag(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["tag"], Shape::SMALL)?;
    stage.put("v1");
    let head = stage.push("Begin");
    let message = "Registering artifact churn version v1.0.0";
    stage.work.git(&["tag", "--annotate", "--message", message, "churn@v1.0.0"]);
    stage.work.git(&["push", "--quiet", "origin", "churn@v1.0.0"]);
    let id = stage.work.git(&["rev-parse", "churn@v1.0.0"]);
    stage.github.forget_requests();
    let played = stage.run("tag", &tools.payloads.tag("churn@v1.0.0", &id, &head)?)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(
        stage.phase().as_deref() == Some("Succeeded"),
        "the rollout is {:?}:\n{}",
        stage.phase(),
        played.log
    );
    // The other tool's tag says nothing about bytes; one of ours that does stands beside it.
    ends_with(&stage, &["churn#production#2", "churn@v1.0.0", "churn@v1.0.0#1"], &["churn@v1.0.0#1"])?;
    Ok(stage.counted_requests())
}

pub(super) fn tick(tools: &Tools) -> Result<usize> {
    let stage = canary::serving(tools, &["canary", "tick"], SHORT)?;
    stage.put("v3");
    let head = stage.push("Train again");
    stage.github.forget_requests();
    let traffic = stage.server().traffic();
    let (mut play, checkout) = stage.start("canary", &tools.payloads.push(&head)?)?;
    under_way(&stage, || play.runs())?;
    let killed = play.kill()?;
    drop(checkout);
    ensure!(stage.phase().as_deref() == Some("Progressing"), "nothing was left to do:\n{}", killed.log);

    for _ in 0..TICKS {
        let played = stage.run("tick", &Payloads::schedule(&head))?;
        ensure!(played.succeeded, "a tick failed:\n{}", played.log);
        if stage.phase().as_deref() == Some("Succeeded") {
            traffic.stop().context("clients were disturbed")?;
            ends_well(&stage, &["churn#production#1", "churn#production#2", "churn@v0.1.0", "churn@v0.2.0"])?;
            let states = stage.deployment_states();
            ensure!(states == ["inactive", "success"], "the deployments are {states:?}");
            return Ok(stage.counted_requests());
        }
    }
    bail!("after {TICKS} ticks the rollout is {:?}", stage.phase())
}

/// Waits until the candidate has had live traffic.
#[allow(clippy::disallowed_methods, reason = "another process is waited for, in bounded steps")]
fn under_way(stage: &Stage<'_>, mut runs: impl FnMut() -> Result<bool>) -> Result<()> {
    for _ in 0..UNDER_WAY {
        if stage.phase().as_deref() == Some("Progressing") && stage.looks() > 0 {
            return Ok(());
        }
        ensure!(runs()?, "the run ended before it could be killed");
        thread::sleep(Duration::from_millis(100));
    }
    bail!("no rollout is under way after two minutes: {:?}", stage.phase())
}

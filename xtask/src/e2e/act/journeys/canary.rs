//! A pull request is judged and commented, its merge released and led through a canary on live traffic: `canary.yml`.

use anyhow::{Context, Result, ensure};

use super::{
    super::{
        Tools,
        play::Played,
        stage::{Shape, Stage},
    },
    ends_well,
};

/// Ten steps of at least six looks each, judged by errors and by the labels of live rows. The margins are wide enough for the
/// few thousand requests that a machine takes in a minute.
const TEN_STEPS: &str = "\
strategy:
  canary:
    steps:
      - { set-weight: 5 }
      - { pause: 8s }
      - { set-weight: 10 }
      - { pause: 8s }
      - { set-weight: 15 }
      - { pause: 8s }
      - { set-weight: 20 }
      - { pause: 8s }
      - { set-weight: 25 }
      - { pause: 8s }
      - { set-weight: 30 }
      - { pause: 8s }
      - { set-weight: 35 }
      - { pause: 8s }
      - { set-weight: 40 }
      - { pause: 8s }
      - { set-weight: 45 }
      - { pause: 8s }
      - { set-weight: 50 }
      - { pause: 8s }
analysis:
  interval: 1s
  max-wait: 60s
  metrics:
    - { name: errors, kind: error-ratio, judge: two-speed, promote-margin: { absolute: 0.02 }, source: target }
    - { name: accuracy, kind: labelled-accuracy, judge: boundary-e, promote-margin: { absolute: 0.05 },
        min-samples: 30, label-delay: 400ms, source: target }";

/// Most counted requests of a ten-step canary with sixty looks, the comment and the deployment included.
const BUDGET: usize = 100;

pub(super) fn promoted(tools: &Tools) -> Result<usize> {
    let stage = serving(tools, &["canary"], TEN_STEPS)?;
    let (played, requests) = proposed_and_merged(&stage, "v3")?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(
        stage.phase().as_deref() == Some("Succeeded"),
        "the rollout is {:?}:\n{}",
        stage.phase(),
        played.log
    );
    let looks = stage.looks();
    ensure!(looks >= 60, "only {looks} looks were taken");
    ensure!(
        requests <= BUDGET,
        "{requests} counted requests; at most {BUDGET}:\n{}",
        stage.requests_by_kind()
    );
    ends_well(&stage, &["churn#production#1", "churn#production#2", "churn@v0.1.0", "churn@v0.2.0"])?;
    let states = stage.deployment_states();
    ensure!(states == ["inactive", "success"], "the deployments are {states:?}");
    let comment = stage.only_comment(7)?;
    ensure!(comment.contains("v0.2.0 is live in production"), "the comment tells something else:\n{comment}");
    println!("{looks} looks");
    Ok(requests)
}

pub(super) fn rolled_back(tools: &Tools) -> Result<usize> {
    let stage = serving(tools, &["canary"], TEN_STEPS)?;
    // Excellent on paper, poor on live rows.
    let (played, requests) = proposed_and_merged(&stage, "v4")?;
    ensure!(!played.succeeded, "a rollback is a negative verdict:\n{}", played.log);
    ensure!(
        stage.phase().as_deref() == Some("RolledBack"),
        "the rollout is {:?}:\n{}",
        stage.phase(),
        played.log
    );
    ends_well(&stage, &["churn#production#1", "churn@v0.1.0", "churn@v0.2.0"])?;
    let states = stage.deployment_states();
    ensure!(states.last().map(String::as_str) == Some("failure"), "the deployments are {states:?}");
    let comment = stage.only_comment(7)?;
    for words in ["v0.1.0", "accuracy", "rolled back"] {
        ensure!(comment.to_lowercase().contains(words), "the comment lacks {words:?}:\n{comment}");
    }
    Ok(requests)
}

/// A stage whose production serves v0.1.0, and whose next version goes live by these settings. `canary.yml` is among the
/// examples.
pub(super) fn serving<'a>(tools: &'a Tools, examples: &[&str], settings: &str) -> Result<Stage<'a>> {
    let stage = Stage::set(tools, examples, Shape::SMALL)?;
    stage.put("v1");
    let first = stage.push("Begin");
    let played = stage.run("canary", &tools.payloads.push(&first)?)?;
    ensure!(played.succeeded, "the first deployment failed:\n{}", played.log);
    ensure!(stage.phase().as_deref() == Some("Succeeded"), "the first rollout is {:?}", stage.phase());
    stage.configure(settings);
    stage.push("Say how new versions go live");
    Ok(stage)
}

/// A pull request with this variant, judged, merged and rolled out; answers the last run and the requests of both.
fn proposed_and_merged(stage: &Stage<'_>, variant: &str) -> Result<(Played, usize)> {
    let payloads = &stage.tools.payloads;
    stage.put(variant);
    let head = stage.propose(7, "Train again", false);
    stage.github.forget_requests();
    let judged = stage.run("canary", &payloads.pull_request("opened", 7, &head, "acme/shop")?)?;
    ensure!(judged.succeeded, "the pull request failed:\n{}", judged.log);
    let comment = stage.only_comment(7)?;
    ensure!(comment.contains("v0.2.0"), "the comment does not say what a merge would release:\n{comment}");

    let merge = stage.merge(7);
    let traffic = stage.server().traffic();
    let played = stage.run("canary", &payloads.push(&merge)?)?;
    traffic.stop().context("clients were disturbed")?;
    Ok((played, stage.counted_requests()))
}

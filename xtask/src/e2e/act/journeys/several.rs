//! Several environments, several models, a server of one's own.

use anyhow::{Result, ensure};

use super::{
    super::{
        Tools,
        stage::{Shape, Stage},
    },
    ends_well,
};

pub(super) fn staging_then_production(tools: &Tools) -> Result<usize> {
    let shape = Shape { models: &["churn"], environments: &["staging", "production"] };
    let stage = Stage::set(tools, &["staging-production"], shape)?;
    stage.put("v1");
    let head = stage.push("Begin");
    stage.github.forget_requests();
    let played = stage.run("staging-production", &tools.payloads.push(&head)?)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(played.jobs.len() == 2, "not both jobs ran: {:?}", played.jobs);
    ends_well(&stage, &["churn#production#2", "churn#staging#1", "churn@v0.1.0"])?;
    let states = stage.deployment_states();
    ensure!(states == ["success", "success"], "the deployments are {states:?}");
    Ok(stage.counted_requests())
}

pub(super) fn monorepo(tools: &Tools) -> Result<usize> {
    let shape = Shape { models: &["churn", "fraud"], environments: &["production"] };
    let stage = Stage::set(tools, &["monorepo"], shape)?;
    stage.put("v1");
    let first = stage.push("Begin");
    let played = stage.run("monorepo", &tools.payloads.push(&first)?)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(played.jobs.len() == 3, "one decision and two models are three jobs: {:?}", played.jobs);

    // Only what changed is deployed.
    stage.put_model("fraud", "v2");
    let head = stage.push("Train fraud again");
    stage.github.forget_requests();
    let played = stage.run("monorepo", &tools.payloads.push(&head)?)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ensure!(played.jobs.len() == 2, "one decision and one model are two jobs: {:?}", played.jobs);
    ends_well(
        &stage,
        &[
            "churn#production#1",
            "churn@v0.1.0",
            "fraud#production#1",
            "fraud#production#2",
            "fraud@v0.1.0",
            "fraud@v0.2.0",
        ],
    )?;
    // Nothing has changed: no job but the decision.
    let played = stage.run("monorepo", &tools.payloads.push(&head)?)?;
    ensure!(played.succeeded && played.jobs.len() == 1, "something ran: {:?}\n{}", played.jobs, played.log);
    Ok(stage.counted_requests())
}

pub(super) fn own_server(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["ghes"], Shape::SMALL)?;
    stage.put("v1");
    let head = stage.push("Begin");
    stage.github.forget_requests();
    let played = stage.run("ghes", &tools.payloads.push(&head)?)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    ends_well(&stage, &["churn#production#1", "churn@v0.1.0"])?;
    Ok(stage.counted_requests())
}

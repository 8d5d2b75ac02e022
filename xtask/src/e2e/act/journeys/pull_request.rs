//! A pull request that is judged, with nothing written anywhere: `validate.yml`.

use anyhow::{Result, ensure};
use tagship_testkit::fixtures;

use super::super::{
    Tools,
    stage::{Shape, Stage},
};

pub(super) fn judged(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["validate"], Shape::SMALL)?;
    stage.put("v1");
    stage.push("Begin");
    stage.put("v2");
    let head = stage.propose(7, "Train on more rows", false);
    stage.github.forget_requests();
    let event = tools.payloads.pull_request("opened", 7, &head, "acme/shop")?;
    let played = stage.run("validate", &event)?;
    ensure!(played.succeeded, "the run failed:\n{}", played.log);
    for words in ["golden", "accuracy floor"] {
        ensure!(played.log.contains(words), "nothing is said about {words:?}:\n{}", played.log);
    }
    let written: Vec<String> =
        stage.github.requests().into_iter().filter(|request| !request.starts_with("GET ")).collect();
    ensure!(written.is_empty() && stage.tags().is_empty(), "something was written: {written:?}");
    stage.close()?;
    Ok(stage.counted_requests())
}

pub(super) fn refused(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["validate"], Shape::SMALL)?;
    stage.put("v1");
    stage.push("Begin");
    stage.work.write("models/churn/model.onnx", fixtures::bytes("models/hostile/model.pkl"));
    let head = stage.propose(7, "Swap the model", false);
    stage.github.forget_requests();
    let event = tools.payloads.pull_request("synchronize", 7, &head, "acme/shop")?;
    let played = stage.run("validate", &event)?;
    ensure!(!played.succeeded, "a pickle went through:\n{}", played.log);
    ensure!(played.log.contains("PKL101"), "the rule is not named:\n{}", played.log);
    stage.close()?;
    Ok(stage.counted_requests())
}

//! A pull request that is judged, with nothing written anywhere: `validate.yml`.

use anyhow::{Result, ensure};
use tagship_testkit::fixtures;

use super::{
    super::{
        Tools,
        payload::Event,
        stage::{Shape, Stage},
    },
    ends_well,
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

pub(super) fn from_a_fork(tools: &Tools) -> Result<usize> {
    let stage = Stage::set(tools, &["fork-validate", "fork-comment"], Shape::SMALL)?;
    stage.put("v1");
    let main = stage.push("Begin");
    stage.put("v2");
    let head = stage.propose(7, "Train on more rows", true);
    stage.github.forget_requests();
    let may_write = |yes: bool| {
        let areas = ["issues", "pull_requests", "statuses", "contents", "deployments", "checks"];
        let lacks = areas.iter().filter(|_| !yes).map(|area| format!("{area}=write"));
        stage.github.world(|world| world.lacks = lacks.collect());
    };
    may_write(false);
    let event = tools.payloads.pull_request("opened", 7, &head, "someone/shop")?;
    let judged = stage.run("fork-validate", &event)?;
    ensure!(judged.succeeded, "the run failed:\n{}", judged.log);
    let reason = judged.outputs.get("tagship.reason-code").map(String::as_str);
    ensure!(reason == Some("fork-read-only"), "the reason is {reason:?}:\n{}", judged.log);
    ensure!(judged.summary.contains("v0.1.0"), "the summary says nothing:\n{}", judged.summary);

    may_write(true);
    let event = tools.payloads.workflow_run("model", "pull_request", &head, "someone/shop")?;
    let event = Event { commit: main, ..event };
    let commented = stage.run("fork-comment", &event)?;
    ensure!(commented.succeeded, "the comment failed:\n{}", commented.log);
    let comment = stage.only_comment(7)?;
    ensure!(comment.contains("v0.1.0"), "the comment tells something else:\n{comment}");
    ends_well(&stage, &[])?;
    Ok(stage.counted_requests())
}

//! People lead a rollout: by the button of `commands.yml`, and by a comment.

use anyhow::{Result, ensure};
use serde_json::json;

use super::{super::Tools, canary, ends_well};

/// All at once: what comes next is up to people.
const ALL_AT_ONCE: &str = "";

pub(super) fn button(tools: &Tools) -> Result<usize> {
    let stage = canary::serving(tools, &["canary", "commands"], ALL_AT_ONCE)?;
    stage.put("v2");
    let head = stage.push("Train again");
    let played = stage.run("canary", &tools.payloads.push(&head)?)?;
    ensure!(
        played.succeeded && stage.phase().as_deref() == Some("Succeeded"),
        "v0.2.0 is not live:\n{}",
        played.log
    );

    stage.github.forget_requests();
    let inputs = json!({ "command": "rollback", "environment": "production", "version": "" });
    let played = stage.run("commands", &tools.payloads.dispatch(inputs, &head)?)?;
    ensure!(played.succeeded, "the rollback failed:\n{}", played.log);
    ensure!(
        stage.phase().as_deref() == Some("Succeeded"),
        "the rollback is {:?}:\n{}",
        stage.phase(),
        played.log
    );
    // The newest assignment is taken back, so that the one before it holds again.
    let tags =
        ["churn#production!#3", "churn#production#1", "churn#production#2", "churn@v0.1.0", "churn@v0.2.0"];
    ends_well(&stage, &tags)?;
    Ok(stage.counted_requests())
}

/// A canary that waits for a person with a tenth of the traffic.
const WAITS: &str = "strategy: { canary: { steps: [ { set-weight: 10 }, { pause: {} } ] } }";

pub(super) fn comment(tools: &Tools) -> Result<usize> {
    let stage = canary::serving(tools, &["canary", "commands"], WAITS)?;
    stage.put("v2");
    let head = stage.propose(7, "Train again", false);
    let played = stage.run("canary", &tools.payloads.pull_request("opened", 7, &head, "acme/shop")?)?;
    ensure!(played.succeeded, "the pull request failed:\n{}", played.log);
    let merge = stage.merge(7);
    let played = stage.run("canary", &tools.payloads.push(&merge)?)?;
    ensure!(
        played.succeeded && stage.phase().as_deref() == Some("Paused"),
        "v0.2.0 does not wait:\n{}",
        played.log
    );

    stage.github.forget_requests();
    let say = |author: &str, words: &str| {
        let id = stage.github.world(|world| world.add_comment(7, author, words));
        let event = tools.payloads.comment(7, id, author, words, &merge)?;
        Ok::<_, anyhow::Error>((id, stage.run("commands", &event)?))
    };
    // Whoever may not push may not lead either.
    let (_, ignored) = say("mallory", "/tagship promote-full")?;
    ensure!(stage.phase().as_deref() == Some("Paused"), "anyone can lead:\n{}", ignored.log);
    let (id, led) = say("ada", "/tagship promote-full")?;
    ensure!(led.succeeded, "the command failed:\n{}", led.log);
    ensure!(
        stage.phase().as_deref() == Some("Succeeded"),
        "the rollout is {:?}:\n{}",
        stage.phase(),
        led.log
    );
    let reacted = stage.github.world(|world| world.reactions.iter().any(|(comment, _)| *comment == id));
    ensure!(reacted, "nobody reacted to the comment:\n{}", led.log);
    let answers = stage.comments_of_ours(7, "answer").len();
    ensure!(answers == 2, "two commands got {answers} answers");
    let comment = stage.only_comment(7)?;
    ensure!(comment.contains("is live in production"), "the comment tells something else:\n{comment}");
    ends_well(&stage, &["churn#production#1", "churn#production#2", "churn@v0.1.0", "churn@v0.2.0"])?;
    Ok(stage.counted_requests())
}

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

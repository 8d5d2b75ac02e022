//! The workflows of every README, each as it stands there.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{
    super::{
        Tools,
        payload::{Event, Payloads},
        stage::Stage,
    },
    canary, monitor,
};
use crate::e2e::yaml::snippets;

pub(super) fn workflows(tools: &Tools) -> Result<usize> {
    let mut written = snippets::write(&tools.workspace, &tools.workspace.path("target/e2e/readme"))?;
    written.retain(|path| path.to_string_lossy().contains("README"));
    ensure!(!written.is_empty(), "no README shows a workflow");
    // What goes back comes last: it takes away what the others look at.
    written.sort_by_key(|path| path.to_string_lossy().contains("rollback"));

    let stage = canary::serving(tools, &["canary"], "")?;
    for path in &written {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        stage.add_workflow(&name(path), &text);
    }
    monitor::watch(&stage)?;
    stage.put("v2");
    let main = stage.push("Train again");
    let played = stage.run("canary", &tools.payloads.push(&main)?)?;
    ensure!(played.succeeded, "v0.2.0 is not live:\n{}", played.log);
    stage.put("v3");
    let head = stage.propose(7, "Train once more", false);
    stage.github.forget_requests();
    for path in &written {
        let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
        let played = stage.run(&name(path), &event(&stage, &text, &main, &head)?)?;
        ensure!(played.succeeded, "{} failed:\n{}", name(path), played.log);
        ensure!(!played.jobs.is_empty(), "{}: no job ran", name(path));
    }
    ensure!(stage.only_comment(7)?.contains("churn"), "the workflow that comments says nothing");
    let back = stage.tags().iter().any(|tag| tag.starts_with("churn#production!"));
    ensure!(back, "the workflow that goes back left {:?}", stage.tags());
    stage.close()?;
    Ok(stage.counted_requests())
}

fn name(path: &std::path::Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The event that a workflow waits for.
fn event(stage: &Stage<'_>, workflow: &str, main: &str, head: &str) -> Result<Event> {
    let payloads = &stage.tools.payloads;
    if workflow.contains("pull_request") {
        payloads.pull_request("opened", 7, head, "acme/shop")
    } else if workflow.contains("workflow_dispatch") {
        payloads.dispatch(json!({ "to": "v0.1.0", "version": "v0.2.0" }), main)
    } else if workflow.contains("\n  schedule:") {
        Ok(Payloads::schedule(main))
    } else {
        payloads.push(main)
    }
}

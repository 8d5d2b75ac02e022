//! Payloads of events: GitHub's published examples, made to be about the repository of the stage.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::events;
use crate::{node::Packages, workspace::Workspace};

/// The published examples.
pub(super) struct Payloads {
    examples: Vec<Value>,
}

/// An event with its payload.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) name: &'static str,
    pub(super) payload: Value,
    /// The commit that the host's checkout would have.
    pub(super) commit: String,
}

impl Event {
    /// Replaces a field, by its pointer.
    pub(super) fn with(mut self, pointer: &str, value: impl Into<Value>) -> Self {
        set(&mut self.payload, pointer, value.into());
        self
    }
}

impl Payloads {
    pub(super) fn install(workspace: &Workspace) -> Result<Self> {
        let packages = Packages::install(workspace, events::PACKAGE.0, &[events::PACKAGE.1])?;
        let path: PathBuf =
            packages.path("node_modules/@octokit/webhooks-examples/api.github.com/index.json");
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        Ok(Self { examples: serde_json::from_str(&text).context("read the examples of payloads")? })
    }

    /// The first example of an event, of this activity where it has one, about the stage's repository.
    pub(super) fn event(&self, name: &'static str, action: Option<&str>, commit: &str) -> Result<Event> {
        let of_name = self.examples.iter().find(|entry| entry["name"] == name);
        let examples = of_name.and_then(|entry| entry["examples"].as_array()).into_iter().flatten();
        let example =
            examples.into_iter().find(|example| action.is_none_or(|action| example["action"] == action));
        let example = example.with_context(|| format!("there is no example of {name} {action:?}"))?;
        let event = Event { name, payload: example.clone(), commit: commit.to_owned() };
        Ok(event.with("/repository/full_name", "acme/shop").with("/repository/default_branch", "main"))
    }

    /// A push of the default branch.
    pub(super) fn push(&self, commit: &str) -> Result<Event> {
        let event = self.event("push", None, commit)?;
        let event = event.with("/ref", "refs/heads/main").with("/after", commit).with("/deleted", false);
        Ok(event.with("/head_commit/id", commit))
    }

    /// A push of an annotated tag, whose own id is what comes "after".
    pub(super) fn tag(&self, tag: &str, id: &str, commit: &str) -> Result<Event> {
        Ok(self
            .push(commit)?
            .with("/ref", format!("refs/tags/{tag}"))
            .with("/after", id)
            .with("/created", true))
    }

    /// Something happened to a pull request into the default branch.
    pub(super) fn pull_request(&self, action: &str, number: u64, head: &str, home: &str) -> Result<Event> {
        let event = self.event("pull_request", Some(action), head)?;
        Ok(event
            .with("/number", number)
            .with("/pull_request/number", number)
            .with("/pull_request/head/sha", head)
            .with("/pull_request/head/repo/full_name", home)
            .with("/pull_request/base/ref", "main")
            .with("/pull_request/base/repo/full_name", "acme/shop"))
    }

    /// Another workflow ended well.
    pub(super) fn workflow_run(&self, workflow: &str, event: &str, head: &str, home: &str) -> Result<Event> {
        let run = self.event("workflow_run", Some("completed"), head)?;
        Ok(run
            .with("/workflow_run/name", workflow)
            .with("/workflow_run/conclusion", "success")
            .with("/workflow_run/event", event)
            .with("/workflow_run/head_sha", head)
            .with("/workflow_run/head_branch", "main")
            .with("/workflow_run/head_repository/full_name", home))
    }

    /// A comment on a pull request.
    pub(super) fn comment(
        &self,
        number: u64,
        id: u64,
        author: &str,
        body: &str,
        main: &str,
    ) -> Result<Event> {
        let event = self.event("issue_comment", Some("created"), main)?;
        Ok(event
            .with("/issue/number", number)
            .with("/issue/pull_request", json!({ "url": "https://example.org/x" }))
            .with("/comment/id", id)
            .with("/comment/user/login", author)
            .with("/comment/user/type", "User")
            .with("/comment/body", body))
    }

    /// A person started a workflow.
    pub(super) fn dispatch(&self, inputs: Value, main: &str) -> Result<Event> {
        Ok(self
            .event("workflow_dispatch", None, main)?
            .with("/ref", "refs/heads/main")
            .with("/inputs", inputs))
    }

    /// The clock struck. There is no published example: it is no webhook.
    pub(super) fn schedule(main: &str) -> Event {
        let repository = json!({ "full_name": "acme/shop", "default_branch": "main" });
        let payload = json!({ "schedule": "*/15 * * * *", "repository": repository });
        Event { name: "schedule", payload, commit: main.to_owned() }
    }
}

/// Sets a field, and the objects that lead to it.
fn set(value: &mut Value, pointer: &str, new: Value) {
    let mut place = value;
    for key in pointer.trim_start_matches('/').split('/') {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[key];
    }
    *place = new;
}

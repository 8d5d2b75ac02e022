//! From a host's event payload to the event it means.
//!
//! Field names are those of the webhook payloads of GitHub Actions. A payload that lacks what its event must have
//! is an error that names the field; an event of another name is passed on by its name, to be skipped.

use std::path::Path;

use serde_json::Value;
use tagship_domain::{
    CommitId, Environment, ModelName, Version,
    event::{Command, Event, PullRequest, Request},
};

use crate::error::Failure;

/// Largest payload that is read; hosts send at most 25 MB.
const LIMIT: u64 = 32 << 20;

/// A commit id of zeros stands for "nothing": the branch or tag was deleted or is new.
fn is_nothing(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

/// An event and the name of the default branch, where the payload tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// What happened.
    pub event: Event,
    /// The default branch.
    pub default_branch: Option<String>,
}

/// Reads the payload file of an event.
///
/// # Errors
/// When the file cannot be read, is no JSON, or lacks a field of its event.
pub fn read_event(name: &str, path: &Path) -> Result<Payload, Failure> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::usage(format!("read the event payload {}: {error}", path.display()))
            .hint("pass --event-path, or run this as a step of a workflow")
    };
    let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > LIMIT {
        return Err(failed(&format!("it has {size} bytes, more than any host sends")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    let payload: Value = serde_json::from_str(&text).map_err(|error| failed(&error))?;
    parse_event(name, &payload)
}

/// Reads a payload.
///
/// # Errors
/// When a field of the event is missing or has the wrong form.
pub fn parse_event(name: &str, payload: &Value) -> Result<Payload, Failure> {
    let read = Reader { event: name, payload };
    let event = match name {
        "push" => read.push()?,
        "pull_request" => Event::PullRequest(read.pull_request()?),
        "workflow_run" => read.workflow_run()?,
        "schedule" => Event::Schedule,
        "workflow_dispatch" => Event::Manual(read.request()?),
        other => Event::Other { kind: other.to_owned() },
    };
    let default_branch = payload.pointer("/repository/default_branch").and_then(Value::as_str);
    Ok(Payload { event, default_branch: default_branch.map(str::to_owned) })
}

struct Reader<'a> {
    event: &'a str,
    payload: &'a Value,
}

impl<'a> Reader<'a> {
    fn push(&self) -> Result<Event, Failure> {
        let reference = self.text("/ref")?;
        let after = self.text("/after")?;
        let deleted =
            self.payload.get("deleted").and_then(Value::as_bool).unwrap_or(false) || is_nothing(after);
        let after = if deleted { None } else { Some(self.commit("/after")?) };
        if let Some(tag) = reference.strip_prefix("refs/tags/") {
            return Ok(Event::TagPush { tag: tag.to_owned(), after });
        }
        let branch = reference.strip_prefix("refs/heads/").unwrap_or(reference);
        Ok(Event::Push { branch: branch.to_owned(), after })
    }

    fn pull_request(&self) -> Result<PullRequest, Failure> {
        let number = self.payload.pointer("/pull_request/number").and_then(Value::as_u64);
        let home = self.payload.pointer("/pull_request/base/repo/full_name").and_then(Value::as_str);
        // A head without a repository is one of a fork that was deleted.
        let head = self.payload.pointer("/pull_request/head/repo/full_name").and_then(Value::as_str);
        Ok(PullRequest {
            number: number.ok_or_else(|| self.lacks("/pull_request/number", "a number"))?,
            activity: self.text("/action")?.to_owned(),
            head: self.commit("/pull_request/head/sha")?,
            base: self.text("/pull_request/base/ref")?.to_owned(),
            merged: self.payload.pointer("/pull_request/merged").and_then(Value::as_bool).unwrap_or(false),
            from_fork: home.is_none() || head != home,
        })
    }

    fn workflow_run(&self) -> Result<Event, Failure> {
        let home = self.payload.pointer("/repository/full_name").and_then(Value::as_str);
        let head = self.payload.pointer("/workflow_run/head_repository/full_name").and_then(Value::as_str);
        Ok(Event::WorkflowRun {
            workflow: self.text("/workflow_run/name")?.to_owned(),
            succeeded: self.payload.pointer("/workflow_run/conclusion").and_then(Value::as_str)
                == Some("success"),
            sha: self.commit("/workflow_run/head_sha")?,
            branch: self
                .payload
                .pointer("/workflow_run/head_branch")
                .and_then(Value::as_str)
                .map(str::to_owned),
            from_fork: home.is_none() || head != home,
        })
    }

    /// Inputs of a manually started workflow; inputs that are not ours are none of our business.
    fn request(&self) -> Result<Request, Failure> {
        let input = |key: &str| {
            let value = self.payload.pointer(&format!("/inputs/{key}")).and_then(Value::as_str);
            value.filter(|value| !value.is_empty())
        };
        let bad = |key: &str, error: &dyn std::fmt::Display| Failure::usage(format!("input {key}: {error}"));
        Ok(Request {
            model: input("model").map(ModelName::new).transpose().map_err(|error| bad("model", &error))?,
            environment: input("environment")
                .map(Environment::new)
                .transpose()
                .map_err(|error| bad("environment", &error))?,
            version: input("version")
                .map(str::parse::<Version>)
                .transpose()
                .map_err(|error| bad("version", &error))?,
            command: input("command")
                .map(parse_command)
                .transpose()
                .map_err(|error| bad("command", &error))?,
        })
    }

    fn text(&self, pointer: &str) -> Result<&'a str, Failure> {
        self.payload.pointer(pointer).and_then(Value::as_str).ok_or_else(|| self.lacks(pointer, "a text"))
    }

    fn commit(&self, pointer: &str) -> Result<CommitId, Failure> {
        let text = self.text(pointer)?;
        text.parse().ok().ok_or_else(|| self.lacks(pointer, "a commit id"))
    }

    fn lacks(&self, pointer: &str, what: &str) -> Failure {
        let field = pointer.trim_start_matches('/').replace('/', ".");
        Failure::usage(format!("the {} payload has no {field} that is {what}", self.event))
            .hint("pass the payload that belongs to the event's name")
    }
}

/// Reads a command by its name.
///
/// # Errors
/// A sentence that lists the commands.
pub fn parse_command(name: &str) -> Result<Command, String> {
    match name {
        "deploy" => Ok(Command::Deploy),
        "retry" => Ok(Command::Retry),
        "rollback" => Ok(Command::Rollback),
        "abort" => Ok(Command::Abort),
        "pause" => Ok(Command::Pause),
        "resume" => Ok(Command::Resume),
        "promote" => Ok(Command::Promote),
        "promote-full" => Ok(Command::PromoteFull),
        other => Err(format!(
            "{other:?} is no command; there is deploy, retry, rollback, abort, pause, resume, promote, promote-full"
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHA: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn event(name: &str, payload: &Value) -> Event {
        parse_event(name, payload).unwrap().event
    }

    #[test]
    fn pushes_of_branches_tags_and_deletions() {
        let main = json!({"ref": "refs/heads/main", "after": SHA, "repository": {"default_branch": "main"}});
        assert_eq!(event("push", &main), Event::Push { branch: "main".to_owned(), after: SHA.parse().ok() });
        assert_eq!(parse_event("push", &main).unwrap().default_branch.as_deref(), Some("main"));
        let tag = json!({"ref": "refs/tags/churn@v1.0.0", "after": SHA});
        assert_eq!(
            event("push", &tag),
            Event::TagPush { tag: "churn@v1.0.0".to_owned(), after: SHA.parse().ok() }
        );
        let gone = json!({"ref": "refs/heads/x", "after": "0".repeat(40), "deleted": true});
        assert_eq!(event("push", &gone), Event::Push { branch: "x".to_owned(), after: None });
    }

    #[test]
    fn a_pull_request_of_a_fork_is_told_from_one_of_our_own() {
        let pull = |head: Value| {
            json!({"action": "opened", "pull_request": {"number": 7, "merged": false,
                "head": {"sha": SHA, "repo": head}, "base": {"ref": "main", "repo": {"full_name": "o/r"}}}})
        };
        let fork = |head: Value| match event("pull_request", &pull(head)) {
            Event::PullRequest(pull) => pull.from_fork,
            other => panic!("{other:?}"),
        };
        assert!(!fork(json!({"full_name": "o/r"})));
        assert!(fork(json!({"full_name": "evil/r"})));
        assert!(fork(Value::Null), "a deleted fork");
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = parse_event("push", &json!({"ref": "refs/heads/main"})).unwrap_err();
        assert!(error.message.contains("push payload has no after"), "{error}");
        let error = parse_event("workflow_dispatch", &json!({"inputs": {"command": "explode"}})).unwrap_err();
        assert!(error.message.contains("deploy, retry, rollback, abort"), "{error}");
        assert_eq!(event("watch", &json!({})), Event::Other { kind: "watch".to_owned() });
    }
}

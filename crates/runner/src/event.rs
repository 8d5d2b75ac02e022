//! From a host's event payload to the event it means.
//!
//! Field names are those of the webhook payloads of GitHub Actions. A payload that lacks what its event must have
//! is an error that names the field; an event of another name is passed on by its name, to be skipped, and one that
//! asks for nothing (an edited comment, a started check) with the reason.

mod change;
mod comment;
mod finished;
mod published;
mod reader;
mod request;

use std::path::Path;

use serde_json::Value;
use tagship_domain::event::Event;

use crate::error::Failure;
use reader::Reader;

/// Largest payload that is read; hosts send at most 25 MB.
const LIMIT: u64 = 32 << 20;

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
        "push" => change::push(read)?,
        "pull_request" => change::pull_request(read, false)?,
        "pull_request_target" => change::pull_request(read, true)?,
        "merge_group" => change::merge_group(read)?,
        "workflow_run" => finished::workflow_run(read)?,
        "check_suite" => finished::check_suite(read)?,
        "check_run" => finished::check_run(read)?,
        "deployment_status" => finished::deployment_status(read)?,
        "release" => published::release(read)?,
        "registry_package" => published::package(read)?,
        "repository_dispatch" => request::dispatched(read)?,
        "workflow_dispatch" => request::by_hand(read)?,
        "issue_comment" => comment::comment(read)?,
        "schedule" => Event::Schedule,
        other => Event::Other { kind: other.to_owned() },
    };
    let default_branch = read.find("/repository/default_branch").map(str::to_owned);
    Ok(Payload { event, default_branch })
}

#[cfg(test)]
mod tests;

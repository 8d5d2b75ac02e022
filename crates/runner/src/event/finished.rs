//! What finished: workflows, checks, deployments. A run that only began is no reason for anything.

use tagship_domain::event::Event;

use super::reader::{Reader, shown};
use crate::error::Failure;

pub(super) fn workflow_run(read: Reader<'_>) -> Result<Event, Failure> {
    if let Some(other) = unfinished(read)? {
        return Ok(other);
    }
    Ok(Event::WorkflowRun {
        workflow: read.text("/workflow_run/name")?.to_owned(),
        succeeded: read.find("/workflow_run/conclusion") == Some("success"),
        sha: read.commit("/workflow_run/head_sha")?,
        branch: read.find("/workflow_run/head_branch").map(str::to_owned),
        from_fork: read.is_foreign("/workflow_run/head_repository/full_name", "/repository/full_name"),
    })
}

/// The branch is null for a commit of a fork (GitHub, "Webhook events and payloads", `check_suite`).
pub(super) fn check_suite(read: Reader<'_>) -> Result<Event, Failure> {
    checks(read, "/check_suite", "/check_suite/app/name", "/check_suite/head_branch")
}

pub(super) fn check_run(read: Reader<'_>) -> Result<Event, Failure> {
    checks(read, "/check_run", "/check_run/name", "/check_run/check_suite/head_branch")
}

fn checks(read: Reader<'_>, at: &str, name: &str, branch: &str) -> Result<Event, Failure> {
    if let Some(other) = unfinished(read)? {
        return Ok(other);
    }
    Ok(Event::Checks {
        checks: read.find(name).unwrap_or("unnamed checks").to_owned(),
        succeeded: read.find(&format!("{at}/conclusion")) == Some("success"),
        sha: read.commit(&format!("{at}/head_sha"))?,
        branch: read.find(branch).map(str::to_owned),
    })
}

/// The event, when what it tells of has not finished. Events replayed by hand may lack the activity.
fn unfinished(read: Reader<'_>) -> Result<Option<Event>, Failure> {
    if read.payload.get("action").is_none() { Ok(None) } else { read.other_activity("completed") }
}

pub(super) fn deployment_status(read: Reader<'_>) -> Result<Event, Failure> {
    // Otherwise every deployment of ours would start the next run.
    if read.payload.pointer("/deployment/payload/tagship").is_some() {
        return Ok(read.irrelevant("the deployment is one of tagship's own"));
    }
    let succeeded = match read.text("/deployment_status/state")? {
        "success" => true,
        "error" | "failure" => false,
        state => {
            return Ok(read.irrelevant(format!("the deployment is {}, which is no end", shown(state))));
        }
    };
    Ok(Event::Deployment {
        environment: read.find("/deployment/environment").unwrap_or_default().to_owned(),
        succeeded,
        sha: read.commit("/deployment/sha")?,
        reference: read.text("/deployment/ref")?.to_owned(),
    })
}

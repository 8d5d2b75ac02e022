//! The environment of a run, read once.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use serde_json::Value;
use tagship_domain::{CommitId, Provenance, Redacted};

use crate::commands;

/// The host of the repository, as a workflow's environment names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Base of its REST API.
    pub api_url: String,
    /// Where people look at it.
    pub server_url: String,
    /// Its GraphQL API.
    pub graphql_url: String,
    /// `owner/name`.
    pub repository: String,
    /// The token; absent where the step was given none.
    pub token: Option<Redacted<String>>,
}

/// A pull request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The commit that it proposes.
    pub head: CommitId,
    /// Whether it comes from another repository, so that the run's token can only read.
    pub from_fork: bool,
}

/// What the environment says about this run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// When the run began, where that is of interest.
    pub started: Option<Instant>,
    /// Whether a CI host runs this step.
    pub hosted: bool,
    /// Who caused the run (empty where the host does not say), and where it can be looked at.
    pub by: Provenance,
    /// Where the repository is hosted; absent outside of a workflow.
    pub host: Option<Host>,
    /// The commit that the host started the run for: of the default branch where the event says nothing else.
    pub sha: Option<CommitId>,
    /// The pull request that the event is about. What is checked out is often its merge with the base instead.
    pub proposed: Option<Proposed>,
    /// The run that this one follows (`workflow_run`), where it succeeded for this repository: files of a fork are nobody's model.
    pub follows: Option<u64>,
    /// Name of the event that started it.
    pub event_name: Option<String>,
    /// File with the event's payload.
    pub event_path: Option<PathBuf>,
    /// Name of the branch or tag that was checked out.
    pub ref_name: Option<String>,
    /// File that takes the step's outputs.
    pub output_file: Option<PathBuf>,
    /// File that takes the step's summary.
    pub summary_file: Option<PathBuf>,
    /// Directory that steps of one job share.
    pub job_directory: Option<PathBuf>,
    /// Width of the terminal as it says itself.
    pub columns: Option<usize>,
    /// Whether colours are unwelcome.
    pub no_color: bool,
    /// Whether the host asks for more log lines.
    pub debug: bool,
}

impl Context {
    /// Reads the environment. An empty variable counts as unset.
    pub fn read() -> Self {
        let host = host();
        if let Some(token) = host.as_ref().and_then(|host| host.token.as_ref())
            && hosted()
        {
            hide(token.expose());
        }
        let run = host.as_ref().zip(variable("GITHUB_RUN_ID"));
        let run =
            run.map(|(host, run)| format!("{}/{}/actions/runs/{run}", host.server_url, host.repository));
        let event_path = variable("GITHUB_EVENT_PATH").map(PathBuf::from);
        let actor = variable("GITHUB_ACTOR").unwrap_or_default();
        let event_name = variable("GITHUB_EVENT_NAME");
        let follows = event_path.as_deref().filter(|_| event_name.as_deref() == Some("workflow_run"));
        Self {
            started: Some(Instant::now()),
            hosted: hosted(),
            by: Provenance { actor, run },
            host,
            sha: variable("GITHUB_SHA").and_then(|sha| sha.parse().ok()),
            proposed: event_path.as_deref().and_then(proposed),
            follows: follows.and_then(followed),
            event_name,
            event_path,
            ref_name: variable("GITHUB_REF_NAME"),
            output_file: variable("GITHUB_OUTPUT").map(PathBuf::from),
            summary_file: variable("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            job_directory: variable("RUNNER_TEMP").map(|temp| PathBuf::from(temp).join("tagship")),
            columns: variable("COLUMNS").and_then(|columns| columns.parse().ok()),
            no_color: variable("NO_COLOR").is_some(),
            debug: variable("RUNNER_DEBUG").is_some_and(|value| value == "1"),
        }
    }

    /// Whether the run has more rights than whoever caused it, so that nothing of a proposed change may steer it: what
    /// is configured counts as the default branch has it.
    pub fn is_privileged(&self) -> bool {
        matches!(self.event_name.as_deref(), Some("pull_request_target" | "issue_comment" | "workflow_run"))
    }

    /// The value of a variable that is no secret, e.g. the search path.
    pub fn inherited(name: &str) -> Option<String> {
        variable(name)
    }

    /// The value of a variable that a configuration names, e.g. a token. A host hides it in its log from now on.
    pub fn secret(name: &str) -> Option<String> {
        let secret = variable(name)?;
        if hosted() {
            hide(&secret);
        }
        Some(secret)
    }
}

/// Tells the host to hide a secret wherever it would be printed.
fn hide(secret: &str) {
    let mut out = std::io::stderr().lock();
    for mask in commands::masks(secret) {
        let _ = writeln!(out, "{mask}");
    }
}

/// Whether a CI host runs this step.
pub(crate) fn hosted() -> bool {
    variable("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The host, where the environment names it completely.
fn host() -> Option<Host> {
    let address = |name: &str| variable(name).map(|url| url.trim_end_matches('/').to_owned());
    Some(Host {
        api_url: address("GITHUB_API_URL")?,
        server_url: address("GITHUB_SERVER_URL")?,
        graphql_url: address("GITHUB_GRAPHQL_URL")?,
        repository: variable("GITHUB_REPOSITORY")?,
        token: variable("TAGSHIP_GITHUB_TOKEN").or_else(|| variable("GITHUB_TOKEN")).map(Redacted::new),
    })
}

/// The pull request that a payload is about. One that cannot be read says nothing here; who decides about the event
/// reads it again and says what is wrong.
fn proposed(payload: &Path) -> Option<Proposed> {
    let payload: Value = serde_json::from_str(&std::fs::read_to_string(payload).ok()?).ok()?;
    let pull_request = payload.get("pull_request").filter(|pull| pull.is_object())?;
    let text = |pointer| pull_request.pointer(pointer).and_then(Value::as_str);
    Some(Proposed {
        head: text("/head/sha")?.parse().ok()?,
        // A head without a repository is one of a fork that was deleted.
        from_fork: text("/head/repo/full_name") != text("/base/repo/full_name"),
    })
}

/// Events that only who may write to the repository can cause. Others, e.g. a comment, may lead a run to build what somebody
/// else proposes, under the name of the default branch.
const TRUSTED: [&str; 6] =
    ["push", "schedule", "workflow_dispatch", "repository_dispatch", "merge_group", "release"];

/// The run that a payload is about, where it succeeded for this repository, on an event that can be trusted.
fn followed(payload: &Path) -> Option<u64> {
    let payload: Value = serde_json::from_str(&std::fs::read_to_string(payload).ok()?).ok()?;
    let text = |pointer| payload.pointer(pointer).and_then(Value::as_str);
    let is_own = text("/workflow_run/head_repository/full_name")? == text("/repository/full_name")?;
    let is_trusted = is_own
        && text("/workflow_run/conclusion") == Some("success")
        && text("/workflow_run/event").is_some_and(|event| TRUSTED.contains(&event));
    payload.pointer("/workflow_run/id").and_then(Value::as_u64).filter(|_| is_trusted)
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment for everyone else"
)]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

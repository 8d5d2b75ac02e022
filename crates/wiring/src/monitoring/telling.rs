//! Telling of incidents: what each channel is owed, sent, and kept where it could not be.

use serde_json::json;
use tagship_adapters::notifiers::open_alerter;
use tagship_config::{AdapterSpec, AlertSettings};
use tagship_domain::{
    incident::{IncidentChange, IncidentNotice, Undelivered},
    schema,
};
use tagship_ports::{IssueTracker as _, PortError, Problem, dispatcher::Dispatch, issue_tracker::Alert};
use tagship_runner::Context;

use crate::workspace::Workspace;

const ISSUE: &str = "github-issue";
const DISPATCH: &str = "dispatch";
/// Name of the event that `dispatch` starts runs with.
const EVENT: &str = "tagship-incident";
/// Most notices that wait for channels that do not answer; the oldest are dropped, and the incident itself is still known.
const WAITING: usize = 200;

/// Every channel is owed every new notice, after what it has not had yet.
pub(crate) fn owed(
    before: Vec<Undelivered>,
    notices: &[IncidentNotice],
    settings: &AlertSettings,
) -> Vec<Undelivered> {
    let new = settings.to.iter().enumerate().flat_map(|(at, spec)| {
        let channel = channel(at, spec);
        notices.iter().map(move |notice| Undelivered { channel: channel.clone(), notice: notice.clone() })
    });
    let is_there = |waiting: &Undelivered| {
        settings.to.iter().enumerate().any(|(at, spec)| channel(at, spec) == waiting.channel)
    };
    let all: Vec<Undelivered> = before.into_iter().filter(is_there).chain(new).collect();
    let drop = all.len().saturating_sub(WAITING);
    all.into_iter().skip(drop).collect()
}

/// Sends what is owed, in order; after a failure the rest of that channel waits for the next look. What fails is a warning.
pub(crate) async fn deliver(
    workspace: &Workspace,
    outbox: Vec<Undelivered>,
    settings: &AlertSettings,
) -> Vec<Undelivered> {
    let mut left: Vec<Undelivered> = vec![];
    for waiting in outbox {
        let spec = settings.to.iter().enumerate().find(|(at, spec)| channel(*at, spec) == waiting.channel);
        let Some((_, spec)) = spec else { continue };
        if left.iter().any(|other| other.channel == waiting.channel) {
            left.push(waiting);
            continue;
        }
        if let Err(error) = send(workspace, spec, &waiting.notice).await {
            workspace
                .tell_once(&format!("warning: {}: {error}; it is sent by the next look", waiting.channel));
            left.push(waiting);
        }
    }
    left
}

fn channel(at: usize, spec: &AdapterSpec) -> String {
    format!("{at}-{}", spec.kind)
}

async fn send(workspace: &Workspace, spec: &AdapterSpec, notice: &IncidentNotice) -> Result<(), PortError> {
    match spec.kind.as_str() {
        ISSUE => issue(workspace, notice).await,
        DISPATCH => dispatch(workspace, notice).await,
        _ => open_alerter(spec, &Context::secret)?.alert(notice).await,
    }
}

/// One issue per incident, closed when it is over.
async fn issue(workspace: &Workspace, notice: &IncidentNotice) -> Result<(), PortError> {
    let Some(github) = &workspace.host.github else {
        return Err(PortError::new(Problem::Denied, "open an issue", "the run has no token of a forge")
            .hint("pass `github-token: ${{ github.token }}` and `permissions: issues: write`"));
    };
    if notice.change == IncidentChange::Resolved {
        return github.settle(&notice.fingerprint).await.map(|_| ());
    }
    let alert = Alert {
        topic: notice.fingerprint.clone(),
        title: notice.title(),
        body: tagship_report::markdown::incident(notice),
        labels: vec!["tagship".to_owned()],
    };
    github.raise(&alert).await.map(|_| ())
}

async fn dispatch(workspace: &Workspace, notice: &IncidentNotice) -> Result<(), PortError> {
    let wrong = |error: String| PortError::new(Problem::Invalid, "write a notice", error);
    let text = schema::to_json_line(notice).map_err(|error| wrong(error.to_string()))?;
    let document: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let payload = json!({ "incident": document });
    let serde_json::Value::Object(payload) = payload else { return Err(wrong("it is no object".to_owned())) };
    workspace.host.dispatcher().dispatch(&Dispatch::Event { name: EVENT.to_owned(), payload }).await
}

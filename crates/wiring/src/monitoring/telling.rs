//! Telling of incidents: what each channel is owed, sent, and kept where it could not be.

use serde_json::json;
use tagship_adapters::notifiers::open_alerter;
use tagship_config::{AdapterSpec, AlertSettings};
use tagship_domain::{
    Duration,
    incident::{IncidentChange, IncidentNotice, Undelivered},
    schema,
};
use tagship_ports::{
    IssueTracker as _, PortError, Problem,
    dispatcher::Dispatch,
    issue_tracker::{Alert, AlertOutcome},
};
use tagship_runner::{Context, Failure};

use crate::workspace::{Workspace, located};

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
    let new = settings.to.iter().flat_map(|spec| {
        let channel = channel(spec);
        notices.iter().map(move |notice| Undelivered { channel: channel.clone(), notice: notice.clone() })
    });
    let is_there = |waiting: &Undelivered| settings.to.iter().any(|spec| channel(spec) == waiting.channel);
    let all: Vec<Undelivered> = before.into_iter().filter(is_there).chain(new).collect();
    let drop = all.len().saturating_sub(WAITING);
    all.into_iter().skip(drop).collect()
}

/// What became of what was owed.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    /// What the next look sends.
    pub(crate) left: Vec<Undelivered>,
    /// Addresses of issues, by the topics of their incidents.
    pub(crate) issues: Vec<(String, String)>,
}

/// Sends what is owed, in order; after a failure the rest of that channel waits for the next look. What fails is a warning.
pub(crate) async fn deliver(
    workspace: &Workspace,
    outbox: Vec<Undelivered>,
    settings: &AlertSettings,
) -> Delivered {
    let Delivered { mut left, mut issues } = Delivered::default();
    for waiting in outbox {
        let Some(spec) = settings.to.iter().find(|spec| channel(spec) == waiting.channel) else { continue };
        if left.iter().any(|other| other.channel == waiting.channel) {
            left.push(waiting);
            continue;
        }
        match send(workspace, spec, settings.remind, &waiting.notice).await {
            Ok(issue) => issues.extend(issue.map(|address| (waiting.notice.topic, address))),
            Err(error) => {
                workspace.tell_once(&format!("warning: {}: {error}; it is sent by the next look", spec.kind));
                left.push(waiting);
            }
        }
    }
    Delivered { left, issues }
}

/// A channel by what it is, wherever it stands in the list. Settings name variables of secrets, and no secrets.
fn channel(spec: &AdapterSpec) -> String {
    if spec.settings.is_empty() {
        return spec.kind.clone();
    }
    format!("{} {}", spec.kind, serde_json::Value::Object(spec.settings.clone()))
}

/// Whether everybody who is to be told can be, before there is something to tell. A run without secrets is no mistake.
///
/// # Errors
/// For an unknown kind and for settings that it does not have, with the place that names it.
pub(crate) fn check(settings: &AlertSettings) -> Result<(), Failure> {
    for spec in settings.to.iter().filter(|spec| ![ISSUE, DISPATCH].contains(&spec.kind.as_str())) {
        match open_alerter(spec, settings.remind, &Context::secret) {
            Err(error) if error.problem != Problem::Denied => return Err(located(&error, spec)),
            _ => {}
        }
    }
    Ok(())
}

/// Sends a notice; answers the address of the issue that tells of it, where one does.
async fn send(
    workspace: &Workspace,
    spec: &AdapterSpec,
    remind: Duration,
    notice: &IncidentNotice,
) -> Result<Option<String>, PortError> {
    match spec.kind.as_str() {
        ISSUE => issue(workspace, notice).await,
        DISPATCH => dispatch(workspace, notice).await.map(|()| None),
        _ => open_alerter(spec, remind, &Context::secret)?.alert(notice).await.map(|()| None),
    }
}

/// One issue per incident, closed when it is over.
async fn issue(workspace: &Workspace, notice: &IncidentNotice) -> Result<Option<String>, PortError> {
    let Some(github) = &workspace.host.github else {
        return Err(PortError::new(Problem::Denied, "open an issue", "the run has no token of a forge")
            .hint("pass `github-token: ${{ github.token }}` and `permissions: issues: write`"));
    };
    if notice.change == IncidentChange::Resolved {
        let settled = github.settle(&notice.fingerprint).await?;
        return Ok(settled.and_then(|number| issue_address(workspace, number)));
    }
    let alert = Alert {
        topic: notice.fingerprint.clone(),
        title: notice.title(),
        body: tagship_report::markdown::incident(notice),
        labels: vec!["tagship".to_owned()],
    };
    let (AlertOutcome::Opened(number) | AlertOutcome::Updated(number) | AlertOutcome::Unchanged(number)) =
        github.raise(&alert).await?;
    Ok(issue_address(workspace, number))
}

fn issue_address(workspace: &Workspace, number: u64) -> Option<String> {
    let host = workspace.context.host.as_ref()?;
    Some(format!("{}/{}/issues/{number}", host.server_url.trim_end_matches('/'), host.repository))
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

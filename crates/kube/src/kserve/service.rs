//! An `InferenceService` as it stands: what is wanted, and what its status says. Counters of generations are not read: they are
//! the child's, and `Ready` may tell of the revision before.

use serde_json::Value;

use super::manifest::{INSIDE, VISIBILITY, address};
use crate::object::text;

/// The `InferenceService`.
#[derive(Debug, Clone)]
pub(super) struct Service {
    /// As it was read.
    pub(super) object: Value,
    /// Where the bytes of the newest version are.
    pub(super) uri: String,
    /// The share that is wanted for the newest version; all of it where absent.
    pub(super) percent: Option<u8>,
    /// Whether it is kept inside the cluster, so that no version has traffic.
    pub(super) hidden: bool,
    /// Newest revision; absent until there is one.
    pub(super) created: Option<String>,
    /// Newest revision that is ready.
    pub(super) ready: Option<String>,
    /// The last one that had all the traffic: it keeps what the newest does not get.
    pub(super) rolled_out: Option<String>,
    /// The one before that.
    pub(super) previous: Option<String>,
    /// Shares by revision, in percent.
    pub(super) traffic: Vec<(String, u8)>,
    /// Whether the newest version is loaded, as far as the status tells.
    pub(super) is_current: bool,
    /// Why no route leads to it, where `KServe` should have written one.
    pub(super) unrouted: Option<String>,
    /// Why the newest version will not get ready by itself.
    pub(super) failure: Option<String>,
}

impl Service {
    pub(super) fn read(object: Value) -> Self {
        let predictor = &object["spec"]["predictor"];
        let status = &object["status"]["components"]["predictor"];
        let revision =
            |field: &str| status[field].as_str().filter(|name| !name.is_empty()).map(str::to_owned);
        let percent =
            |value: &Value| value.as_u64().map(|percent| u8::try_from(percent).unwrap_or(100).min(100));
        let shares = status["traffic"].as_array().into_iter().flatten();
        let share = |share: &Value| {
            (text(share, "/revisionName").to_owned(), percent(&share["percent"]).unwrap_or(0))
        };
        Self {
            uri: address(predictor).to_owned(),
            percent: percent(&predictor["canaryTrafficPercent"]),
            hidden: object["metadata"]["labels"][VISIBILITY] == INSIDE,
            created: revision("latestCreatedRevision"),
            ready: revision("latestReadyRevision"),
            rolled_out: revision("latestRolledoutRevision"),
            previous: revision("previousRolledoutRevision"),
            traffic: shares.map(share).collect(),
            is_current: text(&object, "/status/modelStatus/transitionStatus") == "UpToDate",
            unrouted: unrouted(&object["status"]),
            failure: failure(&object["status"]["modelStatus"]),
            object,
        }
    }
}

/// What the status says against the routes; where none are written, it calls them ready, or says nothing of them.
fn unrouted(status: &Value) -> Option<String> {
    let mut conditions = status["conditions"].as_array().into_iter().flatten();
    let condition = conditions.find(|condition| condition["type"] == "IngressReady")?;
    let status = text(condition, "/status");
    let said =
        format!("IngressReady is {status}: {} {}", text(condition, "/reason"), text(condition, "/message"));
    (status != "True").then(|| said.trim_end().to_owned())
}

/// States from which no waiting helps.
pub(super) fn failure(model: &Value) -> Option<String> {
    let state = text(model, "/transitionStatus");
    if !["BlockedByFailedLoad", "InvalidSpec"].contains(&state) {
        return None;
    }
    let (reason, message) = (text(model, "/lastFailureInfo/reason"), text(model, "/lastFailureInfo/message"));
    Some(format!("KServe says {state}: {reason} {message}").trim_end().trim_end_matches(':').to_owned())
}

//! What is said to and by a model server: its control interface, feedback, and the lines of its prediction log.
//!
//! The server and its clients live in crates that do not know each other; these documents are all they share.
//! Orders carry the fencing number of the effect they belong to: a server refuses a lower one than it has seen for
//! the model, accepts an equal or higher one, and repeating an order changes nothing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    digest::{Digest, FileEntry},
    golden::Tensor,
    name::ModelName,
    routing::{HeaderName, Matched, Routing, Shadow},
    time::Timestamp,
    traffic::{Arm, Counters, TargetState, Weight},
    version::Version,
};

/// What a server says about one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelStatus {
    /// The model.
    pub model: ModelName,
    /// Highest fencing number seen for it; 0 where there was none.
    pub fence: u64,
    /// What happens to requests beside sharing them by weight.
    #[serde(default)]
    pub routing: Routing,
    /// One entry per version, in the order of versions; empty for a model the server does not know.
    pub arms: Vec<ArmStatus>,
}

/// One version on a server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ArmStatus {
    /// The version.
    pub version: Version,
    /// Digest of its bytes.
    pub digest: Digest,
    /// Whether it is loaded and can answer.
    pub ready: bool,
    /// Why it is not ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Its share of traffic.
    pub weight: Weight,
    /// Whether it is the version that keeps what a candidate does not get.
    pub stable: bool,
    /// Requests that were routed to it by weight or by a header; requests that name the version do not count.
    pub counters: Counters,
}

/// Load a version at weight 0.
///
/// A server that lacks some of the files refuses with [`Refusal::missing`]; each is then uploaded under its digest
/// and the order repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadOrder {
    /// Fencing number.
    pub fence: u64,
    /// Digest of the artifact: of its one file, or of the listing of `files`.
    pub digest: Digest,
    /// All files of the artifact.
    pub files: Vec<FileEntry>,
}

/// Give a loaded version a share of traffic; the stable version keeps the rest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightOrder {
    /// Fencing number.
    pub fence: u64,
    /// The version.
    pub version: Version,
    /// Its share.
    pub weight: Weight,
}

/// Make a loaded version stable, with all traffic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PromoteOrder {
    /// Fencing number.
    pub fence: u64,
    /// The version.
    pub version: Version,
}

/// Give all traffic to a loaded version, or take the model out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RollbackOrder {
    /// Fencing number.
    pub fence: u64,
    /// The version; `null` takes the model out of service. Must be written: a forgotten member takes nothing down.
    #[serde(deserialize_with = "Option::deserialize")]
    pub to: Option<Version>,
}

/// Route requests so from now on, beside sharing them by weight. The order is the whole routing, not a change of it: `sticky`
/// and `shadow` must be written, so that a forgotten one ends nothing. Without `match` none is in force.
///
/// A shadow version must be loaded and without traffic. Unloading it, or giving it traffic, ends the shadow. A version that
/// requests are matched to must be loaded; promoting a version, or rolling back, ends the match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RoutingOrder {
    /// Fencing number.
    pub fence: u64,
    /// Header whose value keeps a client on its side; `null` shares all requests at random.
    #[serde(deserialize_with = "Option::deserialize")]
    pub sticky: Option<HeaderName>,
    /// The version that answers copies of requests; `null` ends the shadow.
    #[serde(deserialize_with = "Option::deserialize")]
    pub shadow: Option<Shadow>,
    /// The version that answers the requests that carry a header, whatever the weights.
    #[serde(default, rename = "match", skip_serializing_if = "Option::is_none")]
    pub matched: Option<Matched>,
}

/// What became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done now.
    Applied,
    /// It was done before.
    AlreadyThere,
}

/// The answer to an order that was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// What became of it.
    pub result: Outcome,
}

/// The answer to a request that was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refusal {
    /// What was wrong and what to do.
    pub error: String,
    /// Highest fencing number seen, where the order's was lower.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// Files to upload before the order is repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Digest>,
}

/// What turned out to be true about an earlier prediction. Exactly one of `correct` and `label` is given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Feedback {
    /// The model that answered.
    pub model: ModelName,
    /// The `id` of the answer.
    pub id: String,
    /// Whether the prediction was right, as judged by the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correct: Option<bool>,
    /// The true label, to be compared with the predicted one: a value, or a list with one value per row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Value>,
}

/// One line of a prediction log. `T` is the tensor type: readers take [`Tensor`], a server writes its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LogLine<T = Tensor> {
    /// An answer was given.
    Prediction(PredictionRecord<T>),
    /// Feedback arrived.
    Feedback(FeedbackRecord),
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionRecord<T = Tensor> {
    /// When.
    pub at: Timestamp,
    /// The model.
    pub model: ModelName,
    /// The version that answered.
    pub version: Version,
    /// The `id` of the answer.
    pub id: String,
    /// Milliseconds from the complete request to the complete answer.
    pub latency_ms: f64,
    /// What was asked; absent where it was too large to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<Vec<T>>,
    /// What was answered; absent where it was too large to keep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Vec<T>>,
}

/// Feedback that was matched with its prediction.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeedbackRecord {
    /// When it arrived.
    pub at: Timestamp,
    /// The model.
    pub model: ModelName,
    /// The version that had answered.
    pub version: Version,
    /// The `id` of the answer.
    pub id: String,
    /// Whether the prediction was right.
    pub correct: bool,
    /// The true label, where it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Value>,
}

impl RoutingOrder {
    /// The order under which a model is routed so.
    pub fn new(fence: u64, routing: &Routing) -> Self {
        let Routing { sticky, shadow, matched } = routing.clone();
        Self { fence, sticky, shadow, matched }
    }
}

impl From<RoutingOrder> for Routing {
    fn from(order: RoutingOrder) -> Self {
        Self { sticky: order.sticky, shadow: order.shadow, matched: order.matched }
    }
}

impl ModelStatus {
    /// The same in the words of a rollout.
    pub fn target_state(&self) -> TargetState {
        let arm = |arm: &ArmStatus| Arm {
            version: arm.version.clone(),
            digest: arm.digest.clone(),
            ready: arm.ready,
            weight: arm.weight,
            counters: arm.counters.clone(),
        };
        TargetState { arms: self.arms.iter().map(arm).collect() }
    }
}

/// Path of a model in the control interface.
pub fn model_path(model: &ModelName) -> String {
    format!("/admin/models/{}", path_segment(model.as_str()))
}

/// Path of a version in the control interface.
pub fn version_path(model: &ModelName, version: &Version) -> String {
    format!("{}/versions/{}", model_path(model), path_segment(&version.to_string()))
}

/// Path that a file is uploaded to.
pub fn upload_path(digest: &Digest) -> String {
    format!("/admin/uploads/{digest}")
}

/// One segment of a URL path, with everything but RFC 3986's unreserved characters percent-encoded, so that names
/// with `/` or `:` and versions with `+` stay one segment.
pub fn path_segment(text: &str) -> String {
    use std::fmt::Write;
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forgotten_target_takes_nothing_down() {
        assert!(serde_json::from_str::<RollbackOrder>(r#"{"fence":1}"#).is_err());
        let down: RollbackOrder = serde_json::from_str(r#"{"fence":1,"to":null}"#).unwrap();
        assert_eq!(down.to, None);
        assert!(serde_json::from_str::<PromoteOrder>(r#"{"fence":1,"version":"v1.0.0","to":null}"#).is_err());
        assert!(serde_json::from_str::<RoutingOrder>(r#"{"fence":1,"sticky":"x-user"}"#).is_err());
    }

    #[test]
    fn names_stay_one_segment_of_a_path() {
        let model = ModelName::new("pricing/eu:churn").unwrap();
        assert_eq!(model_path(&model), "/admin/models/pricing%2Feu%3Achurn");
        let version = "v1.0.0+build".parse().unwrap();
        assert!(version_path(&model, &version).ends_with("/versions/v1.0.0%2Bbuild"));
    }

    #[test]
    fn log_lines_tell_what_they_are() {
        let line = r#"{"kind":"feedback","at":"2026-11-24T03:44:33Z","model":"churn","version":"v1.0.0","id":"a","correct":true}"#;
        let read: LogLine = serde_json::from_str(line).unwrap();
        assert!(matches!(&read, LogLine::Feedback(record) if record.correct));
        assert_eq!(serde_json::to_string(&read).unwrap(), line);
    }
}

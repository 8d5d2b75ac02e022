//! A `Rollout` as it stands: what is wanted, and what its status says. The status is of the specification that it observed, and
//! of a specification that Argo refuses it says nothing but that.

use serde_json::Value;
use tagship_domain::Version;

use super::steps::{self, Steps};
use crate::{marks::marked, object::text};

/// The `Rollout`.
#[derive(Debug, Clone)]
pub(super) struct Rollout {
    /// As it was read.
    pub(super) object: Value,
    /// The version of its pod template; absent where that says none.
    pub(super) version: Option<Version>,
    pub(super) steps: Steps,
    /// Whether the status is of this specification, and Argo has taken that.
    pub(super) is_observed: bool,
    /// Hash of the pods of the template that was observed.
    pub(super) current: Option<String>,
    /// Hash of the pods that had all traffic last.
    pub(super) stable: Option<String>,
    /// The share of the canary's Service, in percent; absent where it is not known, or not confirmed by the router.
    pub(super) weight: Option<u8>,
    /// Whether it has come to the pause at the end of its steps.
    pub(super) is_paused: bool,
    /// Why the version of the template will not go on by itself.
    pub(super) failure: Option<String>,
    /// Whether Argo refuses the specification.
    pub(super) is_refused: bool,
    /// Whether somebody, or an analysis, has aborted it.
    pub(super) is_aborted: bool,
}

impl Rollout {
    pub(super) fn read(object: Value) -> Self {
        let status = &object["status"];
        let generation = object["metadata"]["generation"].as_u64().map(|generation| generation.to_string());
        // It is written as text.
        let is_seen = generation.is_some_and(|seen| status["observedGeneration"] == seen.as_str());
        let invalid = condition(status, "InvalidSpec", "True");
        let hash = |field: &str| status[field].as_str().filter(|hash| !hash.is_empty()).map(str::to_owned);
        let weights = &status["canary"]["weights"];
        let weight = weights["canary"]["weight"].as_u64().and_then(|weight| u8::try_from(weight).ok());
        let wanted = &object["spec"]["strategy"]["canary"]["steps"];
        let last = wanted.as_array().map_or(0, Vec::len).saturating_sub(1) as u64;
        let is_aborted = is_seen && status["abort"] == true;
        Self {
            version: marked(&object["spec"]["template"]).map(|(version, _)| version),
            steps: steps::read(wanted),
            is_observed: is_seen && invalid.is_none(),
            current: hash("currentPodHash"),
            stable: hash("stableRS"),
            weight: weight.filter(|weight| *weight <= 100 && weights["verified"] != false),
            is_paused: status["phase"] == "Paused" && status["currentStepIndex"].as_u64() == Some(last),
            is_refused: is_seen && invalid.is_some(),
            failure: if is_seen { failure(status, invalid) } else { None },
            is_aborted,
            object,
        }
    }
}

/// What a condition says that has this status.
fn condition(status: &Value, kind: &str, is: &str) -> Option<String> {
    let mut all = status["conditions"].as_array().into_iter().flatten();
    let found = all.find(|condition| condition["type"] == kind && condition["status"] == is)?;
    Some(format!("{}: {}", text(found, "/reason"), text(found, "/message")))
}

/// States from which no waiting helps.
fn failure(status: &Value, invalid: Option<String>) -> Option<String> {
    if let Some(why) = invalid {
        return Some(format!("Argo Rollouts refuses the Rollout: {why}"));
    }
    if status["abort"] == true {
        return Some(format!("the Rollout was aborted: {}", text(status, "/message")));
    }
    condition(status, "Progressing", "False").map(|why| format!("Argo Rollouts says {why}"))
}

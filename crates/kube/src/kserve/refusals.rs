//! What is refused before anything is written: modes in which a percent is ignored, and what is not Tagship's.

use serde_json::Value;
use tagship_ports::{PortError, Problem};

use super::{
    manifest::{KNATIVE, MODE, STANDARD},
    settings::Mode,
};
use crate::{
    object::text,
    owners::{managers, written_by},
};

/// Refuses a mode in which `canaryTrafficPercent` is ignored, so that a candidate would get everything at once. What the
/// status says comes first; the annotation counts until it says something.
pub(super) fn refuse_mode(operation: &str, service: &Value, expected: Mode) -> Result<(), PortError> {
    let annotation = || service["metadata"]["annotations"][MODE].as_str();
    let mode =
        service["status"]["deploymentMode"].as_str().filter(|mode| !mode.is_empty()).or_else(annotation);
    let unsupported = |message: String, hint: &str| {
        Err(PortError::new(Problem::Unsupported, operation, message).hint(hint))
    };
    match (mode, expected) {
        // The second is the older name of the same.
        (Some(KNATIVE | "Serverless"), Mode::Knative)
        | (Some(STANDARD | "RawDeployment"), Mode::Standard) => Ok(()),
        (Some(mode), Mode::Standard) => unsupported(
            format!("the InferenceService runs in mode {mode}, and the target's `mode` is standard"),
            "give the target the mode that the InferenceService has, or its `name` another value",
        ),
        (Some(mode), Mode::Knative) => unsupported(
            format!(
                "the InferenceService runs in mode {mode}: KServe ignores `canaryTrafficPercent` in all modes but \
                 {KNATIVE}, and gives a new version everything at once (kserve/kserve#4074, #5335)"
            ),
            "use target gateway-api, an InferenceService in Knative mode, or `mode: standard` where KServe's routes carry canaries",
        ),
        (None, _) => unsupported(
            format!(
                "the InferenceService does not say in which mode it runs: neither its status nor its annotation `{MODE}`"
            ),
            "look whether KServe's controller runs in the cluster",
        ),
    }
}

/// Refuses to write where somebody else owns what decides about traffic: a merge would take it away from them in silence.
pub(super) fn refuse_foreign(operation: &str, service: &Value) -> Result<(), PortError> {
    let owns = |fields: &Value| {
        let spec = &fields["f:spec"];
        let predictor = &spec["f:predictor"];
        // Of a specification without a schema, one owner has the whole.
        spec.as_object().is_some_and(serde_json::Map::is_empty)
            || predictor.get("f:canaryTrafficPercent").is_some()
            || predictor["f:model"].get("f:storageUri").is_some()
            || spec.get("f:canary").is_some()
    };
    let others = managers(service, owns);
    if others.is_empty() {
        return Ok(());
    }
    let message = format!(
        "others own the address or the share of InferenceService {}{}",
        text(service, "/metadata/name"),
        written_by(&others)
    );
    Err(PortError::new(Problem::Conflict, operation, message)
        .hint("take the InferenceService out of their manifests, so that Tagship alone writes it"))
}

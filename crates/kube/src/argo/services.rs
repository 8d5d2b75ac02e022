//! The two Services between which Argo shares traffic. Tagship makes them, and never touches one that it did not make: their
//! selectors are Argo's, once they are made.
//!
//! Before the first version is given traffic, the stable one leads nowhere: to a port that no pod has.

use serde_json::{Value, json};
use tagship_domain::ModelName;

use super::settings::{ArgoSettings, stable_service};
use crate::{
    cluster::{Kind, MANAGER},
    owners::{MANAGED_BY, MODEL},
};

/// Port of the Services.
pub(super) const PORT: u16 = 80;
/// A named port that no pod has.
const NOWHERE: &str = "tagship-closed";
/// The annotation for the newest order that closed it: a run that comes late finds another Service than the one it read.
const FENCE: &str = "tagship/fence";
/// Argo's label of the pods of one template.
const HASH: &str = "rollouts-pod-template-hash";

/// A Service as it is made. `selector`: the labels of the pods; `open`: whether the stable one lets requests in.
pub(super) fn made(
    settings: &ArgoSettings,
    model: &ModelName,
    name: &str,
    selector: &Value,
    open: bool,
) -> Value {
    let is_closed = name == stable_service(&settings.name) && !open;
    let port = if is_closed { json!(NOWHERE) } else { json!(settings.port) };
    json!({
        "apiVersion": Kind::Service.api_version(), "kind": "Service",
        "metadata": {
            "name": name, "namespace": settings.namespace, "labels": { MANAGED_BY: MANAGER },
            "annotations": { MODEL: model.to_string() },
        },
        "spec": {
            "selector": selector,
            "ports": [{ "name": "http", "port": PORT, "protocol": "TCP", "targetPort": port }],
        },
    })
}

/// Whether it leads nowhere.
pub(super) fn is_closed(service: &Value) -> bool {
    service["spec"]["ports"][0]["targetPort"] == NOWHERE
}

/// The hash of the pods that it leads to; absent where Argo has not chosen any.
pub(super) fn leads_to(service: &Value) -> Option<&str> {
    service["spec"]["selector"][HASH].as_str()
}

/// The newest order that closed it.
pub(super) fn fence(service: &Value) -> Option<u64> {
    service["metadata"]["annotations"][FENCE].as_str()?.parse().ok()
}

/// A merge that lets requests in.
pub(super) fn opened(service: &Value, port: u16) -> Option<Value> {
    is_closed(service).then(|| json!({ "spec": { "ports": to(service, &json!(port)) } }))
}

/// A merge that lets none in.
pub(super) fn closed(service: &Value, order: u64) -> Option<Value> {
    let is_done = is_closed(service) && fence(service).is_some_and(|fence| fence >= order);
    let annotations = json!({ FENCE: order.to_string() });
    let ports = to(service, &json!(NOWHERE));
    (!is_done).then(|| json!({ "metadata": { "annotations": annotations }, "spec": { "ports": ports } }))
}

/// The ports, for a merge takes a list whole.
fn to(service: &Value, port: &Value) -> Value {
    let mut ports = service["spec"]["ports"].clone();
    ports[0]["targetPort"] = port.clone();
    ports
}

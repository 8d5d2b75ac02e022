//! What was measured at a real API server, row by row, and what the parts of the double do.

mod actors;
mod applies;
mod flagger;
mod grants;
mod inference_services;
mod machinery;
mod patches;
mod real_definitions;
mod rollouts;
mod validation;
mod wire;

use serde_json::{Value, json};

use super::FakeCluster;

pub(super) const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/ml/httproutes";
pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const PLAIN: &str = "application/json";

/// Route `churn`, with defaults written out as a careful client does.
pub(super) fn route(weights: [u64; 2]) -> Value {
    let backend = |(name, weight): (&str, u64)| json!({ "group": "", "kind": "Service", "name": name, "port": 80, "weight": weight });
    let backends: Vec<Value> = ["stable", "candidate"].into_iter().zip(weights).map(backend).collect();
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "churn", "namespace": "ml" },
        "spec": {
            "parentRefs": [{ "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public" }],
            "rules": [{ "matches": [{ "path": { "type": "PathPrefix", "value": "/" } }], "backendRefs": backends }],
        },
    })
}

/// Applies as a manager.
pub(super) fn apply(cluster: &FakeCluster, manager: &str, object: &Value) -> (u16, Value) {
    cluster.act("PATCH", &format!("{ROUTES}/churn?fieldManager={manager}"), APPLY, object)
}

/// Patches route `churn`, with more in the query.
pub(super) fn patch(cluster: &FakeCluster, kind: &str, query: &str, body: &Value) -> (u16, Value) {
    cluster.act("PATCH", &format!("{ROUTES}/churn?fieldManager=somebody&{query}"), kind, body)
}

pub(super) fn with_route() -> FakeCluster {
    let cluster = FakeCluster::start();
    assert_eq!(apply(&cluster, "tagship", &route([100, 0])).0, 201);
    cluster
}

pub(super) fn version(object: &Value) -> &str {
    object["metadata"]["resourceVersion"].as_str().unwrap_or_default()
}

pub(super) fn generation(object: &Value) -> u64 {
    object["metadata"]["generation"].as_u64().unwrap_or_default()
}

/// The route as it is stored.
pub(super) fn stored(cluster: &FakeCluster) -> Value {
    cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").expect("the route is there")
}

/// Fields in conflict.
pub(super) fn fields_in_conflict(answer: &Value) -> Vec<String> {
    let causes = answer["details"]["causes"].as_array().into_iter().flatten();
    let causes = causes.filter(|cause| cause["reason"] == "FieldManagerConflict");
    causes.filter_map(|cause| cause["field"].as_str().map(str::to_owned)).collect()
}

//! Objects against schemas.

use serde_json::{Value, json};

use super::{MERGE, PLAIN, ROUTES, patch, route, with_route};
use crate::cluster::{
    FakeCluster,
    check::{Fault, misfits},
    schema::Schema,
    shape,
};

fn schema() -> Schema {
    Schema::read(&json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "minLength": 2, "maxLength": 4 },
            "share": { "type": "integer", "minimum": 0, "maximum": 100, "default": 7 },
            "ratio": { "type": "number" },
            "on": { "type": "boolean" },
            "mode": { "type": "string", "enum": ["a", "b"] },
            "port": { "x-kubernetes-int-or-string": true },
            "none": { "type": "string", "nullable": true },
            "free": { "x-kubernetes-preserve-unknown-fields": true },
            "tags": { "type": "array", "items": { "type": "string" }, "x-kubernetes-list-type": "set", "maxItems": 2 },
            "parts": {
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"],
                "items": { "type": "object", "properties": { "id": { "type": "integer" }, "x": { "default": 1 } } },
            },
            "labels": { "type": "object", "additionalProperties": { "type": "string" } },
        },
    }))
}

fn check(value: &Value, expected: &[(&str, Fault)]) {
    let found = misfits(&schema(), value);
    let found: Vec<(&str, Fault)> = found.iter().map(|misfit| (misfit.path.as_str(), misfit.fault)).collect();
    assert_eq!(found, expected, "{value}");
}

#[test]
fn what_fits_fits() {
    check(
        &json!({
            "name": "four", "share": 100, "ratio": 1, "on": true, "mode": "b", "port": "http", "none": null,
            "free": { "x": [1] }, "tags": ["a", "b"], "parts": [{ "id": 1 }, { "id": 2 }], "labels": { "a": "b" },
        }),
        &[],
    );
}

#[test]
fn what_does_not_fit_is_named() {
    check(&json!({}), &[(".name", Fault::Missing)]);
    check(&json!({ "name": "n" }), &[(".name", Fault::Value)]);
    check(&json!({ "name": "names" }), &[(".name", Fault::Value)]);
    check(&json!({ "name": 1 }), &[(".name", Fault::Type)]);
    check(&json!({ "name": null }), &[(".name", Fault::Type)]);
    check(&json!({ "name": "nn", "share": -1 }), &[(".share", Fault::Value)]);
    check(&json!({ "name": "nn", "share": 101 }), &[(".share", Fault::Value)]);
    check(&json!({ "name": "nn", "share": 1.5 }), &[(".share", Fault::Type)]);
    check(&json!({ "name": "nn", "mode": "c" }), &[(".mode", Fault::Value)]);
    check(&json!({ "name": "nn", "port": true }), &[(".port", Fault::Type)]);
    check(&json!({ "name": "nn", "other": 1 }), &[(".other", Fault::Undeclared)]);
    check(&json!({ "name": "nn", "labels": { "a": 1 } }), &[(".labels.a", Fault::Type)]);
    check(
        &json!({ "name": "nn", "tags": ["a", "a", "b"] }),
        &[(".tags", Fault::Value), (".tags[1]", Fault::Value)],
    );
    check(&json!({ "name": "nn", "parts": [{ "x": 1 }] }), &[(".parts[0]", Fault::Missing)]);
    check(&json!({ "name": "nn", "parts": [{ "id": 1 }, { "id": 1 }] }), &[(".parts[1]", Fault::Value)]);
}

#[test]
fn defaults_come_and_unknown_fields_go() {
    let mut value = json!({ "name": "nn", "other": 1, "share": null, "parts": [{ "id": 1, "y": 2 }], "free": { "z": 1 } });
    shape::prune(&schema(), &mut value);
    shape::fill(&schema(), &mut value);
    assert_eq!(
        value,
        json!({ "name": "nn", "share": 7, "parts": [{ "id": 1, "x": 1 }], "free": { "z": 1 } })
    );
}

#[test]
fn a_server_refuses_what_does_not_fit() {
    let cluster = with_route();
    let mut wrong = route([100, 0]);
    wrong["metadata"]["name"] = json!("wrong");
    wrong["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(1_000_001);
    let (status, answer) = cluster.act("POST", ROUTES, PLAIN, &wrong);
    assert_eq!((status, &answer["reason"]), (422, &json!("Invalid")));
    assert_eq!(answer["details"]["causes"][0]["field"], "spec.rules[0].backendRefs[0].weight");
    let typed = json!({ "spec": { "hostnames": "churn.example.org" } });
    let (status, answer) = patch(&cluster, MERGE, "", &typed);
    assert_eq!((status, &answer["details"]["causes"][0]["reason"]), (422, &json!("FieldValueTypeInvalid")));
}

#[test]
fn strict_creation_refuses_unknown_fields() {
    let cluster = FakeCluster::start();
    let mut unknown = route([100, 0]);
    unknown["spec"]["weights"] = json!(1);
    let (status, answer) = cluster.act("POST", &format!("{ROUTES}?fieldValidation=Strict"), PLAIN, &unknown);
    assert_eq!(
        (status, &answer["message"]),
        (400, &json!("strict decoding error: unknown field \"spec.weights\""))
    );
    let (status, made) = cluster.act("POST", ROUTES, PLAIN, &unknown);
    assert_eq!((status, made["spec"].get("weights")), (201, None));
}

#[test]
fn percents_have_bounds_where_the_definition_has_them() {
    let cluster = FakeCluster::start();
    let services = "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices";
    let service = |predictor: Value, canary: Value| {
        let service = json!({
            "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
            "metadata": { "generateName": "churn-" }, "spec": { "predictor": predictor, "canary": canary },
        });
        cluster.act("POST", services, PLAIN, &service).0
    };
    assert_eq!(service(json!({ "canaryTrafficPercent": 150 }), json!([])), 201);
    assert_eq!(service(json!({}), json!([{ "predictor": {}, "trafficPercent": 101 }])), 422);
}

#[test]
fn a_workload_must_find_its_own_pods() {
    let cluster = FakeCluster::start();
    let deployment = |label: &str, container: Value| {
        json!({ "metadata": { "name": "churn" }, "spec": {
            "selector": { "matchLabels": { "app": "churn" } },
            "template": { "metadata": { "labels": { "app": label } }, "spec": { "containers": [container] } },
        } })
    };
    let target = "/apis/apps/v1/namespaces/ml/deployments";
    let full = json!({ "name": "server", "image": "server:1" });
    for (label, container) in [("other", full.clone()), ("churn", json!({ "name": "server" }))] {
        let (status, answer) = cluster.act("POST", target, PLAIN, &deployment(label, container));
        assert_eq!((status, &answer["reason"]), (422, &json!("Invalid")), "{answer}");
    }
    assert_eq!(cluster.act("POST", target, PLAIN, &deployment("churn", full)).0, 201);
}

#[test]
fn what_is_made_is_sent_whole() {
    let cluster = FakeCluster::start();
    let (status, answer) = cluster.act("POST", ROUTES, MERGE, &route([100, 0]));
    assert_eq!((status, &answer["reason"]), (415, &json!("UnsupportedMediaType")), "{answer}");
    assert_eq!(cluster.act("POST", ROUTES, PLAIN, &route([100, 0])).0, 201);
}

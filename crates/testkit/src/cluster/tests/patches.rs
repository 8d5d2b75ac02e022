//! Merge patches, JSON patches and the status, as measured.

use serde_json::json;

use super::{JSON_PATCH, MERGE, ROUTES, generation, patch, route, stored, version, with_route};
use crate::cluster::patch::{json_patch, merge_patch};

#[test]
fn an_unknown_field_is_dropped_silently_unless_strict() {
    let cluster = with_route();
    let before = version(&stored(&cluster)).to_owned();
    let unknown = json!({ "spec": { "weights": 1 } });
    let (status, answer) = patch(&cluster, MERGE, "", &unknown);
    assert_eq!((status, answer["spec"].get("weights")), (200, None));
    assert_eq!(version(&stored(&cluster)), before, "nothing was left to write");
    let (status, answer) = patch(&cluster, MERGE, "fieldValidation=Strict", &unknown);
    assert_eq!((status, &answer["reason"]), (422, &json!("Invalid")));
    assert!(answer["message"].as_str().unwrap().contains("unknown field \"spec.weights\""), "{answer}");
}

#[test]
fn a_stale_version_is_a_conflict() {
    let cluster = with_route();
    let old = version(&stored(&cluster)).to_owned();
    assert_eq!(patch(&cluster, MERGE, "", &json!({ "metadata": { "labels": { "a": "b" } } })).0, 200);
    let stale = json!({ "metadata": { "resourceVersion": old, "labels": { "a": "c" } } });
    let (status, answer) = patch(&cluster, MERGE, "", &stale);
    assert_eq!((status, &answer["reason"]), (409, &json!("Conflict")));
    assert_eq!(stored(&cluster)["metadata"]["labels"]["a"], "b");
}

#[test]
fn a_failed_test_does_not_say_which() {
    let cluster = with_route();
    let change = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": "0" },
        { "op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 1 },
    ]);
    let (status, answer) = patch(&cluster, JSON_PATCH, "", &change);
    assert_eq!((status, &answer["reason"]), (422, &json!("Invalid")));
    assert_eq!(answer["message"], "the server rejected our request due to an error in our request");
    assert_eq!(generation(&stored(&cluster)), 1);
}

#[test]
fn the_status_has_a_path_of_its_own() {
    let cluster = with_route();
    let status = json!({ "status": { "parents": [] } });
    let before = version(&stored(&cluster)).to_owned();
    assert_eq!(patch(&cluster, MERGE, "", &status).0, 200);
    assert_eq!(version(&stored(&cluster)), before, "dropped silently");

    let path = format!("{ROUTES}/churn/status?fieldManager=gateway");
    let mut told = status.clone();
    told["spec"] = json!({ "rules": [] });
    let (code, after) = cluster.act("PATCH", &path, MERGE, &told);
    assert_eq!((code, generation(&after)), (200, 1), "the generation stays");
    assert_eq!(after["status"], json!({ "parents": [] }));
    assert_eq!(after["spec"], route([100, 0])["spec"], "only the status is written");
    let owners = after["metadata"]["managedFields"].as_array().unwrap();
    let gateway = owners.iter().find(|owner| owner["manager"] == "gateway").unwrap();
    assert_eq!((&gateway["subresource"], &gateway["operation"]), (&json!("status"), &json!("Update")));
}

#[test]
fn a_kind_without_a_status_path_has_none() {
    let cluster = with_route();
    let runs = "/apis/argoproj.io/v1alpha1/namespaces/ml/analysisruns";
    let run = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisRun",
        "metadata": { "name": "one" }, "status": { "phase": "Running" },
    });
    let (code, made) = cluster.act("POST", runs, super::PLAIN, &run);
    assert_eq!((code, &made["status"]["phase"]), (201, &json!("Running")));
    assert_eq!(cluster.act("PATCH", &format!("{runs}/one/status"), MERGE, &run).0, 404);
}

#[test]
fn a_rehearsal_answers_all_and_stores_nothing() {
    let cluster = with_route();
    let before = stored(&cluster);
    let change = json!({ "spec": { "hostnames": ["churn.example.org"] } });
    let (status, answer) = patch(&cluster, MERGE, "dryRun=All", &change);
    assert_eq!((status, generation(&answer)), (200, 2));
    assert_eq!(answer["spec"]["hostnames"], json!(["churn.example.org"]));
    assert_eq!(answer["spec"]["rules"], before["spec"]["rules"]);
    assert_eq!(stored(&cluster), before);
    let path = format!("{ROUTES}/other?fieldManager=tagship&dryRun=All");
    let mut other = route([100, 0]);
    other["metadata"]["name"] = json!("other");
    assert_eq!(cluster.act("PATCH", &path, super::APPLY, &other).0, 201);
    assert_eq!(cluster.act("GET", &format!("{ROUTES}/other"), "", &json!(null)).0, 404);
}

#[test]
fn null_removes_and_lists_are_replaced() {
    // The example of RFC 7386.
    let mut value = json!({ "a": "b", "c": { "d": "e", "f": "g" }, "l": [1, 2] });
    merge_patch(&mut value, &json!({ "a": "z", "c": { "f": null }, "l": [3], "n": { "x": null, "y": 1 } }));
    assert_eq!(value, json!({ "a": "z", "c": { "d": "e" }, "l": [3], "n": { "y": 1 } }));
}

#[test]
fn operations_are_performed_in_order_all_or_none() {
    let value = json!({ "a/b": [1, 3], "c": { "~d": 4 } });
    let operations = json!([
        { "op": "add", "path": "/a~1b/1", "value": 2 },
        { "op": "add", "path": "/a~1b/-", "value": 9 },
        { "op": "copy", "from": "/c/~0d", "path": "/e" },
        { "op": "move", "from": "/c/~0d", "path": "/f" },
        { "op": "remove", "path": "/a~1b/0" },
        { "op": "test", "path": "/e", "value": 4 },
    ]);
    let after = json_patch(&value, &operations).unwrap();
    assert_eq!(after, json!({ "a/b": [2, 3, 9], "c": {}, "e": 4, "f": 4 }));
    for wrong in [
        json!([{ "op": "remove", "path": "/x" }]),
        json!([{ "op": "add", "path": "/a~1b/7", "value": 1 }]),
        json!([{ "op": "replace", "path": "/x/y", "value": 1 }]),
        json!([{ "op": "grow", "path": "/c" }]),
    ] {
        assert!(json_patch(&value, &wrong).is_err(), "{wrong}");
    }
}

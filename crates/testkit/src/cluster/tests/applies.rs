//! Server-side apply, as measured.

use serde_json::{Value, json};

use super::{
    APPLY, MERGE, PLAIN, ROUTES, apply, fields_in_conflict, generation, patch, route, stored, version,
    with_route,
};
use crate::cluster::FakeCluster;

#[test]
fn a_repeated_apply_changes_nothing() {
    let cluster = with_route();
    let before = stored(&cluster);
    cluster.advance(60);
    let (status, again) = apply(&cluster, "tagship", &route([100, 0]));
    assert_eq!((status, &again), (200, &before));
    assert_eq!(stored(&cluster), before, "generation, resourceVersion and times of owners stay");
}

#[test]
fn another_value_of_another_manager_conflicts_and_names_the_owner() {
    let cluster = with_route();
    let before = stored(&cluster);
    let (status, answer) = apply(&cluster, "helm", &route([50, 50]));
    assert_eq!((status, &answer["reason"]), (409, &json!("Conflict")));
    assert_eq!(fields_in_conflict(&answer), [".spec.rules"]);
    let cause = &answer["details"]["causes"][0];
    assert_eq!(cause["message"], "conflict with \"tagship\"");
    assert_eq!(answer["message"], "Apply failed with 1 conflict: conflict with \"tagship\": .spec.rules");
    assert_eq!(stored(&cluster), before);
}

#[test]
fn a_conflict_with_an_update_says_with_what_and_when() {
    let cluster = FakeCluster::start();
    assert_eq!(cluster.act("POST", ROUTES, PLAIN, &route([100, 0])).0, 201);
    let (status, answer) = apply(&cluster, "tagship", &route([0, 100]));
    assert_eq!(status, 409);
    let said = answer["details"]["causes"][0]["message"].as_str().unwrap_or_default();
    assert_eq!(said, "conflict with \"somebody\" using gateway.networking.k8s.io/v1 at 2026-01-01T00:00:00Z");
}

#[test]
fn the_same_values_are_owned_together() {
    let cluster = with_route();
    let (status, answer) = apply(&cluster, "helm", &route([100, 0]));
    assert_eq!((status, generation(&answer)), (200, 1));
    let owners: Vec<&Value> = answer["metadata"]["managedFields"].as_array().unwrap().iter().collect();
    assert_eq!(owners.len(), 2);
    for owner in owners {
        assert_eq!(owner["operation"], "Apply");
        assert_eq!(owner["fieldsType"], "FieldsV1");
        assert_eq!(owner["fieldsV1"], json!({ "f:spec": { "f:parentRefs": {}, "f:rules": {} } }));
    }
    let (status, answer) = apply(&cluster, "tagship", &route([0, 100]));
    assert_eq!((status, fields_in_conflict(&answer)), (409, vec![".spec.rules".to_owned()]));
}

#[test]
fn a_list_without_the_defaults_conflicts_with_one_that_has_them() {
    let cluster = with_route();
    let mut plain = route([100, 0]);
    plain["spec"]["parentRefs"] = json!([{ "name": "public" }]);
    let (status, answer) = apply(&cluster, "helm", &plain);
    assert_eq!((status, fields_in_conflict(&answer)), (409, vec![".spec.parentRefs".to_owned()]));

    let mut only_rules = route([50, 50]);
    only_rules["spec"].as_object_mut().unwrap().remove("parentRefs");
    let (status, answer) = apply(&cluster, "helm", &only_rules);
    assert_eq!((status, fields_in_conflict(&answer)), (409, vec![".spec.rules".to_owned()]));
}

#[test]
fn one_who_owns_a_list_may_leave_defaults_out() {
    let cluster = FakeCluster::start();
    let mut plain = route([100, 0]);
    plain["spec"]["parentRefs"] = json!([{ "name": "public" }]);
    assert_eq!(apply(&cluster, "tagship", &plain).0, 201);
    assert_eq!(stored(&cluster)["spec"]["parentRefs"][0]["kind"], "Gateway");
    let before = stored(&cluster);
    assert_eq!(apply(&cluster, "tagship", &plain).0, 200);
    assert_eq!(stored(&cluster), before);
}

#[test]
fn a_field_that_its_only_owner_leaves_out_goes() {
    let cluster = FakeCluster::start();
    let mut object = route([100, 0]);
    object["spec"]["hostnames"] = json!(["churn.example.org"]);
    object["metadata"]["annotations"] = json!({ "tagship/step": "1", "tagship/run": "7" });
    assert_eq!(apply(&cluster, "tagship", &object).0, 201);
    object["spec"].as_object_mut().unwrap().remove("hostnames");
    object["metadata"]["annotations"] = json!({ "tagship/run": "7" });
    let (status, after) = apply(&cluster, "tagship", &object);
    assert_eq!((status, generation(&after)), (200, 2));
    assert_eq!(after["spec"].get("hostnames"), None);
    assert_eq!(after["metadata"]["annotations"], json!({ "tagship/run": "7" }));
}

#[test]
fn a_field_that_somebody_else_owns_too_stays() {
    let cluster = FakeCluster::start();
    let mut object = route([100, 0]);
    object["metadata"]["labels"] = json!({ "team": "ml", "tier": "gold" });
    assert_eq!(apply(&cluster, "tagship", &object).0, 201);
    let shared = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": { "labels": { "team": "ml" } },
    });
    assert_eq!(apply(&cluster, "helm", &shared).0, 200);
    let (status, after) = apply(&cluster, "tagship", &route([100, 0]));
    assert_eq!((status, &after["metadata"]["labels"]), (200, &json!({ "team": "ml" })));
}

#[test]
fn items_with_keys_are_owned_one_by_one() {
    let cluster = FakeCluster::start();
    let target =
        |manager: &str| format!("/apis/apps/v1/namespaces/ml/deployments/churn?fieldManager={manager}");
    let with = |containers: Value| {
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "churn" }, "spec": {
            "selector": { "matchLabels": { "app": "churn" } },
            "template": { "metadata": { "labels": { "app": "churn" } }, "spec": { "containers": containers } },
        } })
    };
    let server = json!({ "name": "server", "image": "server:1", "ports": [{ "containerPort": 8080 }] });
    let sidecar = json!({ "name": "sidecar", "image": "sidecar:1" });
    let (status, made) = cluster.act("PATCH", &target("tagship"), APPLY, &with(json!([server])));
    assert_eq!(status, 201, "{made}");
    let containers = &made["spec"]["template"]["spec"]["containers"];
    assert_eq!(containers[0]["ports"][0]["protocol"], "TCP", "keys have defaults");
    let owned =
        &made["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"];
    assert_eq!(owned["k:{\"name\":\"server\"}"]["."], json!({}));

    let (status, both) = cluster.act("PATCH", &target("mesh"), APPLY, &with(json!([sidecar])));
    assert_eq!(status, 200, "{both}");
    assert_eq!(both["spec"]["template"]["spec"]["containers"].as_array().unwrap().len(), 2);

    let newer = json!({ "name": "server", "image": "server:2" });
    let (status, refused) = cluster.act("PATCH", &target("mesh"), APPLY, &with(json!([sidecar, newer])));
    let image = ".spec.template.spec.containers[name=\"server\"].image";
    assert_eq!((status, fields_in_conflict(&refused)), (409, vec![image.to_owned()]));

    let (status, one) = cluster.act("PATCH", &target("mesh"), APPLY, &with(json!([])));
    assert_eq!(status, 200, "{one}");
    let left = one["spec"]["template"]["spec"]["containers"].as_array().unwrap();
    assert_eq!(left.iter().map(|item| &item["name"]).collect::<Vec<_>>(), ["server"]);
}

#[test]
fn a_stale_version_is_a_conflict_without_causes() {
    let cluster = with_route();
    let old = version(&stored(&cluster)).to_owned();
    assert_eq!(apply(&cluster, "tagship", &route([90, 10])).0, 200);
    let mut object = route([80, 20]);
    object["metadata"]["resourceVersion"] = json!(old);
    let (status, answer) = apply(&cluster, "tagship", &object);
    assert_eq!((status, &answer["details"].get("causes")), (409, &None));
    assert!(answer["message"].as_str().unwrap().contains("the object has been modified"));
    object["metadata"]["resourceVersion"] = json!(version(&stored(&cluster)));
    assert_eq!(apply(&cluster, "tagship", &object).0, 200);
}

#[test]
fn unknown_and_mistyped_fields_are_failures_of_the_server() {
    let cluster = with_route();
    let before = stored(&cluster);
    let mut unknown = route([100, 0]);
    unknown["spec"]["weights"] = json!(1);
    let mut mistyped = route([100, 0]);
    mistyped["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!("100");
    let target = format!("{ROUTES}/churn?fieldManager=tagship&fieldValidation=Ignore&dryRun=All");
    let (status, answer) = cluster.act("PATCH", &target, APPLY, &unknown);
    assert_eq!((status, &answer["reason"]), (500, &json!("")));
    assert_eq!(
        answer["message"],
        "failed to create typed patch object (ml/churn; gateway.networking.k8s.io/v1, Kind=HTTPRoute): \
         .spec.weights: field not declared in schema"
    );
    assert_eq!(apply(&cluster, "tagship", &mistyped).0, 500);
    assert_eq!(stored(&cluster), before);
}

#[test]
fn a_json_patch_takes_the_list_from_its_owner() {
    let cluster = FakeCluster::start();
    assert_eq!(apply(&cluster, "helm", &route([100, 0])).0, 201);
    let weight = |at: u8| format!("/spec/rules/0/backendRefs/{at}/weight");
    let change = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": version(&stored(&cluster)) },
        { "op": "replace", "path": weight(0), "value": 75 },
        { "op": "replace", "path": weight(1), "value": 25 },
    ]);
    let target = format!("{ROUTES}/churn?fieldManager=tagship");
    assert_eq!(cluster.act("PATCH", &target, super::JSON_PATCH, &change).0, 200);
    let (status, answer) = apply(&cluster, "helm", &route([100, 0]));
    assert_eq!((status, fields_in_conflict(&answer)), (409, vec![".spec.rules".to_owned()]));
}

#[test]
fn a_spec_without_schema_is_one_field() {
    let cluster = FakeCluster::start();
    let minimal = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(minimal.path(), SCHEMALESS).unwrap();
    cluster.define(minimal.path());
    let target = |manager: &str| {
        format!(
            "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices/churn?fieldManager={manager}"
        )
    };
    let with = |predictor: Value| {
        json!({
            "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
            "metadata": { "name": "churn" }, "spec": { "predictor": predictor },
        })
    };
    let spec = with(json!({ "anything": 1 }));
    let (status, made) = cluster.act("PATCH", &target("tagship"), APPLY, &spec);
    assert_eq!((status, &made["metadata"]["managedFields"][0]["fieldsV1"]), (201, &json!({ "f:spec": {} })));
    assert_eq!(made["spec"]["predictor"]["anything"], 1, "unknown fields are kept");
    let other = with(json!({ "other": 1 }));
    let (status, refused) = cluster.act("PATCH", &target("helm"), APPLY, &other);
    assert_eq!((status, fields_in_conflict(&refused)), (409, vec![".spec".to_owned()]));
    let (status, taken) = cluster.act("PATCH", &target("helm"), MERGE, &other);
    assert_eq!(status, 200);
    let owners = taken["metadata"]["managedFields"].as_array().unwrap();
    assert_eq!(owners.iter().map(|owner| &owner["manager"]).collect::<Vec<_>>(), ["helm"]);
}

#[test]
fn applies_need_a_name_and_are_never_forced() {
    let cluster = with_route();
    assert_eq!(cluster.act("PATCH", &format!("{ROUTES}/churn"), APPLY, &route([100, 0])).0, 400);
    let forced = format!("{ROUTES}/churn?fieldManager=helm&force=true");
    assert_eq!(cluster.act("PATCH", &forced, APPLY, &route([50, 50])).0, 403);
}

#[test]
fn whoever_applies_or_makes_something_says_what_it_is() {
    let cluster = FakeCluster::start();
    for missing in ["apiVersion", "kind"] {
        let mut object = route([100, 0]);
        object.as_object_mut().unwrap().remove(missing);
        assert!(cluster.act("POST", ROUTES, PLAIN, &object).0 >= 400, "{missing}");
    }
    let mut object = route([100, 0]);
    object["apiVersion"] = json!("");
    assert_eq!(apply(&cluster, "tagship", &object).0, 400);
    let mut object = route([100, 0]);
    object["metadata"] = json!({});
    assert_eq!(apply(&cluster, "tagship", &object).0, 400, "what is made has a name");
    // Of a built-in kind the path says it, but to an apply.
    let service = json!({ "metadata": { "name": "churn" }, "spec": { "ports": [{ "port": 80 }] } });
    let services = "/api/v1/namespaces/ml/services";
    assert_eq!(cluster.act("POST", services, PLAIN, &service).0, 201);
    let target = format!("{services}/churn?fieldManager=tagship");
    assert_eq!(cluster.act("PATCH", &target, APPLY, &service).0, 400);
}

const SCHEMALESS: &str = "
spec:
  group: serving.kserve.io
  names: { plural: inferenceservices, kind: InferenceService }
  versions:
  - name: v1beta1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: { type: object, x-kubernetes-map-type: atomic, x-kubernetes-preserve-unknown-fields: true }
";

#[test]
fn the_time_of_an_owner_is_that_of_its_newest_value() {
    let cluster = with_route();
    let time = |manager: &str| {
        let owners = stored(&cluster)["metadata"]["managedFields"].clone();
        let owner = owners.as_array().unwrap().iter().find(|owner| owner["manager"] == manager).cloned();
        owner.unwrap()["time"].as_str().unwrap().to_owned()
    };
    let label = |value: Value| {
        cluster.advance(60);
        let change = json!({ "metadata": { "labels": { "team": value, "of": "somebody" } } });
        assert_eq!(patch(&cluster, MERGE, "", &change).0, 200);
        time("somebody")
    };
    let applied = time("tagship");
    let first = label(json!("a"));
    assert!(first > applied);
    let second = label(json!("b"));
    assert!(second > first, "another value of a field that it owned before");
    assert_eq!(label(json!("b")), second, "nothing changed");
    assert_eq!(time("tagship"), applied, "others change nothing about it");
    assert_eq!(apply(&cluster, "tagship", &route([90, 10])).0, 200);
    assert!(time("tagship") > second);
}

//! Creating, replacing, deleting, listing; what kinds there are; who may do what.

use serde_json::{Value, json};

use super::{APPLY, PLAIN, ROUTES, apply, generation, route, stored, version, with_route};
use crate::cluster::FakeCluster;

const SERVICES: &str = "/api/v1/namespaces/ml/services";

#[test]
fn a_new_object_gets_what_the_server_sets() {
    let cluster = FakeCluster::start();
    let mut object = route([100, 0]);
    object["status"] = json!({ "parents": [] });
    object["metadata"]["uid"] = json!("mine");
    let (status, made) = cluster.act("POST", ROUTES, PLAIN, &object);
    assert_eq!((status, generation(&made)), (201, 1));
    assert_ne!(made["metadata"]["uid"], "mine");
    assert_eq!(made["metadata"]["creationTimestamp"], "2026-01-01T00:00:00Z");
    assert_eq!(made.get("status"), None);
    let (status, answer) = cluster.act("POST", ROUTES, PLAIN, &object);
    assert_eq!((status, &answer["reason"]), (409, &json!("AlreadyExists")));
}

#[test]
fn the_generation_counts_changes_of_what_is_wanted() {
    let cluster = with_route();
    let label = json!({ "metadata": { "labels": { "a": "b" } } });
    let (_, labelled) = super::patch(&cluster, super::MERGE, "", &label);
    assert_eq!(generation(&labelled), 1);
    let (_, moved) = apply(&cluster, "tagship", &route([90, 10]));
    assert_eq!(generation(&moved), 2);
    assert_ne!(version(&labelled), version(&moved));
}

#[test]
fn a_replacement_needs_the_version_that_it_replaces() {
    let cluster = with_route();
    let live = stored(&cluster);
    let put = |object: &Value| cluster.act("PUT", &format!("{ROUTES}/churn"), PLAIN, object);
    assert_eq!(put(&route([0, 100])).0, 422, "a kind of a definition is never replaced blindly");
    let mut next = live.clone();
    next["spec"]["rules"][0]["backendRefs"][0]["weight"] = json!(0);
    let (status, after) = put(&next);
    assert_eq!((status, generation(&after)), (200, 2));
    assert_eq!(put(&next).0, 409, "the version is an old one now");
    let owners = after["metadata"]["managedFields"].as_array().unwrap();
    assert!(owners.iter().any(|owner| owner["manager"] == "somebody" && owner["operation"] == "Update"));
    next["metadata"]["name"] = json!("other");
    assert_eq!(put(&next).0, 400);
}

#[test]
fn what_is_deleted_is_gone() {
    let cluster = with_route();
    let path = format!("{ROUTES}/churn");
    let stale = json!({ "preconditions": { "resourceVersion": "1" } });
    assert_eq!(cluster.act("DELETE", &path, PLAIN, &stale).0, 409);
    assert_eq!(cluster.act("DELETE", &path, PLAIN, &json!({ "dryRun": ["All"] })).0, 200);
    let (status, answer) = cluster.act("DELETE", &path, PLAIN, &Value::Null);
    assert_eq!((status, &answer["status"]), (200, &json!("Success")));
    assert_eq!(cluster.act("DELETE", &path, PLAIN, &Value::Null).0, 404);
    let (status, answer) = cluster.act("GET", &path, "", &Value::Null);
    assert_eq!((status, &answer["reason"]), (404, &json!("NotFound")));
    assert_eq!(answer["message"], "httproutes.gateway.networking.k8s.io \"churn\" not found");
}

#[test]
fn lists_select_by_namespace_label_and_name() {
    let cluster = FakeCluster::start();
    for (namespace, name, team) in [("ml", "one", "a"), ("ml", "two", "b"), ("other", "three", "a")] {
        let service = json!({ "metadata": { "name": name, "labels": { "team": team } }, "spec": { "ports": [{ "port": 80 }] } });
        let path = format!("/api/v1/namespaces/{namespace}/services");
        assert_eq!(cluster.act("POST", &path, PLAIN, &service).0, 201);
    }
    let names = |target: &str| -> Vec<String> {
        let (status, list) = cluster.act("GET", target, "", &Value::Null);
        assert_eq!((status, &list["kind"]), (200, &json!("ServiceList")));
        let items = list["items"].as_array().unwrap().iter();
        items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(SERVICES), ["one", "two"]);
    assert_eq!(names(&format!("{SERVICES}?labelSelector=team%3Da")), ["one"]);
    assert_eq!(names(&format!("{SERVICES}?fieldSelector=metadata.name%3Dtwo")), ["two"]);
    assert_eq!(names("/api/v1/services?labelSelector=team%3Da"), ["one", "three"]);
    for wrong in ["labelSelector=team+in+(a)", "fieldSelector=spec.type%3Dx"] {
        assert_eq!(cluster.act("GET", &format!("{SERVICES}?{wrong}"), "", &Value::Null).0, 400, "{wrong}");
    }
}

#[test]
fn it_says_which_kinds_there_are() {
    let cluster = FakeCluster::start();
    let get = |path: &str| cluster.act("GET", path, "", &Value::Null);
    assert_eq!(get("/api").1["versions"], json!(["v1"]));
    let groups = get("/apis").1["groups"].as_array().unwrap().clone();
    let names: Vec<&Value> = groups.iter().map(|group| &group["name"]).collect();
    assert_eq!(
        names,
        [
            "apps",
            "argoproj.io",
            "flagger.app",
            "gateway.networking.k8s.io",
            "serving.knative.dev",
            "serving.kserve.io"
        ]
    );
    let listed = get("/apis/argoproj.io/v1alpha1").1["resources"].as_array().unwrap().clone();
    let names: Vec<&Value> = listed.iter().map(|resource| &resource["name"]).collect();
    assert_eq!(names, ["rollouts", "rollouts/status", "analysisruns"]);
    assert_eq!(get("/apis/networking.istio.io/v1").0, 404);
    assert_eq!(get("/apis/serving.knative.dev/v1/namespaces/ml/services").0, 404);
    assert!(get("/version").1["gitVersion"].is_string());
}

#[test]
fn a_fresh_definition_is_established_after_a_while() {
    let cluster = FakeCluster::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = "spec: { group: example.org, names: { plural: widgets, kind: Widget }, versions: [{ name: v1, served: true }] }";
    std::fs::write(file.path(), text).unwrap();
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.org";
    assert_eq!(cluster.act("GET", path, "", &Value::Null).0, 404);
    cluster.define(file.path());
    let conditions = || cluster.act("GET", path, "", &Value::Null).1["status"]["conditions"].clone();
    assert_eq!(conditions(), Value::Null);
    cluster.advance(2);
    assert_eq!(conditions()[0]["type"], "Established");
}

#[test]
fn what_is_denied_is_said_beforehand_and_refused() {
    let cluster = FakeCluster::start();
    cluster.deny("create", "httproutes.gateway.networking.k8s.io");
    let review = |verb: &str| {
        let attributes = json!({ "namespace": "ml", "verb": verb, "group": "gateway.networking.k8s.io", "resource": "httproutes" });
        let body = json!({ "spec": { "resourceAttributes": attributes } });
        let (status, answer) =
            cluster.act("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", PLAIN, &body);
        assert_eq!(status, 201);
        answer["status"]["allowed"] == true
    };
    assert!(review("patch") && !review("create"));
    assert_eq!(cluster.act("POST", ROUTES, PLAIN, &route([100, 0])).0, 403);
    let path = format!("{ROUTES}/churn?fieldManager=tagship");
    let (status, answer) = cluster.act("PATCH", &path, APPLY, &route([100, 0]));
    assert_eq!(
        (status, &answer["reason"]),
        (403, &json!("Forbidden")),
        "an apply that creates needs that too"
    );
}

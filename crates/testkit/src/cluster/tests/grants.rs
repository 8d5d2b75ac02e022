//! What a Role grants, and owners that a client writes itself.

use serde_json::json;

use super::{APPLY, JSON_PATCH, PLAIN, ROUTES, apply, route, stored, version};
use crate::cluster::FakeCluster;

#[test]
fn rules_with_names_grant_no_making() {
    let cluster = FakeCluster::start();
    let rule = |verbs: &[&str], names: &[&str]| json!({ "apiGroups": ["gateway.networking.k8s.io"], "resources": ["httproutes"], "verbs": verbs, "resourceNames": names });
    cluster.grant(&json!({ "rules": [rule(&["get", "create"], &["churn"])] }));
    let review = |verb: &str, name: &str| {
        let asked = json!({ "verb": verb, "group": "gateway.networking.k8s.io", "resource": "httproutes", "name": name });
        let target = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
        let body = json!({ "spec": { "resourceAttributes": asked } });
        cluster.act("POST", target, PLAIN, &body).1["status"]["allowed"].clone()
    };
    assert_eq!(review("get", "churn"), true);
    assert_eq!(review("get", "other"), false);
    assert_eq!(review("create", ""), false);
    assert_eq!(review("patch", "churn"), false);
    cluster.grant(&json!({ "rules": [rule(&["create"], &[])] }));
    assert_eq!(review("create", ""), true);
}

#[test]
fn who_made_an_object_can_become_its_applier() {
    let cluster = FakeCluster::start();
    assert_eq!(
        cluster.act("POST", &format!("{ROUTES}?fieldManager=tagship"), PLAIN, &route([100, 0])).0,
        201
    );
    assert_eq!(apply(&cluster, "tagship", &route([90, 10])).0, 409, "making and applying are two owners");
    let mut owners = stored(&cluster)["metadata"]["managedFields"].clone();
    owners[0]["operation"] = json!("Apply");
    let change = json!([
        { "op": "test", "path": "/metadata/resourceVersion", "value": version(&stored(&cluster)) },
        { "op": "replace", "path": "/metadata/managedFields", "value": owners },
    ]);
    let target = format!("{ROUTES}/churn?fieldManager=tagship");
    assert_eq!(cluster.act("PATCH", &target, JSON_PATCH, &change).0, 200);
    assert_eq!(cluster.act("PATCH", &target, APPLY, &route([90, 10])).0, 200);
    assert_eq!(stored(&cluster)["metadata"]["managedFields"].as_array().unwrap().len(), 1);
}

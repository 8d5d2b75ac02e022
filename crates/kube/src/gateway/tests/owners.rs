//! What others own or write.

use serde_json::json;
use tagship_ports::{Problem, Target, target::Done};
use tagship_testkit::cluster::FakeCluster;

use super::stage::{ROUTES, Stage, named, version};
use crate::played::Orders as _;

/// Takes the weights over, as a person with kubectl does.
fn steal(cluster: &FakeCluster, weights: [u64; 2]) {
    let weight = |at: usize| format!("/spec/rules/0/backendRefs/{at}/weight");
    let change = json!([
        { "op": "replace", "path": weight(0), "value": weights[0] },
        { "op": "replace", "path": weight(1), "value": weights[1] },
    ]);
    let target = format!("{ROUTES}/churn?fieldManager=kubectl-edit");
    assert_eq!(cluster.act("PATCH", &target, "application/json-patch+json", &change).0, 200);
}

#[tokio::test]
async fn who_takes_the_route_is_named_and_respected() {
    let stage = Stage::new().two_versions().await;
    steal(&stage.cluster, [60, 40]);
    stage.step();
    let shares = stage.shares().await;
    assert_eq!(shares.iter().map(|share| u32::from(share.1)).sum::<u32>(), 100);
    assert_ne!(shares[0].1, 100, "what is, is seen");
    let before = stage.route();
    let error = stage.weight(5, 2, 25).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    assert!(error.message.contains(".spec.rules (\"kubectl-edit\" using"), "{error}");
    assert_eq!(stage.route(), before);
    let back = stage.target.rollback(&stage.order(6), Some(&version(1))).await.unwrap_err();
    assert_eq!(back.problem, Problem::Conflict);
}

#[tokio::test]
async fn shares_of_other_sums_are_seen_in_percent() {
    let stage = Stage::new().two_versions().await;
    steal(&stage.cluster, [1, 1]);
    stage.step();
    assert_eq!(stage.shares().await, [(1, 50, true), (2, 50, true)]);
    steal(&stage.cluster, [0, 0]);
    stage.step();
    assert_eq!(stage.shares().await, [(1, 0, true), (2, 0, true)]);
}

#[tokio::test]
async fn a_route_of_somebody_else_is_left_alone() {
    let stage = Stage::new();
    let route = json!({
        "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "churn" }, "spec": { "parentRefs": [{ "name": "public" }] },
    });
    assert_eq!(stage.cluster.act("POST", ROUTES, "application/json", &route).0, 201);
    let before = stage.cluster.version();
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    assert!(error.to_string().contains("give `route` a name of its own"), "{error}");
    assert_eq!(stage.cluster.version(), before, "nothing was written");
}

#[tokio::test]
async fn one_route_serves_one_model() {
    let stage = Stage::new().two_versions().await;
    let other = tagship_domain::ModelName::new("fraud").unwrap();
    let error = stage.target.observe(&other).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    assert!(error.message.contains("serves model churn"), "{error}");
}

#[tokio::test]
async fn labels_of_others_stay() {
    let stage = Stage::new().two_versions().await;
    let label = json!({ "metadata": { "labels": { "team": "ml" } } });
    let target = format!("{ROUTES}/churn");
    assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &label).0, 200);
    stage.weight(5, 2, 25).await.unwrap();
    assert_eq!(stage.route()["metadata"]["labels"]["team"], "ml");
}

/// Changes the metadata of a Deployment, as a person with kubectl does.
fn touch(cluster: &FakeCluster, number: u8, metadata: &serde_json::Value) {
    let target = format!("/apis/apps/v1/namespaces/ml/deployments/{}", named(number));
    let change = json!({ "metadata": metadata });
    assert_eq!(cluster.act("PATCH", &target, "application/merge-patch+json", &change).0, 200);
}

#[tokio::test]
async fn a_deployment_without_marks_or_labels_is_still_the_versions_own() {
    for metadata in [
        json!({ "annotations": null }),
        json!({ "labels": null }),
        json!({ "labels": { "app.kubernetes.io/managed-by": "Helm" }, "annotations": { "tagship/version": "?" } }),
    ] {
        let stage = Stage::new().two_versions().await;
        stage.weight(5, 2, 25).await.unwrap();
        stage.step();
        touch(&stage.cluster, 1, &metadata);
        stage.step();
        assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)], "{metadata}");
        stage.weight(6, 2, 50).await.unwrap();
        assert_eq!(stage.written(), [(named(1), 50), (named(2), 50)], "stable keeps its share: {metadata}");
        stage.target.rollback(&stage.order(7), Some(&version(1))).await.unwrap();
        stage.step();
        assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)], "{metadata}");
        stage.prepare(8, 1).await.unwrap();
        let object = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
        assert_eq!(object["metadata"]["annotations"]["tagship/version"], "v1.0.0", "marks are renewed");
        assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "tagship");
    }
}

#[tokio::test]
async fn a_deployment_that_nobody_knows_blocks_no_way() {
    let stage = Stage::new().two_versions().await;
    let stranger = json!({
        "metadata": {
            "name": named(3),
            "labels": { "app.kubernetes.io/managed-by": "tagship", "app.kubernetes.io/name": "churn" },
        },
        "spec": {
            "selector": { "matchLabels": { "a": "b" } },
            "template": { "metadata": { "labels": { "a": "b" } }, "spec": { "containers": [{ "name": "x", "image": "x" }] } },
        },
    });
    let target = "/apis/apps/v1/namespaces/ml/deployments";
    assert_eq!(stage.cluster.act("POST", target, "application/json", &stranger).0, 201);
    assert_eq!(stage.shares().await.len(), 2);
    stage.target.rollback(&stage.order(5), Some(&version(1))).await.unwrap();
    let error = stage.prepare(6, 3).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict);
    assert!(error.message.contains("was not made for v3.0.0"), "{error}");
    assert!(stage.cluster.object("services", "ml", &named(3)).is_none(), "nothing was written");
}

#[tokio::test]
async fn what_is_applied_is_owned_under_one_name() {
    let stage = Stage::new().two_versions().await;
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    let owners = stage.route()["metadata"]["managedFields"].clone();
    let ours = owners.as_array().unwrap().iter().find(|owner| owner["manager"] == "tagship").unwrap();
    assert_eq!(ours["operation"], "Apply");
    let spec: Vec<&String> = ours["fieldsV1"]["f:spec"].as_object().unwrap().keys().collect();
    assert_eq!(spec, ["f:hostnames", "f:parentRefs", "f:rules"]);
}

//! Objects and fields of others: named, left alone, and no obstacle on the way back.

use serde_json::json;
use tagship_ports::{Problem, target::Done};
use tagship_testkit::cluster::actors::Rollouts;

use super::stage::{ROLLOUT, Stage};
use crate::played::Orders as _;

const SERVICES: &str = "/api/v1/namespaces/ml/services";

#[tokio::test]
async fn a_service_of_somebody_else_is_not_touched() {
    for name in ["churn-stable", "churn-canary"] {
        let stage = Stage::new(Rollouts::default());
        let spec = json!({ "selector": { "app": "shop" }, "ports": [{ "port": 80 }] });
        let theirs = json!({ "metadata": { "name": name }, "spec": spec });
        let target = format!("{SERVICES}?fieldManager=helm");
        assert_eq!(stage.cluster.act("POST", &target, "application/json", &theirs).0, 201);
        let before = stage.cluster.version();
        let error = stage.prepare(1, 1).await.unwrap_err();
        assert_eq!(error.problem, Problem::Conflict);
        assert!(
            error.message.contains(&format!("Service {name} is not Tagship's; written by helm")),
            "{error}"
        );
        assert_eq!(stage.cluster.version(), before);
    }
}

#[tokio::test]
async fn a_rollout_of_somebody_else_is_not_touched() {
    let stage = Stage::new(Rollouts::default());
    let theirs = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "churn" }, "spec": { "replicas": 1 },
    });
    let target = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts?fieldManager=argocd";
    assert_eq!(stage.cluster.act("POST", target, "application/json", &theirs).0, 201);
    let before = stage.cluster.version();
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert!(error.message.contains("Rollout churn is not Tagship's; written by argocd"), "{error}");
    assert_eq!(stage.cluster.version(), before);
}

#[tokio::test]
async fn what_argo_writes_back_in_its_own_form_is_no_change() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    let rollout = stage.rollout();
    let container = &rollout["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["resources"]["requests"]["cpu"], "1", "written as 1000m");
    let owners = rollout["metadata"]["managedFields"].to_string();
    assert!(owners.contains("rollouts-controller"), "{owners}");
    stage.until(|| stage.weight(5, 2, 50)).await;
    stage.until(|| stage.rollback(6, 1)).await;
    assert_eq!(stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn who_owns_the_same_fields_is_no_obstacle_and_who_changes_them_is_named() {
    for (change, what) in [
        (
            json!({ "template": { "metadata": { "annotations": { "tagship/version": "other" } } } }),
            "of no version",
        ),
        (
            json!({ "template": { "spec": { "containers": [{ "name": "server", "image": "other" }] } } }),
            "something else",
        ),
        (
            json!({ "strategy": { "canary": { "steps": [{ "setWeight": 60 }] } } }),
            "its steps are not Tagship's",
        ),
    ] {
        let stage = Stage::sharing(Rollouts::default(), 25).await;
        stage.meddle("argocd", ROLLOUT, &json!({ "metadata": { "labels": { "team": "a" } } }));
        stage.until(|| stage.weight(5, 2, 30)).await;
        stage.meddle("argocd", ROLLOUT, &json!({ "spec": change }));
        let error = stage.weight(6, 2, 50).await.unwrap_err();
        assert!([Problem::Conflict].contains(&error.problem), "{error}");
        assert!(error.message.contains(what), "{error}");
        assert!(error.message.contains("argocd"), "{error}");
        stage.steps(2);
        stage.until(|| stage.rollback(7, 1)).await;
        assert_eq!(stage.written().0, 1);
        assert_eq!(stage.shares().await[0], (1, 100, true));
    }
}

#[tokio::test]
async fn what_changed_at_rest_is_no_base_for_the_next_version() {
    let stage = Stage::serving(Rollouts::default()).await;
    // Argo takes over the containers with its next write; what else was written stays the other's.
    let pods = json!({ "containers": [{ "name": "server", "image": "other" }] });
    let metadata = json!({ "annotations": { "chart": "churn-2" } });
    let other = json!({ "spec": { "template": { "metadata": metadata, "spec": pods } } });
    stage.meddle("helm", ROLLOUT, &other);
    stage.steps(8);
    let error = stage.prepare(3, 2).await.unwrap_err();
    assert!(error.message.contains("written by helm"), "{error}");
    stage.until(|| stage.rollback(4, 1)).await;
    assert_ne!(stage.prepare(5, 2).await, Ok(Done::AlreadyThere));
}

#[tokio::test]
async fn a_service_that_somebody_deleted_is_made_again_by_the_next_order() {
    for name in ["churn-stable", "churn-canary"] {
        let stage = Stage::sharing(Rollouts::default(), 25).await;
        let target = format!("{SERVICES}/{name}");
        assert_eq!(stage.cluster.act("DELETE", &target, "", &json!(null)).0, 200);
        stage.steps(2);
        stage.until(|| stage.rollback(5, 1)).await;
        assert_eq!(stage.service(name)["spec"]["ports"][0]["targetPort"], 8080);
        assert_eq!(stage.shares().await[0], (1, 100, true));
    }
}

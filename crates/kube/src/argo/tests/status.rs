//! Statuses that are of something else than what is written, or that are refused.

use serde_json::json;
use tagship_ports::{Problem, target::Done};
use tagship_testkit::cluster::{Fault, actors::Rollouts};

use super::stage::{ROLLOUT, Stage};
use crate::played::{self, Orders as _};

async fn ask(stage: &Stage, number: u64) -> String {
    played::ask(stage, &stage.target, number).await.message.unwrap_or_default()
}

#[tokio::test]
async fn before_it_is_observed_the_pods_of_the_version_before_are_not_taken_for_the_new_one() {
    let stage = Stage::serving(Rollouts::slow(2)).await;
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    let rollout = stage.rollout();
    assert_eq!(rollout["status"]["currentPodHash"], rollout["status"]["stableRS"], "nobody has looked yet");
    for _ in 0..4 {
        assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, false)]);
        stage.cluster.forget_requests();
        assert!(ask(&stage, 2).await.contains("no Service leads to pods of v2.0.0"));
        assert!(!stage.cluster.requests().iter().any(|request| request.contains("/infer")));
        assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
        stage.steps(1);
    }
    stage.until(|| stage.prepare(3, 2)).await;
}

#[tokio::test]
async fn a_rollout_that_argo_refuses_fails_and_its_old_pods_are_not_asked() {
    let stage = Stage::serving(Rollouts::default()).await;
    let other = json!({ "metadata": { "annotations": { "argo-rollouts.argoproj.io/managed-by-rollouts": "other" } } });
    stage.meddle("other", "/api/v1/namespaces/ml/services/churn-canary", &other);
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    stage.steps(3);
    let error = stage.prepare(3, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("managed by another Rollout"), "{error}");
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, false)]);
    assert!(ask(&stage, 2).await.contains("no Service leads to pods of v2.0.0"));
    // The way back is written all the same, and nobody's Service was touched.
    assert_eq!(stage.rollback(4, 1).await, Ok(Done::Pending));
    assert_eq!(stage.written().0, 1);
}

#[tokio::test]
async fn pods_that_change_while_they_are_asked_prove_nothing() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    assert_eq!(ask(&stage, 2).await, "");
    stage.cluster.forget_requests();
    stage.cluster.fail_next("POST", "/infer", Fault::Slow(30));
    let asked = ask(&stage, 2);
    let other = async {
        while !stage.cluster.requests().iter().any(|request| request.contains("/infer")) {
            tokio::task::yield_now().await;
        }
        let lead = json!({ "spec": { "selector": stage.service("churn-stable")["spec"]["selector"] } });
        stage.meddle("rollouts-controller", "/api/v1/namespaces/ml/services/churn-canary", &lead);
        stage.cluster.advance(60);
    };
    let (said, ()) = tokio::join!(asked, other);
    assert!(said.contains("no Service leads to pods of v2.0.0"), "{said}");
}

#[tokio::test]
async fn a_share_counts_once_the_router_confirms_it() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    stage.rest(true);
    let told = json!({ "status": { "canary": { "weights": { "verified": false } } } });
    stage.meddle("rollouts-controller", &format!("{ROLLOUT}/status"), &told);
    assert_eq!(stage.weight(4, 2, 25).await, Ok(Done::Pending));
    let error = tagship_ports::Target::observe(&stage.target, &stage.model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending), "the way back waits for nobody");
    assert_eq!(stage.written().0, 1);
}

#[tokio::test]
async fn a_version_that_lost_its_pods_gets_no_more() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    let hash = stage.rollout()["status"]["currentPodHash"].as_str().unwrap().to_owned();
    let path = format!("/apis/apps/v1/namespaces/ml/replicasets/churn-{hash}/status");
    stage.meddle("kube-controller-manager", &path, &json!({ "status": { "availableReplicas": 0 } }));
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, false)]);
    let error = stage.weight(5, 2, 50).await.unwrap_err();
    assert!(error.message.contains("not ready to take 50%"), "{error}");
}

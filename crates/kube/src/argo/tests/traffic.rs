//! Who gets which share, step by step, and what is written for it.

use serde_json::json;
use tagship_ports::{Problem, Target, target::Done};
use tagship_testkit::cluster::actors::Rollouts;

use super::stage::{ROLLOUT, Stage, version};
use crate::played::Orders as _;

#[tokio::test]
async fn the_first_version_is_reached_by_nobody_before_it_is_given_traffic() {
    let stage = Stage::new(Rollouts::slow(1));
    stage.until(|| stage.prepare(1, 1)).await;
    assert_eq!(stage.shares().await, [(1, 0, true)]);
    assert_eq!(stage.service("churn-stable")["spec"]["ports"][0]["targetPort"], "tagship-closed");
    assert_eq!(stage.service("churn-canary")["spec"]["ports"][0]["targetPort"], 8080);
    stage.until(|| stage.weight(2, 1, 100)).await;
    assert_eq!(stage.shares().await, [(1, 100, true)]);
    let service = stage.service("churn-stable");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 8080);
    let keys: Vec<&String> = service["spec"]["selector"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["app", "rollouts-pod-template-hash"], "no key but the template's and Argo's");
}

#[tokio::test]
async fn a_share_that_is_in_force_never_drops_on_the_way_to_more() {
    let stage = Stage::sharing(Rollouts::slow(2), 25).await;
    assert_eq!(stage.weight(5, 2, 60).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (2, vec![25, 60]));
    for _ in 0..12 {
        stage.steps(1);
        let share = stage.shares().await[1].1;
        assert!([25, 60].contains(&share), "{share}");
    }
    assert_eq!(stage.shares().await, [(1, 40, true), (2, 60, true)]);
}

#[tokio::test]
async fn nothing_is_written_when_nothing_is_to_change() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    stage.steps(6);
    let before = stage.cluster.version();
    assert_eq!(stage.weight(4, 2, 25).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.prepare(4, 2).await, Ok(Done::AlreadyThere));
    stage.shares().await;
    assert_eq!(stage.cluster.version(), before);
    stage.until(|| stage.promote(5, 2)).await;
    stage.steps(6);
    let before = stage.cluster.version();
    assert_eq!(stage.promote(5, 2).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.cluster.version(), before);
}

#[tokio::test]
async fn the_way_back_mid_way_is_one_write_and_starts_no_pod() {
    let stage = Stage::sharing(Rollouts::slow(5), 50).await;
    stage.cluster.forget_requests();
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
    let real = |request: &&String| request.starts_with("PATCH") && !request.contains("dryRun");
    assert_eq!(stage.cluster.requests().iter().filter(real).count(), 1);
    // Written back in the controller's form, observed, and led.
    stage.steps(3);
    assert_eq!(stage.shares().await[0], (1, 100, true));
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::AlreadyThere));
}

#[tokio::test]
async fn after_the_promotion_the_version_before_comes_back_once_it_has_pods() {
    let stage = Stage::sharing(Rollouts::slow(2), 50).await;
    stage.until(|| stage.promote(5, 2)).await;
    stage.steps(4);
    assert_eq!(stage.shares().await, [(1, 0, false), (2, 100, true)]);
    let rounds = stage.until(|| stage.rollback(6, 1)).await;
    assert!(rounds > 3, "{rounds}");
    assert_eq!(stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn the_way_back_goes_on_where_a_promotion_was_just_written() {
    let stage = Stage::sharing(Rollouts::default(), 50).await;
    for steps in 0..6 {
        let stage = if steps == 0 { &stage } else { &Stage::sharing(Rollouts::default(), 50).await };
        assert_eq!(stage.promote(5, 2).await, Ok(Done::Pending));
        stage.steps(steps);
        stage.until(|| stage.rollback(6, 1)).await;
        assert_eq!(stage.shares().await[0], (1, 100, true), "after {steps} steps");
        assert_eq!(stage.written().0, 1);
    }
}

#[tokio::test]
async fn an_aborted_way_back_is_written_anew() {
    let stage = Stage::sharing(Rollouts::slow(3), 50).await;
    stage.until(|| stage.promote(5, 2)).await;
    assert_eq!(stage.rollback(6, 1).await, Ok(Done::Pending));
    stage.steps(3);
    stage.meddle(
        "kubectl-argo-rollouts",
        &format!("{ROLLOUT}/status"),
        &json!({ "status": { "abort": true } }),
    );
    stage.steps(1);
    stage.until(|| stage.rollback(6, 1)).await;
    assert_eq!(stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn out_of_service_takes_the_share_of_the_candidate_too() {
    let stage = Stage::sharing(Rollouts::default(), 50).await;
    stage.target.rollback(&stage.order(5), None).await.unwrap();
    stage.steps(8);
    let shares: Vec<u8> = stage.shares().await.iter().map(|(_, share, _)| *share).collect();
    assert_eq!(shares, [0, 0]);
    // A run that comes late lets nobody in.
    let late = stage.target.promote(&stage.order(4), &version(1)).await.unwrap_err();
    assert_eq!(late.problem, Problem::Fenced);
}

#[tokio::test]
async fn what_was_unloaded_is_remembered_by_its_last_order() {
    let stage = Stage::serving(Rollouts::default()).await;
    stage.target.rollback(&stage.order(5), None).await.unwrap();
    assert_eq!(stage.cleanup(6, 1).await, Ok(Done::Applied));
    assert!(stage.cluster.object("rollouts.argoproj.io", "ml", "churn").is_none());
    let late = stage.prepare(4, 1).await.unwrap_err();
    assert_eq!(late.problem, Problem::Fenced);
    stage.until(|| stage.prepare(7, 2)).await;
    assert_eq!(stage.shares().await, [(2, 0, true)]);
}

#[tokio::test]
async fn a_first_version_without_pods_fails_and_is_taken_away() {
    let stage = Stage::new(Rollouts::failing("v1.0.0"));
    assert_eq!(stage.prepare(1, 1).await, Ok(Done::Pending));
    stage.steps(12);
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("ProgressDeadlineExceeded"), "{error}");
    assert_eq!(stage.shares().await, [(1, 0, false)]);
    assert_eq!(stage.cleanup(2, 1).await, Ok(Done::Applied));
    stage.steps(1);
    assert_eq!(stage.shares().await, []);
}

#[tokio::test]
async fn a_version_is_called_as_its_pods_are() {
    let stage = Stage::sharing(Rollouts::default(), 25).await;
    let mut names = vec![];
    for number in [1, 2] {
        let backend = stage.target.backend(&stage.model, &version(number)).await.unwrap().unwrap();
        assert_eq!(backend.namespace, "ml");
        let pods = stage.cluster.object("replicasets.apps", "ml", &backend.name).expect("a ReplicaSet");
        let annotations = &pods["spec"]["template"]["metadata"]["annotations"];
        let told =
            annotations.as_object().unwrap().values().any(|value| *value == version(number).to_string());
        assert!(told, "{annotations}");
        names.push(backend.name);
    }
    assert_ne!(names[0], names[1]);
    let unknown = stage.target.backend(&stage.model, &version(9)).await.unwrap_err();
    assert_eq!(unknown.problem, Problem::NotFound);
}

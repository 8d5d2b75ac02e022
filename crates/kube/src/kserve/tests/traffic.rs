//! The ways forward and back, with what is written at each step.

use serde_json::{Value, json};
use tagship_ports::{Problem, Target, target::Done};
use tagship_testkit::cluster::{Fault, actors::InferenceServices};

use super::stage::{SERVICE, Stage, loadable};
use crate::played::Orders as _;

#[tokio::test]
async fn the_first_version_is_not_reached_before_it_is_given_traffic() {
    let stage = Stage::new(InferenceServices::slow(1));
    assert_eq!(stage.prepare(1, 1).await, Ok(Done::Pending));
    assert_eq!(stage.promote(1, 1).await, Ok(Done::Pending), "it is not ready");
    stage.steps(2);
    assert_eq!(stage.service()["metadata"]["labels"]["networking.kserve.io/visibility"], "cluster-local");
    assert_eq!(stage.shares().await, [(1, 0, true)]);
    stage.until(|| stage.promote(2, 1)).await;
    assert_eq!(stage.service()["metadata"]["labels"].get("networking.kserve.io/visibility"), None);
    assert_eq!(stage.traffic(), [(1, 100)], "showing it makes no new revision");
}

#[tokio::test]
async fn each_version_is_called_by_its_revision() {
    let stage = Stage::sharing(InferenceServices::slow(1), 25).await;
    for (number, revision) in [(1, "churn-predictor-00001"), (2, "churn-predictor-00002")] {
        let version = loadable(number).version;
        let backend = stage.target.backend(&stage.model, &version).await.unwrap().unwrap();
        assert_eq!((backend.namespace.as_str(), backend.name.as_str()), ("ml", revision));
    }
    let unknown = stage.target.backend(&stage.model, &loadable(9).version).await.unwrap_err();
    assert_eq!(unknown.problem, Problem::NotFound);
}

#[tokio::test]
async fn a_candidate_is_loaded_with_nothing_and_takes_all_at_last() {
    let stage = Stage::serving(InferenceServices::slow(2)).await;
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (2, json!(0)), "address and share are one write");
    stage.steps(1);
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, false)]);
    let error = stage.weight(4, 2, 25).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable, "not before it is ready: {error}");
    stage.until(|| stage.prepare(3, 2)).await;
    stage.until(|| stage.weight(4, 2, 25)).await;
    assert_eq!(stage.traffic(), [(2, 25), (1, 75)]);
    stage.until(|| stage.promote(5, 2)).await;
    assert_eq!(stage.written(), (2, Value::Null), "the share is dropped once everything is there");
    stage.until(|| stage.cleanup(6, 1)).await;
    assert_eq!(stage.traffic(), [(2, 100)]);
    assert_eq!(stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn the_way_back_has_four_steps_and_the_bad_version_gets_nothing_on_it() {
    let stage = Stage::sharing(InferenceServices::slow(2), 25).await;
    let mut seen = Vec::new();
    for _ in 0..20 {
        let done = stage.rollback(5, 1).await.unwrap();
        seen.push(stage.written());
        stage.steps(1);
        let bad = stage.traffic().iter().find(|(revision, _)| *revision == 2).map(|share| share.1);
        assert!([None, Some(0)].contains(&bad), "{seen:?}");
        if done != Done::Pending {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen, [(2, json!(0)), (1, json!(0)), (1, json!(100)), (1, Value::Null)]);
    assert_eq!(stage.traffic(), [(3, 100)]);
    stage.until(|| stage.cleanup(6, 2)).await;
    assert_eq!(stage.shares().await, [(1, 100, true)]);
    // The next candidate finds everything at rest.
    stage.until(|| stage.prepare(7, 3)).await;
    assert_eq!(stage.traffic(), [(4, 0), (3, 100)]);
}

#[tokio::test]
async fn after_a_promotion_a_share_alone_leads_back() {
    let stage = Stage::sharing(InferenceServices::slow(1), 50).await;
    stage.until(|| stage.promote(5, 2)).await;
    assert_eq!(stage.rollback(6, 1).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (2, json!(0)));
    stage.steps(1);
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    stage.until(|| stage.rollback(6, 1)).await;
    stage.until(|| stage.cleanup(7, 2)).await;
    assert_eq!(stage.written(), (1, Value::Null));
    assert_eq!(stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_version_that_is_no_longer_kept_is_loaded_again_before_it_serves() {
    let stage = Stage::sharing(InferenceServices::slow(1), 50).await;
    stage.until(|| stage.promote(5, 2)).await;
    stage.until(|| stage.prepare(6, 3)).await;
    stage.until(|| stage.promote(7, 3)).await;
    assert_eq!(stage.rollback(8, 1).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (1, json!(0)));
    stage.steps(1);
    stage.until(|| stage.rollback(8, 1)).await;
    assert_eq!(stage.written(), (1, Value::Null));
    let shares = stage.shares().await;
    assert!(shares.contains(&(1, 100, true)), "{shares:?}");
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_is_told_and_makes_room() {
    let bad = "02".repeat(32);
    let stage = Stage::serving(InferenceServices::failing(&bad)).await;
    stage.prepare(3, 2).await.unwrap();
    stage.steps(2);
    let error = stage.prepare(3, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    assert!(error.message.contains("ModelLoadFailed"), "{error}");
    stage.until(|| stage.rollback(4, 1)).await;
    stage.until(|| stage.cleanup(5, 2)).await;
    assert_eq!(stage.written(), (1, Value::Null));
    assert_eq!(stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_rest_that_goes_to_the_version_before_is_seen_and_undone() {
    let stage = Stage::serving(InferenceServices::racing()).await;
    stage.steps(2);
    stage.until(|| stage.prepare(3, 2)).await;
    stage.until(|| stage.promote(4, 2)).await;
    stage.steps(2);
    stage.prepare(5, 3).await.unwrap();
    stage.steps(2);
    let error = stage.prepare(5, 3).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert!(error.message.contains("instead of"), "{error}");
    assert_eq!(stage.weight(6, 3, 25).await.unwrap_err().problem, Problem::Conflict);
    stage.until(|| stage.rollback(7, 2)).await;
    let shares = stage.shares().await;
    assert!(shares.contains(&(2, 100, true)), "{shares:?}");
}

#[tokio::test]
async fn what_is_done_already_writes_nothing_and_a_step_takes_few_requests() {
    let stage = Stage::sharing(InferenceServices::default(), 25).await;
    let version = stage.cluster.version();
    assert_eq!(stage.weight(4, 2, 25).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.cluster.version(), version);
    stage.cluster.forget_requests();
    stage.weight(5, 2, 50).await.unwrap();
    let requests = stage.cluster.requests();
    assert!(requests.len() <= 12, "{requests:?}");
    let mut writes =
        requests.iter().filter(|request| request.starts_with("PATCH") && request.contains(SERVICE));
    assert!(writes.all(|write| write.contains("fieldValidation=Strict") && !write.contains("force")));
}

#[tokio::test]
async fn a_run_that_ends_between_its_two_writes_leaves_nothing_that_the_next_cannot_go_on_from() {
    let stage = Stage::serving(InferenceServices::slow(1)).await;
    // What loads a version is rehearsed by a request of the same kind.
    let cut = |spared: usize| stage.cluster.fail_after("PATCH", SERVICE, spared, Fault::CutBefore);
    cut(1);
    assert!(stage.prepare(3, 2).await.unwrap_err().may_pass());
    assert_eq!(stage.shares().await, [(1, 100, true)], "it is remembered, and not told as loaded");
    stage.until(|| stage.prepare(3, 2)).await;
    cut(0);
    assert!(stage.weight(4, 2, 25).await.unwrap_err().may_pass());
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    stage.until(|| stage.weight(4, 2, 25)).await;
    cut(0);
    assert!(stage.rollback(5, 1).await.unwrap_err().may_pass());
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
    stage.steps(1);
    cut(1);
    assert!(stage.rollback(5, 1).await.unwrap_err().may_pass());
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    stage.until(|| stage.rollback(5, 1)).await;
    stage.until(|| stage.cleanup(6, 2)).await;
    stage.cluster.fail_next("DELETE", SERVICE, Fault::CutBefore);
    assert!(stage.target.rollback(&stage.order(7), None).await.unwrap_err().may_pass());
    assert_eq!(stage.shares().await, [(1, 100, true)]);
    assert_eq!(stage.target.rollback(&stage.order(7), None).await, Ok(Done::Applied));
    assert_eq!(stage.shares().await, []);
    let late = stage.prepare(6, 1).await.unwrap_err();
    assert_eq!(late.problem, Problem::Fenced, "what is remembered outlives the InferenceService");
}

#[tokio::test]
async fn a_late_run_that_has_looked_already_moves_nothing() {
    let stage = Stage::sharing(InferenceServices::default(), 25).await;
    stage.cluster.forget_requests();
    // The first one is slow: somebody newer writes between its looking and its writing.
    stage.cluster.fail_after("PATCH", "configmaps/churn-tagship", 0, Fault::Slow(30));
    let late = stage.weight(5, 2, 50);
    let newer = async {
        let is_slow = |request: &String| request.starts_with("PATCH") && request.contains("configmaps");
        while !stage.cluster.requests().iter().any(is_slow) {
            tokio::task::yield_now().await;
        }
        let done = stage.rollback(6, 1).await;
        stage.cluster.advance(60);
        done
    };
    let (late, newer) = tokio::join!(late, newer);
    assert_eq!((late.unwrap_err().problem, newer), (Problem::Fenced, Ok(Done::Pending)));
    assert_eq!(stage.written(), (2, json!(0)));
}

#[tokio::test]
async fn a_stable_version_that_cannot_be_loaded_again_serves_by_the_revision_that_was_kept() {
    let stage = Stage::sharing(InferenceServices::slow(1), 25).await;
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
    stage.steps(1);
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
    let lost = json!({ "transitionStatus": "BlockedByFailedLoad", "lastFailureInfo": { "reason": "ModelLoadFailed" } });
    let target = format!("{SERVICE}/status?fieldManager=kserve");
    let told = json!({ "status": { "modelStatus": lost } });
    assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &told).0, 200);
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::AlreadyThere));
    assert!(stage.shares().await.contains(&(1, 100, true)));
    assert_eq!(stage.written(), (1, json!(0)), "nothing gives everything to what is not there");
}

#[tokio::test]
async fn a_candidate_that_never_gets_a_revision_holds_no_way_back_up() {
    let stage = Stage::serving(InferenceServices::default()).await;
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    assert_eq!(stage.rollback(4, 1).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.cleanup(5, 2).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (2, json!(0)), "its revision would be taken for the stable one's");
    stage.steps(1);
    stage.until(|| stage.cleanup(5, 2)).await;
    assert_eq!(stage.written().0, 1);
    stage.until(|| stage.rollback(6, 1)).await;
    assert_eq!(stage.written(), (1, Value::Null));
}

#[tokio::test]
async fn where_the_stable_version_has_everything_already_there_is_nothing_to_give_back() {
    let stage = Stage::serving(InferenceServices::default()).await;
    let lost = json!({ "status": { "modelStatus": { "transitionStatus": "BlockedByFailedLoad" } } });
    let target = format!("{SERVICE}/status?fieldManager=kserve");
    assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &lost).0, 200);
    assert_eq!(stage.rollback(3, 1).await, Ok(Done::AlreadyThere));
}

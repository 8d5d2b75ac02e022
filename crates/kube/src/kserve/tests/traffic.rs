//! The ways forward and back, with what is written at each step.

use serde_json::{Value, json};
use tagship_ports::{Problem, target::Done};
use tagship_testkit::cluster::actors::InferenceServices;

use super::stage::{SERVICE, Stage};

#[tokio::test]
async fn the_first_version_is_not_reached_before_it_is_given_traffic() {
    let stage = Stage::new(InferenceServices::slow(1));
    assert_eq!(stage.prepare(1, 1).await, Ok(Done::Pending));
    stage.steps(2);
    assert_eq!(stage.service()["metadata"]["labels"]["networking.kserve.io/visibility"], "cluster-local");
    assert_eq!(stage.shares().await, [(1, 0, true)]);
    stage.until(|| stage.promote(2, 1)).await;
    assert_eq!(stage.service()["metadata"]["labels"].get("networking.kserve.io/visibility"), None);
    assert_eq!(stage.traffic(), [(1, 100)], "showing it makes no new revision");
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
    assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
    assert_eq!(stage.written(), (2, json!(0)));
    stage.until(|| stage.rollback(5, 1)).await;
    assert_eq!(stage.traffic(), [(2, 0), (1, 100)]);
    let mut seen = vec![stage.written()];
    for _ in 0..20 {
        let done = stage.cleanup(6, 2).await.unwrap();
        seen.push(stage.written());
        stage.steps(1);
        assert_eq!(stage.shares().await.iter().find(|(number, ..)| *number == 1).map(|arm| arm.1), Some(100));
        if done != Done::Pending {
            break;
        }
    }
    seen.dedup();
    assert_eq!(seen, [(2, json!(0)), (1, json!(0)), (1, json!(100)), (1, Value::Null)]);
    assert_eq!(stage.traffic(), [(3, 100)]);
    assert_eq!(stage.shares().await, [(1, 100, true)]);
    // The next candidate finds everything at rest.
    stage.until(|| stage.prepare(7, 3)).await;
    assert_eq!(stage.traffic(), [(4, 0), (3, 100)]);
}

#[tokio::test]
async fn after_a_promotion_a_share_alone_leads_back() {
    let stage = Stage::sharing(InferenceServices::slow(1), 50).await;
    stage.until(|| stage.promote(5, 2)).await;
    stage.until(|| stage.rollback(6, 1)).await;
    assert_eq!(stage.written(), (2, json!(0)));
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
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

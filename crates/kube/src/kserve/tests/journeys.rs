//! Whole rollouts on the played API, led by the real driver: the right end in bounded time, whatever happens on the way.

use std::cell::Cell;

use serde_json::{Value, json};
use tagship_domain::rollout::Phase;
use tagship_testkit::cluster::{Fault, actors::InferenceServices};

use super::stage::{SERVICE, Stage, digest};
use crate::played::{Journey, Orders as _, Runs, canary, flip, is_at};

/// The first version serves.
async fn journey(controller: InferenceServices) -> Journey<Stage> {
    Journey::new(Stage::new(controller)).await
}

#[tokio::test]
async fn a_canary_is_promoted_and_nothing_is_left_on_the_way() {
    let journey = journey(InferenceServices::slow(2)).await;
    let end = journey.lead(2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), (2, Value::Null));
    assert_eq!(journey.stage.shares().await, [(2, 100, true)], "the version from before is unloaded");
}

#[tokio::test]
async fn blue_green_flips() {
    let journey = journey(InferenceServices::slow(1)).await;
    let end = journey.lead(2, flip(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_fails_without_traffic_and_makes_room() {
    let journey = journey(InferenceServices::failing(digest(2).hex())).await;
    let end = journey
        .lead(2, canary(), |stage, _| {
            assert!(stage.traffic().iter().all(|(revision, share)| *revision != 2 || *share == 0));
        })
        .await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("ModelLoadFailed"), "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
    // The stable address is back, and the revision that was kept still has everything; the next rollout goes on from there.
    assert_eq!(journey.stage.written(), (1, json!(0)));
    let end = journey.lead(3, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), (3, Value::Null));
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
}

#[tokio::test]
async fn a_status_that_tells_of_a_broken_model_leads_back_in_four_steps() {
    let journey = journey(InferenceServices::breaking(digest(2).hex(), 4)).await;
    let end = journey.lead(2, canary(), |_, _| {});
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.written(), (1, Value::Null));
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing_about_the_end() {
    let journey = journey(InferenceServices::slow(1)).await;
    let tick = Cell::new(0);
    let end = journey.lead(2, canary(), |stage, _| {
        stage.cluster.recover();
        tick.set(tick.get() + 1);
        if tick.get() % 2 == 0 {
            stage.cluster.fail_next("PATCH", "churn", Fault::CutAfter);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn requests_that_never_arrive_change_nothing_about_the_end() {
    let journey = journey(InferenceServices::default()).await;
    let tick = Cell::new(0);
    let end = journey.lead(2, canary(), |stage, _| {
        stage.cluster.recover();
        tick.set(tick.get() + 1);
        if tick.get() % 3 != 0 {
            stage.cluster.fail_next("PATCH", "inferenceservices/churn", Fault::CutBefore);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn who_takes_the_share_over_is_named_and_a_person_is_needed() {
    let journey = journey(InferenceServices::default()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let change = json!({ "spec": { "predictor": { "canaryTrafficPercent": 60 } } });
            let target = format!("{SERVICE}?fieldManager=kubectl-edit");
            assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &change).0, 200);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.message.contains("kubectl-edit"), "{}", end.message);
}

#[tokio::test]
async fn a_revision_that_never_gets_ready_fails_it_without_traffic() {
    let journey = journey(InferenceServices::stalling(digest(2).hex())).await;
    let end = journey
        .lead(2, canary(), |stage, _| {
            assert!(stage.traffic().iter().all(|(revision, share)| *revision != 2 || *share == 0));
        })
        .await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("got no traffic"), "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn a_controller_that_stops_is_not_believed_and_time_runs_out() {
    let journey = journey(InferenceServices::default()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        // It looks again once the way back has begun.
        stage.rest(is_at(state, 25) && state.phase == Phase::Progressing);
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn pods_that_are_lost_at_a_quarter_lead_back_although_the_status_calls_them_ready() {
    let journey = journey(InferenceServices::default()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            let lost = json!({ "error": "no pod" });
            stage.cluster.serve("churn-predictor-00002-private", 503, lost);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("not ready"), "{}", end.message);
    assert_eq!(journey.stage.written(), (1, Value::Null));
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn two_runs_at_once_do_what_one_does() {
    let journey = journey(InferenceServices::slow(1)).await;
    let runs = Runs { in_pairs: true, ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), (2, Value::Null));
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn a_newer_version_takes_the_place_of_one_that_goes_back_first() {
    let journey = journey(InferenceServices::slow(1)).await;
    let runs = Runs { newer: Some(3), ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Superseded, "{}", end.message);
    assert_eq!(journey.stage.written(), (1, Value::Null));
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
    let end = journey.lead(3, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
}

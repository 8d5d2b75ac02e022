//! Whole rollouts on the played API, led by the real driver: the right end in bounded time, whatever happens on the way.

use std::cell::Cell;

use serde_json::json;
use tagship_domain::rollout::Phase;
use tagship_testkit::cluster::{Fault, actors::Rollouts};

use super::stage::{ROLLOUT, Stage, digest};
use crate::played::{Journey, Orders as _, Runs, canary, flip, is_at};

/// The first version serves.
async fn journey(controller: Rollouts) -> Journey<Stage> {
    Journey::new(Stage::new(controller)).await
}

#[tokio::test]
async fn a_canary_is_promoted_and_nothing_is_left_on_the_way() {
    let journey = journey(Rollouts::slow(2)).await;
    let end = journey.lead(2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), (2, vec![100]));
    assert_eq!(journey.stage.shares().await, [(2, 100, true)], "the version from before is unloaded");
}

#[tokio::test]
async fn blue_green_flips() {
    let journey = journey(Rollouts::slow(1)).await;
    let end = journey.lead(2, flip(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn a_version_without_pods_fails_without_traffic_and_makes_room() {
    let journey = journey(Rollouts::failing(digest(2).hex())).await;
    let end = journey
        .lead(2, canary(), |stage, _| {
            let weights = &stage.rollout()["status"]["canary"]["weights"];
            assert_eq!(weights["canary"]["weight"], 0, "{weights}");
        })
        .await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("ProgressDeadlineExceeded"), "{}", end.message);
    journey.stage.steps(6);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
    let end = journey.lead(3, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
}

#[tokio::test]
async fn a_server_that_is_gone_mid_way_leads_back_at_once() {
    let journey = journey(Rollouts::slow(1)).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            stage.cluster.serve("churn-canary", 503, json!({ "error": "no pod" }));
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("not ready"), "{}", end.message);
    assert_eq!(journey.stage.written().0, 1);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn who_aborts_it_by_hand_has_it_rolled_back_and_the_next_one_goes_on() {
    let journey = journey(Rollouts::default()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            stage.meddle(
                "kubectl-argo-rollouts",
                &format!("{ROLLOUT}/status"),
                &json!({ "status": { "abort": true } }),
            );
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
    let end = journey.lead(3, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing_about_the_end() {
    for fault in [Fault::CutAfter, Fault::CutBefore] {
        let journey = journey(Rollouts::slow(1)).await;
        let tick = Cell::new(0);
        let end = journey.lead(2, canary(), |stage, _| {
            stage.cluster.recover();
            tick.set(tick.get() + 1);
            if tick.get() % 3 != 0 {
                stage.cluster.fail_next("PATCH", "churn", fault.clone());
            }
        });
        let end = end.await;
        assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
        assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
    }
}

#[tokio::test]
async fn who_ships_something_else_is_overwritten_on_the_way_back() {
    let journey = journey(Rollouts::default()).await;
    let has_meddled = Cell::new(false);
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && !has_meddled.replace(true) {
            let other = json!([{ "name": "server", "image": "registry.example.org/server:other" }]);
            let metadata = json!({ "annotations": { "chart": "churn-2" } });
            let change =
                json!({ "spec": { "template": { "metadata": metadata, "spec": { "containers": other } } } });
            stage.meddle("helm", ROLLOUT, &change);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("helm"), "{}", end.message);
    assert_eq!(journey.stage.written().0, 1);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_controller_that_stops_is_not_believed_and_time_runs_out() {
    let journey = journey(Rollouts::default()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        let waits = state.phase != Phase::RollingBack;
        stage.rest(is_at(state, 25) && waits);
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn two_runs_at_once_do_what_one_does() {
    let journey = journey(Rollouts::slow(1)).await;
    let runs = Runs { in_pairs: true, ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn a_newer_version_takes_the_place_of_one_that_goes_back_first() {
    let journey = journey(Rollouts::slow(1)).await;
    let runs = Runs { newer: Some(3), ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Superseded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
    let end = journey.lead(3, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(3, 100, true)]);
}

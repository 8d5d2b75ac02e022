//! Whole rollouts on the played API, led by the real driver: the right end in bounded time, whatever happens on the way.

use tagship_domain::rollout::Phase;
use tagship_testkit::cluster::{
    Fault,
    actors::{Deployments, Gateway},
};

use super::stage::{ROUTES, Stage, named};
use crate::played::{Journey, Orders as _, canary, flip, is_at};

#[tokio::test]
async fn a_canary_is_promoted() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), [(named(2), 100)]);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)], "the version from before is unloaded");
}

#[tokio::test]
async fn blue_green_flips() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, flip(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn pods_that_never_come_fail_it_without_traffic() {
    let journey = Journey::new(Stage::new()).await;
    journey.stage.play(vec![Box::new(Deployments::failing(&named(2))), Box::new(Gateway::named("public"))]);
    let end = journey
        .lead(2, canary(), |stage, _| {
            assert!(stage.written().iter().all(|(_, weight)| [0, 100].contains(weight)));
        })
        .await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("ProgressDeadlineExceeded"), "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn nodes_that_are_lost_at_a_quarter_lead_back() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            stage.play(vec![
                Box::new(Deployments::without_pods(&named(2), 2)),
                Box::new(Gateway::named("public")),
            ]);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("not ready"), "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn a_gateway_that_lies_is_not_believed_and_time_runs_out() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let mut liar = Gateway::named("public");
            liar.lies = true;
            stage.play(vec![Box::new(Deployments::default()), Box::new(liar)]);
        }
        if state.phase == Phase::RollingBack {
            stage.play(vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))]);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing_about_the_end() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, canary(), |stage, _| {
        stage.cluster.fail_next("PATCH", "churn", Fault::CutAfter);
        stage.cluster.fail_next("DELETE", "churn", Fault::CutAfter);
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), [(named(2), 100)]);
}

#[tokio::test]
async fn who_steals_the_route_is_named_and_a_person_is_needed() {
    let journey = Journey::new(Stage::new()).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let change = serde_json::json!([{ "op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 60 }]);
            let target = format!("{ROUTES}/churn?fieldManager=kubectl-edit");
            assert_eq!(stage.cluster.act("PATCH", &target, "application/json-patch+json", &change).0, 200);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.message.contains("kubectl-edit"), "{}", end.message);
}

//! The first version in Standard mode: it has traffic once something leads to it, and not before.

use serde_json::{Value, json};
use tagship_domain::Duration;
use tagship_ports::{Target, target::Done};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Gateway, StandardServices},
};

use super::{
    stage::{GATEWAY, SERVICE, Stage},
    standard::{serving, stage},
};
use crate::played::Journey;
use crate::played::Orders as _;

/// Version 1 is loaded, and was let in.
async fn shown(stage: Stage) -> Stage {
    stage.until(|| stage.prepare(1, 1)).await;
    assert_eq!(stage.promote(2, 1).await, Ok(Done::Pending));
    assert_eq!(stage.service()["metadata"]["labels"].get("networking.kserve.io/visibility"), None);
    stage
}

fn route(stage: &Stage) -> Option<Value> {
    stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn")
}

/// Nothing is in force, however often one looks.
async fn is_pending(stage: &Stage) {
    for _ in 0..3 {
        assert_eq!(stage.promote(2, 1).await, Ok(Done::Pending));
        assert_eq!(stage.shares().await, [(1, 0, true)]);
    }
}

#[tokio::test]
async fn it_has_nothing_before_its_route_is_there_and_its_gateway_has_taken_it() {
    for lies in [false, true] {
        let mut gateway = Gateway::named(GATEWAY);
        (gateway.delay, gateway.lies) = (2, lies);
        let stage = Stage::behind(gateway, FakeCluster::start(), StandardServices::splitting(0));
        let stage = shown(stage).await;
        assert_eq!(route(&stage), None);
        is_pending(&stage).await;
        for _ in 0..2 {
            stage.steps(1);
            assert!(route(&stage).is_some());
            is_pending(&stage).await;
        }
        stage.steps(8);
        if lies {
            is_pending(&stage).await;
        } else {
            assert_eq!(stage.promote(2, 1).await, Ok(Done::AlreadyThere));
            assert_eq!(stage.shares().await, [(1, 100, true)]);
        }
    }
}

#[tokio::test]
async fn a_rollout_waits_for_the_gateway() {
    let mut gateway = Gateway::named(GATEWAY);
    gateway.delay = 4;
    // The rollout of the first version ends well, with all traffic at it.
    let stage = Stage::behind(gateway, FakeCluster::start(), StandardServices::splitting(1));
    let route = route(&Journey::new(stage).await.stage).unwrap();
    let taken = &route["status"]["parents"][0]["conditions"][0]["observedGeneration"];
    assert_eq!(*taken, route["metadata"]["generation"], "not before the gateway had taken it");
}

#[tokio::test]
async fn what_a_gateway_had_taken_stays_in_force_while_the_route_is_written_anew() {
    let stage = serving(StandardServices::splitting(0)).await;
    let target = "/apis/gateway.networking.k8s.io/v1/namespaces/ml/httproutes/churn?fieldManager=kserve";
    let change = json!({ "spec": { "hostnames": ["churn.example.org"] } });
    assert_eq!(stage.cluster.act("PATCH", target, "application/merge-patch+json", &change).0, 200);
    assert_eq!(stage.shares().await, [(1, 100, true)]);
    assert_eq!(stage.promote(3, 1).await, Ok(Done::AlreadyThere));
}

#[tokio::test]
async fn where_no_routes_are_written_it_has_all_after_a_minute_unless_the_status_objects() {
    let stage = shown(stage(StandardServices::ignoring())).await;
    is_pending(&stage).await;
    stage.time.advance(Duration::from_secs(59));
    is_pending(&stage).await;
    stage.time.advance(Duration::from_secs(1));
    let says = |status: &str| {
        let condition =
            json!({ "type": "IngressReady", "status": status, "reason": "Predictor Deployment NotReady" });
        let told = json!({ "status": { "conditions": [condition] } });
        let target = format!("{SERVICE}/status?fieldManager=kserve");
        assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &told).0, 200);
    };
    says("False");
    assert_eq!(stage.promote(2, 1).await, Ok(Done::Pending));
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert!(
        error.message.contains("KServe says IngressReady is False: Predictor Deployment NotReady"),
        "{error}"
    );
    says("True");
    assert_eq!(stage.promote(2, 1).await, Ok(Done::AlreadyThere));
    assert_eq!(stage.shares().await, [(1, 100, true)]);
}

//! Standard mode: canaries whose share counts only where the route carries it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tagship_domain::{Duration, rollout::Phase};
use tagship_ports::{
    Problem, Target, conformance,
    target::{Done, Needs},
};
use tagship_testkit::cluster::{FakeCluster, Fault, actors::StandardServices};

use super::{
    super::{access, settings::Mode},
    stage::{MANIFEST, SERVICE, Stage, digest, loadable, open, settings},
};
use crate::played::{Journey, Orders as _, Runs, canary, flip, is_at};

pub(super) fn stage(controller: StandardServices) -> Stage {
    Stage::standard(FakeCluster::start(), controller)
}

/// Version 1 serves. Fences up to 2 are used.
pub(super) async fn serving(controller: StandardServices) -> Stage {
    let stage = stage(controller);
    stage.until(|| stage.prepare(1, 1)).await;
    stage.until(|| stage.promote(2, 1)).await;
    stage
}

pub(super) fn pods(number: u8) -> String {
    format!("churn-v{}-predictor", &digest(number).hex()[..8])
}

/// What is written of canaries: share and name of the pods.
pub(super) fn written(stage: &Stage) -> Vec<(u64, String)> {
    let canaries = stage.service()["spec"]["canary"].as_array().cloned().unwrap_or_default();
    let one = |canary: &Value| {
        let name = canary["predictor"]["name"].as_str().unwrap();
        (canary["trafficPercent"].as_u64().unwrap(), format!("churn-{name}-predictor"))
    };
    canaries.iter().map(one).collect()
}

#[tokio::test]
async fn it_does_what_every_target_must() {
    for steps in [0, 2] {
        let stage = stage(StandardServices::splitting(steps));
        conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    }
}

#[tokio::test]
async fn each_version_is_called_by_the_service_of_its_pods() {
    let stage = serving(StandardServices::splitting(0)).await;
    stage.until(|| stage.prepare(3, 2)).await;
    for number in [1, 2] {
        let version = loadable(number).version;
        let backend = stage.target.backend(&stage.model, &version).await.unwrap().unwrap();
        assert_eq!((backend.namespace.as_str(), backend.name), ("ml", pods(number)));
    }
}

#[tokio::test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
async fn it_does_so_with_the_definition_of_the_project() {
    let folder = std::env::var_os("TAGSHIP_CRDS").map(PathBuf::from);
    let folder = folder.expect("TAGSHIP_CRDS names a folder with the definitions of the projects");
    for file in ["kserve-inferenceservices.full.yaml", "kserve-inferenceservices.min.yaml"] {
        let cluster = FakeCluster::start();
        cluster.define(&folder.join(file));
        cluster.define(&folder.join("gateway-api-httproutes.yaml"));
        let stage = Stage::standard(cluster, StandardServices::splitting(1));
        conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    }
}

#[tokio::test]
async fn the_role_grants_what_is_done_and_nothing_else() {
    let stage = stage(StandardServices::splitting(1));
    let role = access("ml", "churn", Mode::Standard, false).role();
    stage.cluster.grant(&role);
    stage.target.check(Needs { weights: true, ..Needs::default() }).await.unwrap();
    conformance::target(&stage.target, &stage.clock(), &stage.model, &loadable(1), &loadable(2)).await;
    let used = stage.cluster.uses();
    assert!(
        used.contains(&("get".to_owned(), "httproutes.gateway.networking.k8s.io".to_owned())),
        "{used:?}"
    );
    assert!(used.iter().all(|(_, kind)| !kind.starts_with("revisions")), "{used:?}");
}

#[tokio::test]
async fn shares_are_those_of_the_route_and_unloading_puts_the_canary_in_the_place_of_the_stable_version() {
    let stage = serving(StandardServices::splitting(0)).await;
    stage.until(|| stage.prepare(3, 2)).await;
    assert_eq!(written(&stage), [(0, pods(2))]);
    assert_eq!(stage.weight(4, 2, 25).await, Ok(Done::Pending));
    // The status repeats at once what is written; the route does not.
    assert_eq!(written(&stage), [(25, pods(2))]);
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    stage.until(|| stage.weight(4, 2, 25)).await;
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
    stage.until(|| stage.promote(5, 2)).await;
    assert_eq!(stage.shares().await, [(1, 0, true), (2, 100, true)]);
    stage.until(|| stage.cleanup(6, 1)).await;
    assert_eq!((written(&stage), stage.written().0), (vec![], 2));
    stage.steps(1);
    assert_eq!(stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn without_a_route_that_carries_it_a_canary_is_refused_before_any_share() {
    let stage = serving(StandardServices::ignoring()).await;
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    stage.steps(2);
    assert_eq!(stage.service()["status"]["canaryStatuses"][0]["ready"], true, "KServe calls it ready");
    for _ in 0..6 {
        // Who looks often, in two runs even, waits no less.
        let looks = tokio::join!(stage.prepare(3, 2), stage.prepare(3, 2));
        assert_eq!(looks, (Ok(Done::Pending), Ok(Done::Pending)), "the route may be on its way");
        stage.time.advance(Duration::from_secs(9));
    }
    // From then on it counts anew.
    let lost =
        |status: u16| stage.cluster.serve(&pods(2), status, json!({ "ready": status == 200, "outputs": [] }));
    lost(503);
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending), "it is not loaded any more");
    lost(200);
    stage.time.advance(Duration::from_secs(9));
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    stage.time.advance(Duration::from_secs(59));
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    stage.time.advance(Duration::from_secs(1));
    let error = stage.prepare(3, 2).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unsupported, "{error}");
    assert!(error.message.contains("no HTTPRoute carries its share"), "{error}");
    assert!(error.message.contains("#5335") && error.to_string().contains("target gateway-api"), "{error}");
    stage.weight(4, 2, 25).await.unwrap_err();
    stage.promote(5, 2).await.unwrap_err();
    assert_eq!(written(&stage), [(0, pods(2))]);
    stage.until(|| stage.rollback(6, 1)).await;
    stage.until(|| stage.cleanup(7, 2)).await;
    assert_eq!(written(&stage), []);
    assert_eq!(stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_rollout_where_nobody_splits_fails_with_the_reason_and_moves_nothing() {
    let journey = Journey::new(stage(StandardServices::ignoring())).await;
    let end =
        journey.lead(2, canary(), |stage, _| assert!(written(stage).iter().all(|(share, _)| *share == 0)));
    let end = end.await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("no HTTPRoute carries its share"), "{}", end.message);
    assert_eq!((written(&journey.stage), journey.stage.written().0), (vec![], 1));
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn canaries_are_promoted_and_blue_green_flips() {
    for strategy in [canary(), flip()] {
        let journey = Journey::new(stage(StandardServices::splitting(1))).await;
        let end = journey.lead(2, strategy, |_, _| {}).await;
        assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
        assert_eq!((written(&journey.stage), journey.stage.written().0), (vec![], 2));
        assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
    }
}

#[tokio::test]
async fn pods_that_are_lost_at_a_quarter_lead_back() {
    let journey = Journey::new(stage(StandardServices::splitting(0))).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            stage.cluster.serve(&pods(2), 503, json!({ "error": "no pod" }));
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("not ready"), "{}", end.message);
    assert_eq!((written(&journey.stage), journey.stage.written().0), (vec![], 1));
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn a_model_that_cannot_be_loaded_fails_without_traffic() {
    let journey = Journey::new(stage(StandardServices::failing(digest(2).hex()))).await;
    let end = journey.lead(2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("ModelLoadFailed"), "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn two_runs_at_once_and_a_newer_version_come_to_the_right_end() {
    let journey = Journey::new(stage(StandardServices::splitting(1))).await;
    let runs = Runs { in_pairs: true, newer: Some(3), ..Runs::default() };
    let end = journey.lead_by(&runs, 2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Superseded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn who_takes_the_canary_over_is_named_and_a_person_is_needed() {
    let journey = Journey::new(stage(StandardServices::splitting(0))).await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let mut canary = stage.service()["spec"]["canary"].clone();
            canary[0]["trafficPercent"] = json!(60);
            let target = format!("{SERVICE}?fieldManager=kubectl-edit");
            let change = json!({ "spec": { "canary": canary } });
            assert_eq!(stage.cluster.act("PATCH", &target, "application/merge-patch+json", &change).0, 200);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.message.contains("kubectl-edit"), "{}", end.message);
}

#[tokio::test]
async fn the_way_back_is_written_although_nothing_else_answers() {
    for (path, fault) in
        [("httproutes/churn", Fault::Status(500)), ("services/http:churn-v0202", Fault::Status(504))]
    {
        let stage = serving(StandardServices::splitting(0)).await;
        stage.until(|| stage.prepare(3, 2)).await;
        stage.until(|| stage.weight(4, 2, 25)).await;
        stage.cluster.fail_always("GET", path, fault);
        stage.target.observe(&stage.model).await.unwrap_err();
        assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending), "{path}");
        assert_eq!(written(&stage), [(0, pods(2))]);
        stage.steps(2);
        stage.cluster.recover();
        assert_eq!(stage.rollback(5, 1).await, Ok(Done::AlreadyThere));
        assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
    }
}

#[tokio::test]
async fn shares_that_nobody_knows_are_no_shares() {
    let stage = serving(StandardServices::splitting(0)).await;
    stage.until(|| stage.prepare(3, 2)).await;
    stage.until(|| stage.weight(4, 2, 25)).await;
    let route = "/apis/gateway.networking.k8s.io/v1/namespaces/ml/httproutes/churn?fieldManager=somebody";
    let act = |method: &str, change: &Value| {
        assert_eq!(stage.cluster.act(method, route, "application/merge-patch+json", change).0, 200);
    };
    let backends =
        json!([{ "name": "other", "port": 80, "weight": 1 }, { "name": pods(1), "port": 80, "weight": 1 }]);
    act("PATCH", &json!({ "spec": { "rules": [{ "backendRefs": backends }] } }));
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending), "no gateway has taken that yet");
    let told = stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").unwrap();
    let parents = told["status"]["parents"].to_string();
    let generation = &told["metadata"]["generation"];
    let before = generation.as_u64().unwrap() - 1;
    let parents = parents.replace(
        &format!("\"observedGeneration\":{before}"),
        &format!("\"observedGeneration\":{generation}"),
    );
    let parents: Value = serde_json::from_str(&parents).unwrap();
    let status = route.replace("/churn?", "/churn/status?");
    let told = json!({ "status": { "parents": parents } });
    assert_eq!(stage.cluster.act("PATCH", &status, "application/merge-patch+json", &told).0, 200);
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert!(error.message.contains("50% of the traffic goes to Services of no known version"), "{error}");
    act("DELETE", &Value::Null);
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert!(error.message.contains("there is none any more, and v2.0.0 may have 25%"), "{error}");
}

#[test]
fn manifests_that_canaries_cannot_be_made_of_are_named() {
    let check = |from: &str, to: &str, expected: &str| {
        let mut settings = settings();
        settings.insert("mode".to_owned(), json!("standard"));
        let manifest = MANIFEST.replace(from, to);
        let error = open(&FakeCluster::start(), &settings, &manifest).map(|_| ()).unwrap_err();
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("minReplicas: 1", "maxReplicas: 3", "`spec.predictor.maxReplicas` is not for canaries");
    check("    minReplicas: 1\n", "", "`spec.predictor.minReplicas` is missing");
    let mode = "\nmetadata: { annotations: { serving.kserve.io/deploymentMode: Knative } }\nspec:";
    check("\nspec:", mode, "is not Standard, which is the target's mode");
}

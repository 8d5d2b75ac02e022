//! What once could take production down: late writes, changed settings, shares that nobody has confirmed.

use serde_json::{Value, json};
use tagship_domain::{Digest, rollout::RolloutId};
use tagship_ports::{
    Problem, Target,
    target::{Done, Note, Order},
};
use tagship_testkit::cluster::{
    FakeCluster, Fault,
    actors::{Deployments, Gateway},
};

use super::stage::{MANIFEST, ROUTES, Stage, digest, named, open, settings, version};
use crate::played::Orders as _;

pub(super) const MERGE: &str = "application/merge-patch+json";

/// The same cluster under changed settings and another manifest.
pub(super) fn changed(stage: &mut Stage, changes: &Value, manifest: &str) -> tempfile::TempDir {
    let mut settings = settings();
    for (key, value) in changes.as_object().unwrap() {
        settings.insert(key.clone(), value.clone());
    }
    let (target, directory) = open(&stage.cluster, &settings, manifest).unwrap();
    stage.target = target;
    directory
}

/// Waits until a request of this kind has arrived.
pub(super) async fn arrived(cluster: &FakeCluster, method: &str) {
    while !cluster.requests().iter().any(|request| request.starts_with(method)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_changed_port_leaves_the_versions_of_before_where_they_listen() {
    let mut stage = Stage::new();
    stage.prepare(1, 1).await.unwrap();
    stage.step();
    stage.target.promote(&stage.order(2), &version(1)).await.unwrap();
    stage.step();
    let manifest = MANIFEST.replace("8080", "9090");
    let _directory = changed(&mut stage, &json!({ "port": 9090 }), &manifest);
    stage.prepare(3, 2).await.unwrap();
    stage.step();
    stage.weight(4, 2, 25).await.unwrap();
    stage.step();
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)], "the gateway finds both ports");
    for (number, port) in [(1, 8080), (2, 9090)] {
        let service = stage.cluster.object("services", "ml", &named(number)).unwrap();
        let ports = &service["spec"]["ports"][0];
        assert_eq!((&ports["port"], &ports["targetPort"]), (&json!(80), &json!(port)));
    }
    stage.target.rollback(&stage.order(5), Some(&version(1))).await.unwrap();
    stage.step();
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)]);
}

#[tokio::test]
async fn a_service_that_is_gone_or_leads_elsewhere_is_mended() {
    let stage = Stage::new().two_versions().await;
    let target = format!("/api/v1/namespaces/ml/services/{}", named(2));
    assert_eq!(stage.cluster.act("DELETE", &target, "application/json", &Value::Null).0, 200);
    stage.prepare(5, 2).await.unwrap();
    assert!(stage.cluster.object("services", "ml", &named(2)).is_some());
    let ports = json!({ "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 1 }] } });
    assert_eq!(stage.cluster.act("PATCH", &target, MERGE, &ports).0, 200);
    stage.prepare(6, 2).await.unwrap();
    let service = stage.cluster.object("services", "ml", &named(2)).unwrap();
    assert_eq!(service["spec"]["ports"][0]["targetPort"], 8080);
}

#[tokio::test]
async fn a_late_deletion_takes_nothing_that_was_brought_back() {
    for kind in ["services", "deployments"] {
        let stage = Stage::new().two_versions().await;
        stage.cluster.fail_next("DELETE", kind, Fault::Slow(1));
        stage.cluster.forget_requests();
        let bringing_back = async {
            while !stage
                .cluster
                .requests()
                .iter()
                .any(|sent| sent.starts_with("DELETE") && sent.contains(kind))
            {
                tokio::task::yield_now().await;
            }
            stage.prepare(6, 2).await.unwrap();
            stage.cluster.advance(1);
        };
        let order = stage.order(5);
        let second = version(2);
        let (late, ()) = tokio::join!(stage.target.cleanup(&order, &second), bringing_back);
        assert_eq!(late.unwrap_err().problem, Problem::Fenced, "{kind}");
        stage.step();
        assert_eq!(stage.prepare(6, 2).await, Ok(Done::AlreadyThere), "{kind}");
        for there in ["services", "deployments.apps"] {
            assert!(stage.cluster.object(there, "ml", &named(2)).is_some(), "{kind}: {there}");
        }
        assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)], "{kind}");
    }
}

#[tokio::test]
async fn what_is_made_late_overwrites_nothing() {
    // The route, made by a run that stood still while another one went all the way.
    let stage = Stage::new();
    stage.cluster.fail_after("POST", "/httproutes", 1, Fault::Slow(1));
    let overtaking = async {
        while stage.cluster.requests().iter().filter(|sent| sent.contains("httproutes?")).count() < 2 {
            tokio::task::yield_now().await;
        }
        stage.prepare(5, 1).await.unwrap();
        stage.step();
        stage.target.promote(&stage.order(6), &version(1)).await.unwrap();
        stage.cluster.advance(1);
    };
    let (late, ()) = tokio::join!(stage.prepare(1, 1), overtaking);
    assert_eq!(late.unwrap_err().problem, Problem::Fenced);
    assert_eq!(stage.written(), [(named(1), 100)]);
    stage.step();
    assert_eq!(stage.shares().await, [(1, 100, true)]);
}

#[tokio::test]
async fn what_somebody_else_made_in_between_is_read_and_compared() {
    let stage = Stage::new();
    stage.cluster.fail_after("POST", "/deployments", 1, Fault::Slow(1));
    let overtaking = async {
        while stage.cluster.requests().iter().filter(|sent| sent.contains("deployments?fieldManager")).count()
            < 2
        {
            tokio::task::yield_now().await;
        }
        let stranger = json!({
            "metadata": { "name": named(1) },
            "spec": {
                "selector": { "matchLabels": { "a": "b" } },
                "template": {
                    "metadata": { "labels": { "a": "b" } },
                    "spec": { "containers": [{ "name": "x", "image": "x" }] },
                },
            },
        });
        let target = "/apis/apps/v1/namespaces/ml/deployments";
        assert_eq!(stage.cluster.act("POST", target, "application/json", &stranger).0, 201);
        stage.cluster.advance(1);
    };
    let (made, ()) = tokio::join!(stage.prepare(1, 1), overtaking);
    assert_eq!(made.unwrap_err().problem, Problem::Conflict);
    let there = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
    assert_eq!(there["spec"]["template"]["spec"]["containers"][0]["name"], "x");
}

#[tokio::test]
async fn an_order_that_only_moves_the_fence_is_not_done_before_the_gateway_says_so() {
    let stage = Stage::new().two_versions().await;
    stage.weight(5, 2, 25).await.unwrap();
    assert_eq!(stage.weight(6, 2, 25).await, Ok(Done::Pending));
    stage.step();
    assert_eq!(stage.weight(7, 2, 25).await, Ok(Done::Applied));
}

#[tokio::test]
async fn shares_that_were_never_confirmed_count_as_possible() {
    let stage = Stage::new().two_versions().await;
    stage.play(vec![Box::new(Deployments::default())]);
    stage.weight(5, 2, 25).await.unwrap();
    stage.weight(6, 2, 0).await.unwrap();
    // Any of the three writes may be in force.
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
    let busy = stage.target.cleanup(&stage.order(7), &version(2)).await.unwrap_err();
    assert!(busy.message.contains("lost its 25%"), "{busy}");
    stage.weight(8, 2, 25).await.unwrap();
    assert_eq!(stage.weight(8, 2, 25).await, Ok(Done::Pending));
    assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, true)], "not told as done");
    stage.play(vec![Box::new(Gateway::named("public"))]);
    stage.step();
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
}

#[tokio::test]
async fn shares_that_a_gateway_takes_back_are_unknown() {
    let stage = Stage::new().two_versions().await;
    stage.weight(5, 2, 25).await.unwrap();
    stage.step();
    assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
    let mut refuses = Gateway::named("public");
    refuses.accepts = false;
    stage.play(vec![Box::new(refuses)]);
    stage.step();
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("not known: gateway public says Accepted is False"), "{error}");
    assert_eq!(stage.weight(5, 2, 25).await.unwrap_err().problem, Problem::Unreachable, "nor is it done");
    stage.target.rollback(&stage.order(6), Some(&version(1))).await.unwrap();
    assert_eq!(stage.written(), [(named(1), 100)], "the way back is open");
}

#[tokio::test]
async fn who_cannot_answer_gets_no_more_than_it_has() {
    let stage = Stage::new().two_versions().await;
    stage.weight(5, 2, 75).await.unwrap();
    stage.step();
    stage.play(vec![Box::new(Deployments::without_pods(&named(1), 1)), Box::new(Gateway::named("public"))]);
    stage.step();
    let error = stage.weight(6, 2, 25).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("v1.0.0 is not ready to take 75%"), "{error}");
    stage.weight(7, 2, 90).await.expect("stable gives up share");
    let target = format!("/apis/apps/v1/namespaces/ml/deployments/{}", named(1));
    assert_eq!(stage.cluster.act("DELETE", &target, "application/json", &Value::Null).0, 200);
    let error = stage.weight(8, 2, 95).await.unwrap_err();
    assert_eq!(error.problem, Problem::NotFound, "what stable keeps would go to the candidate: {error}");
    assert_eq!(stage.written(), [(named(1), 10), (named(2), 90)]);
    stage.weight(9, 2, 100).await.expect("nothing is left for stable to keep");
}

#[tokio::test]
async fn changed_hosts_gateways_and_paths_are_applied() {
    for (changes, pointer, expected) in [
        (json!({ "hostnames": ["new.example.org"] }), "/spec/hostnames", json!(["new.example.org"])),
        (json!({ "hostnames": [] }), "/spec/hostnames", Value::Null),
        (json!({ "path": "/v2" }), "/spec/rules/0/matches/0/path/value", json!("/v2")),
        (json!({ "gateways": [{ "name": "inner" }] }), "/spec/parentRefs/0/name", json!("inner")),
    ] {
        let mut stage = Stage::new().two_versions().await;
        let _directory = changed(&mut stage, &changes, MANIFEST);
        stage.target.promote(&stage.order(5), &version(1)).await.unwrap();
        let route = stage.route();
        assert_eq!(route.pointer(pointer).cloned().unwrap_or_default(), expected, "{changes}");
        let mut inner = Gateway::named("public");
        inner.gateways.push("inner".to_owned());
        stage.play(vec![Box::new(inner)]);
        stage.step();
        let done = stage.target.promote(&stage.order(5), &version(1)).await;
        assert_eq!(done, Ok(Done::AlreadyThere), "{changes}");
    }
}

#[tokio::test]
async fn a_route_that_is_gone_is_not_made_by_an_apply() {
    let stage = Stage::new().two_versions().await;
    stage.cluster.fail_next("PATCH", "httproutes", Fault::Slow(1));
    stage.cluster.forget_requests();
    let going = async {
        arrived(&stage.cluster, "PATCH").await;
        let target = format!("{ROUTES}/churn");
        assert_eq!(stage.cluster.act("DELETE", &target, "application/json", &Value::Null).0, 200);
        stage.cluster.advance(1);
    };
    let (late, ()) = tokio::join!(stage.weight(5, 2, 25), going);
    assert_eq!(late.unwrap_err().problem, Problem::Unsupported, "there is no stable version any more");
    assert!(stage.cluster.object("httproutes.gateway.networking.k8s.io", "ml", "churn").is_none());
}

#[tokio::test]
async fn a_404_of_somebody_in_between_is_no_missing_route() {
    let stage = Stage::new().two_versions().await;
    let before = stage.cluster.version();
    stage.cluster.fail_next("GET", "httproutes", Fault::Status(404));
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    stage.cluster.fail_next("GET", "httproutes", Fault::Status(404));
    assert!(stage.target.rollback(&stage.order(5), None).await.is_err(), "nothing there is no way back");
    stage.cluster.fail_next("DELETE", "services", Fault::Status(404));
    assert!(stage.target.cleanup(&stage.order(5), &version(2)).await.is_err());
    assert!(stage.cluster.version() > before, "cleaning up had begun");
    stage.target.cleanup(&stage.order(5), &version(2)).await.unwrap();
}

#[tokio::test]
async fn a_version_that_never_came_up_is_made_anew_from_a_mended_manifest() {
    let mut stage = Stage::with(Deployments::failing(&named(1)), Gateway::named("public"));
    stage.prepare(1, 1).await.unwrap();
    stage.step();
    assert_eq!(stage.prepare(1, 1).await.unwrap_err().problem, Problem::Invalid);
    let _directory = changed(&mut stage, &json!({}), &MANIFEST.replace("server:1", "server:2"));
    stage.play(vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))]);
    assert_eq!(stage.prepare(2, 1).await, Ok(Done::Pending));
    stage.step();
    assert_eq!(stage.prepare(2, 1).await, Ok(Done::AlreadyThere));
    let image = |stage: &Stage| {
        let deployment = stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap();
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    };
    assert_eq!(image(&stage), "registry.example.org/server:2");
    let _directory = changed(&mut stage, &json!({}), &MANIFEST.replace("server:1", "server:3"));
    stage.prepare(3, 1).await.unwrap();
    assert_eq!(image(&stage), "registry.example.org/server:2", "what answers is left as it runs");
}

#[tokio::test]
async fn people_see_what_an_object_was_written_for() {
    let stage = Stage::new();
    let note = Note {
        rollout: RolloutId("production-churn-7".to_owned()),
        candidate: digest(1),
        stable: None::<Digest>,
        step: "validating 0".to_owned(),
        deadline: None,
        run: Some("https://ci.example.org/runs/7".to_owned()),
    };
    let order = Order { note: Some(note), ..stage.order(1) };
    stage.target.prepare(&order, &version(1), &digest(1), std::path::Path::new("")).await.unwrap();
    for object in [stage.route(), stage.cluster.object("deployments.apps", "ml", &named(1)).unwrap()] {
        let notes = &object["metadata"]["annotations"];
        assert_eq!(notes["tagship/rollout-id"], "production-churn-7");
        assert_eq!(notes["tagship/candidate-digest"], digest(1).to_string());
        assert_eq!(notes["tagship/stable-digest"], "none");
        assert_eq!(notes["tagship/step"], "validating 0");
        assert_eq!(notes["tagship/run-url"], "https://ci.example.org/runs/7");
    }
}

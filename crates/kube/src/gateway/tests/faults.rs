//! Answers that are lost, late, refused or of a server that is broken.

use serde_json::json;
use tagship_domain::{
    golden::{Case, GoldenCases, Tensor, Tolerance},
    validation::Status,
};
use tagship_ports::{
    ModelRunner, Problem, Target,
    model_runner::{GoldenBounds, Subject},
    target::{Done, Needs},
};
use tagship_testkit::cluster::{
    FakeCluster, Fault,
    actors::{Deployments, Gateway},
};

use super::stage::{MANIFEST, Stage, named, version};
use crate::played::Orders as _;

#[tokio::test]
async fn a_lost_answer_is_found_again() {
    let stage = Stage::new().two_versions().await;
    stage.cluster.fail_next("PATCH", "httproutes", Fault::CutAfter);
    let error = stage.weight(5, 2, 25).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    let before = stage.cluster.version();
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    assert_eq!(stage.cluster.version(), before, "it had happened");
}

#[tokio::test]
async fn loading_goes_on_where_it_broke_off() {
    for (kind, fault) in [
        ("POST /services", Fault::CutBefore),
        ("POST /services", Fault::CutAfter),
        ("POST /deployments", Fault::CutBefore),
        ("POST /deployments", Fault::CutAfter),
        ("POST /httproutes", Fault::CutBefore),
        ("POST /httproutes", Fault::CutAfter),
        ("PATCH /httproutes", Fault::CutBefore),
        ("PATCH /httproutes", Fault::CutAfter),
    ] {
        let stage = Stage::new();
        let (method, path) = kind.split_once(' ').unwrap();
        if method == "POST" {
            // What comes first is a rehearsal.
            stage.cluster.fail_after(method, path, 1, fault.clone());
        } else {
            stage.cluster.fail_next(method, path, fault.clone());
        }
        let error = stage.prepare(1, 1).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unreachable, "{kind} {fault:?}");
        stage.prepare(1, 1).await.unwrap();
        stage.step();
        assert_eq!(stage.prepare(1, 1).await, Ok(Done::AlreadyThere), "{kind} {fault:?}");
        stage.prepare(2, 1).await.expect("an apply does not meet ourselves");
        stage.step();
        assert_eq!(stage.shares().await, [(1, 0, true)], "{kind} {fault:?}");
        assert!(stage.cluster.object("services", "ml", &named(1)).is_some());
    }
}

#[tokio::test]
async fn unloading_goes_on_where_it_broke_off() {
    for (method, kind) in [("PATCH", "httproutes"), ("DELETE", "services"), ("DELETE", "deployments")] {
        for fault in [Fault::CutBefore, Fault::CutAfter] {
            let stage = Stage::new().two_versions().await;
            stage.cluster.fail_next(method, kind, fault.clone());
            assert!(stage.target.cleanup(&stage.order(5), &version(2)).await.is_err(), "{kind} {fault:?}");
            stage.target.cleanup(&stage.order(5), &version(2)).await.unwrap();
            assert_eq!(stage.shares().await, [(1, 100, true)]);
            for left in ["services", "deployments.apps"] {
                assert_eq!(stage.cluster.object(left, "ml", &named(2)), None, "{kind} {fault:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_write_in_between_is_decided_anew() {
    let stage = Stage::new().two_versions().await;
    stage.cluster.fail_next("PATCH", "httproutes", Fault::Status(409));
    assert_eq!(stage.weight(5, 2, 25).await, Ok(Done::Pending));
    stage.cluster.fail_always("PATCH", "httproutes", Fault::Status(409));
    let error = stage.weight(6, 2, 50).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
}

#[tokio::test]
async fn what_may_pass_may_be_tried_again() {
    let stage = Stage::new().two_versions().await;
    for (fault, said) in [(Fault::Status(503), "planned"), (Fault::TooMany(7), "wait for 7 seconds")] {
        stage.cluster.fail_next("GET", "httproutes", fault);
        stage.cluster.forget_requests();
        let error = stage.weight(5, 2, 25).await.unwrap_err();
        assert!(error.may_pass() && error.to_string().contains(said), "{error}");
        assert_eq!(stage.cluster.requests().len(), 1, "nothing is repeated behind the rollout's back");
    }
}

#[tokio::test]
async fn a_server_that_is_silent_is_not_waited_for_ever() {
    let mut stage = Stage::new().two_versions().await;
    stage.cluster.fail_next("GET", "httproutes", Fault::Silence);
    stage.target.namespace.connection.answer = std::time::Duration::ZERO;
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.message.contains("within 0 seconds"), "{error}");
}

#[tokio::test]
async fn a_manifest_that_does_not_fit_is_refused_before_anything_is_written() {
    let manifest = MANIFEST.replace("replicas: 2", "replicaz: 2");
    let stage = Stage::on(FakeCluster::start(), &manifest, Deployments::default(), Gateway::named("public"));
    let before = stage.cluster.version();
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid, "it never passes");
    assert!(error.message.contains("unknown field \"spec.replicaz\""), "{error}");
    assert_eq!(stage.cluster.version(), before);
}

#[tokio::test]
async fn missing_permissions_are_named_before_anything_is_written() {
    let stage = Stage::new();
    stage.target.check(Needs { weights: true, endpoints: true, ..Needs::default() }).await.unwrap();
    let counts = stage.target.check(Needs { counters: true, ..Needs::default() }).await.unwrap_err();
    assert_eq!(counts.problem, Problem::Unsupported);

    let poor = Stage::new();
    poor.cluster.deny("create", "httproutes.gateway.networking.k8s.io");
    poor.cluster.deny("delete", "services");
    let error = poor.target.check(Needs::default()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Denied);
    assert_eq!(error.message, "the account may not create httproutes, delete services in namespace ml");
    let before = poor.cluster.version();
    assert_eq!(poor.prepare(1, 1).await.unwrap_err().problem, Problem::Denied);
    assert_eq!(poor.cluster.version(), before, "the rehearsal comes first");
}

fn tensor(name: &str, value: f64) -> Tensor {
    Tensor { name: name.to_owned(), datatype: "FP64".to_owned(), shape: vec![1], data: vec![json!(value)] }
}

#[tokio::test]
async fn golden_cases_ask_the_versions_own_pods() {
    let stage = Stage::new().two_versions().await;
    let case =
        Case { name: "one".to_owned(), inputs: vec![tensor("x", 1.0)], expected: vec![tensor("y", 2.0)] };
    let cases = GoldenCases { cases: vec![case] };
    let tolerance = Tolerance { absolute: 1e-6, relative: 0.0 };
    let bounds = GoldenBounds { tolerance, max_latency: None };
    let subject = Subject::Endpoint { model: stage.model.clone(), version: version(2) };
    let run = async || stage.target.run(&subject, &cases, bounds).await;

    let silent = run().await;
    assert_eq!(silent.status, Status::Error, "{silent:?}");
    assert!(silent.message.unwrap().contains("no endpoints available"), "no answer is no verdict");
    stage.cluster.serve(&named(2), 200, json!({ "model_name": "churn", "outputs": [tensor("y", 2.0)] }));
    let good = run().await;
    assert_eq!((good.status, good.cases[0].passed), (Status::Complete, true));
    let asked = stage.cluster.requests().last().unwrap().clone();
    let path = format!("/api/v1/namespaces/ml/services/http:{}:80/proxy/v2/models/churn/infer", named(2));
    assert_eq!(asked, format!("POST {path}"));
    stage.cluster.serve(&named(2), 200, json!({ "outputs": [tensor("y", 3.0)] }));
    assert!(!run().await.cases[0].passed);
    stage.cluster.serve(&named(2), 400, json!({ "error": "no such input" }));
    let refused = run().await;
    assert!(!refused.cases[0].passed);
    assert!(format!("{refused:?}").contains("the version answered 400"), "{refused:?}");
}

#[tokio::test]
async fn a_write_that_arrives_late_moves_no_traffic() {
    let stage = Stage::new().two_versions().await;
    stage.cluster.fail_next("PATCH", "httproutes", Fault::Slow(1));
    stage.cluster.forget_requests();
    let overtaking = async {
        while !stage.cluster.requests().iter().any(|request| request.starts_with("PATCH")) {
            tokio::task::yield_now().await;
        }
        stage.target.rollback(&stage.order(6), Some(&version(1))).await.unwrap();
        stage.cluster.advance(1);
    };
    let (late, ()) = tokio::join!(stage.weight(5, 2, 25), overtaking);
    assert_eq!(late.unwrap_err().problem, Problem::Fenced);
    assert_eq!(stage.written(), [(named(1), 100)]);
}

//! Where a version's bytes are: the address that the store of the releases tells, and the revision that says that it loads them.

use std::path::Path;

use serde_json::{Value, json};
use tagship_ports::{
    Problem, Target,
    target::{Done, Order},
};
use tagship_testkit::cluster::{FakeCluster, Fault, actors::InferenceServices};

use super::stage::{MANIFEST, SERVICE, Stage, digest, open, settings, version};
use crate::played::Orders as _;

const REVISIONS: &str = "/apis/serving.knative.dev/v1/namespaces/ml/revisions";

#[tokio::test]
async fn the_address_in_the_store_is_what_is_loaded() {
    let cluster = FakeCluster::start();
    let manifest = MANIFEST.replace("s3://models/{{model}}/{{digest-hex}}", "{{address}}");
    let (target, _directory) = open(&cluster, &settings(), &manifest).unwrap();
    let order = Order::new("churn".parse().unwrap(), 1);
    let done = target.prepare(&order, &version(1), &digest(1), Path::new("")).await;
    assert_eq!(done, Ok(Done::Pending));
    let service = cluster.object("inferenceservices.serving.kserve.io", "ml", "churn").unwrap();
    let uri = service["spec"]["predictor"]["model"]["storageUri"].as_str().unwrap();
    assert!(uri.starts_with("oci://registry.example.org/churn@sha256:a"), "{uri}");
}

/// Writes what a revision says that it loads.
fn lie(stage: &Stage, number: u8, uri: &Value) {
    let revision = format!("{REVISIONS}/churn-predictor-{number:05}?fieldManager=somebody");
    let told = json!({ "metadata": { "annotations": { "internal.serving.kserve.io/storage-initializer-sourceuri": uri } } });
    assert_eq!(stage.cluster.act("PATCH", &revision, "application/merge-patch+json", &told).0, 200);
}

#[tokio::test]
async fn a_revision_of_other_bytes_is_never_taken_for_the_version() {
    let stage = Stage::serving(InferenceServices::default()).await;
    stage.until(|| stage.prepare(3, 2)).await;
    for uri in [json!("s3://models/churn/other"), Value::Null] {
        lie(&stage, 2, &uri);
        assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
        assert_eq!(stage.shares().await, [(1, 100, true), (2, 0, false)]);
        stage.weight(4, 2, 25).await.unwrap_err();
        assert_eq!(stage.written(), (2, json!(0)));
    }
}

#[tokio::test]
async fn a_version_is_ready_once_its_own_server_says_that_the_model_is_loaded() {
    let stage = Stage::serving(InferenceServices::default()).await;
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
    stage.steps(2);
    let pods = "churn-predictor-00002-private";
    for (status, body) in [
        (503, json!({ "error": "loading" })),
        (404, json!({ "error": "no such model" })),
        (200, json!({ "name": "churn", "ready": false })),
    ] {
        stage.cluster.serve(pods, status, body);
        assert_eq!(stage.prepare(3, 2).await, Ok(Done::Pending));
        assert_eq!(
            stage.shares().await,
            [(1, 100, true), (2, 0, false)],
            "KServe calls it ready all the same"
        );
        stage.weight(4, 2, 25).await.unwrap_err();
    }
    stage.cluster.forget_requests();
    // The status alone says it.
    stage.cluster.serve(pods, 200, json!(null));
    assert_eq!(stage.prepare(3, 2).await, Ok(Done::AlreadyThere));
    let requests = stage.cluster.requests();
    let asked = format!("GET /api/v1/namespaces/ml/services/http:{pods}:80/proxy/v2/models/churn/ready");
    assert!(requests.contains(&asked), "{requests:?}");
    assert!(requests.iter().all(|request| !request.starts_with("PATCH") || !request.contains(SERVICE)));
}

#[tokio::test]
async fn the_way_back_depends_on_no_pod_and_on_no_revision() {
    for path in ["services/http:churn-predictor-00002-private:80", "revisions/churn-predictor-00002"] {
        let stage = Stage::sharing(InferenceServices::default(), 25).await;
        stage.cluster.fail_always("GET", path, Fault::Status(504));
        let error = stage.target.observe(&stage.model).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unreachable, "{error}");
        assert_eq!(stage.rollback(5, 1).await, Ok(Done::Pending));
        stage.steps(1);
        assert_eq!(stage.traffic(), [(2, 0), (1, 100)]);
        stage.until(|| stage.rollback(5, 1)).await;
    }
}

//! Modes and owners that stop an order before anything is written.

use serde_json::{Value, json};
use tagship_ports::{
    Problem, Target,
    target::{Done, Needs},
};
use tagship_testkit::cluster::{Fault, actors::InferenceServices};

use super::{
    super::refusals::refuse_foreign,
    stage::{SERVICE, Stage},
};
use crate::played::Orders as _;

const MERGE: &str = "application/merge-patch+json";

fn write(stage: &Stage, subresource: &str, manager: &str, change: &Value) {
    let target = format!("{SERVICE}{subresource}?fieldManager={manager}");
    let (status, answer) = stage.cluster.act("PATCH", &target, MERGE, change);
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_mode_that_ignores_shares_is_refused_before_anything_is_written() {
    let stage = Stage::serving(InferenceServices::default()).await;
    for mode in ["Standard", "RawDeployment", "ModelMesh"] {
        write(&stage, "/status", "kserve", &json!({ "status": { "deploymentMode": mode } }));
        let version = stage.cluster.version();
        let error = stage.prepare(3, 2).await.unwrap_err();
        assert_eq!(error.problem, Problem::Unsupported, "{error}");
        assert!(error.to_string().contains(mode), "{error}");
        assert!(error.to_string().contains("use target gateway-api"), "{error}");
        assert_eq!(stage.target.check(Needs::default()).await.unwrap_err().problem, Problem::Unsupported);
        assert_eq!(stage.cluster.version(), version);
    }
}

#[tokio::test]
async fn a_first_version_that_came_up_in_another_mode_is_taken_away() {
    let stage = Stage::new(InferenceServices::default());
    stage.prepare(1, 1).await.unwrap();
    write(&stage, "/status", "kserve", &json!({ "status": { "deploymentMode": "Standard" } }));
    assert_eq!(stage.prepare(1, 1).await.unwrap_err().problem, Problem::Unsupported);
    assert_eq!(stage.promote(2, 1).await.unwrap_err().problem, Problem::Unsupported);
    assert_eq!(stage.target.observe(&stage.model).await.unwrap_err().problem, Problem::Unsupported);
    assert_eq!(stage.cleanup(3, 1).await, Ok(Done::Applied));
    assert_eq!(stage.shares().await, []);
}

#[tokio::test]
async fn a_mode_that_nobody_tells_is_refused() {
    let stage = Stage::serving(InferenceServices::default()).await;
    write(&stage, "/status", "kserve", &json!({ "status": { "deploymentMode": null } }));
    stage.target.check(Needs::default()).await.unwrap();
    let annotations = json!({ "serving.kserve.io/deploymentMode": null });
    write(&stage, "", "somebody", &json!({ "metadata": { "annotations": annotations } }));
    let error = stage.target.check(Needs::default()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unsupported, "{error}");
}

#[tokio::test]
async fn a_service_of_somebody_else_is_left_alone_and_its_writer_is_named() {
    let stage = Stage::new(InferenceServices::default());
    let model = json!({ "modelFormat": { "name": "onnx" }, "storageUri": "s3://models/one" });
    let object = json!({
        "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
        "metadata": { "name": "churn", "namespace": "ml" }, "spec": { "predictor": { "model": model } },
    });
    let target = SERVICE.trim_end_matches("/churn").to_owned() + "?fieldManager=argocd-controller";
    assert_eq!(stage.cluster.act("POST", &target, "application/json", &object).0, 201);
    let version = stage.cluster.version();
    let error = stage.prepare(1, 1).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert!(error.message.contains("written by argocd-controller"), "{error}");
    assert_eq!(stage.cluster.version(), version);
}

#[tokio::test]
async fn whoever_takes_the_share_over_is_named_and_keeps_it() {
    let stage = Stage::sharing(InferenceServices::default(), 25).await;
    write(&stage, "", "helm", &json!({ "spec": { "predictor": { "canaryTrafficPercent": 40 } } }));
    let version = stage.cluster.version();
    let error = stage.weight(5, 2, 50).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert!(error.message.contains("written by helm"), "{error}");
    assert_eq!(stage.cluster.version(), version);
}

#[test]
fn whoever_owns_a_whole_specification_owns_the_share_and_a_status_is_nobodys() {
    let owned = |fields: Value, subresource: Value| {
        let owner = json!({ "manager": "helm", "fieldsV1": fields, "subresource": subresource });
        let object = json!({ "metadata": { "name": "churn", "managedFields": [owner] } });
        refuse_foreign("write", &object)
    };
    // So a definition without a schema has it.
    let error = owned(json!({ "f:spec": {} }), Value::Null).unwrap_err();
    assert!(error.problem == Problem::Conflict && error.message.contains("written by helm"), "{error}");
    owned(json!({ "f:spec": { "f:predictor": { "f:minReplicas": {} } } }), Value::Null).unwrap();
    owned(json!({ "f:spec": {} }), json!("status")).unwrap();
}

#[tokio::test]
async fn an_answer_that_is_not_about_the_object_is_not_taken_for_its_absence() {
    let stage = Stage::new(InferenceServices::default());
    stage.cluster.fail_next("GET", SERVICE, Fault::Status(404));
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert_ne!(error.problem, Problem::NotFound, "a 404 of something else says nothing: {error}");
}

#[tokio::test]
async fn an_address_that_tagship_did_not_write_stops_everything() {
    let stage = Stage::sharing(InferenceServices::default(), 25).await;
    write(
        &stage,
        "",
        "kubectl",
        &json!({ "spec": { "predictor": { "model": { "storageUri": "s3://models/x" } } } }),
    );
    let error = stage.target.observe(&stage.model).await.unwrap_err();
    assert_eq!(error.problem, Problem::Conflict, "{error}");
    assert!(error.message.contains("s3://models/x"), "{error}");
}

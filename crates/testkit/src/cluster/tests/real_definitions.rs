//! The definitions of the projects themselves, in the folder that `TAGSHIP_CRDS` names. Ignored by themselves, for the
//! repository does not hold them; `cargo xtask e2e definitions` insists on them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{MERGE, PLAIN, apply, fields_in_conflict, route, stored};
use crate::cluster::FakeCluster;

fn with(file: &str) -> FakeCluster {
    let folder = std::env::var_os("TAGSHIP_CRDS").map(PathBuf::from);
    let folder = folder.expect("TAGSHIP_CRDS names a folder with the definitions of the projects");
    let cluster = FakeCluster::start();
    cluster.define(&folder.join(file));
    cluster
}

const SERVICES: &str = "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices";

/// What inference services are of.
const SERVICE: &str = "serving.kserve.io/v1beta1";

#[test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
fn routes_of_the_project_behave_as_ours() {
    let cluster = with("gateway-api-httproutes.yaml");
    assert_eq!(apply(&cluster, "tagship", &route([100, 0])).0, 201);
    let before = stored(&cluster);
    assert_eq!(apply(&cluster, "tagship", &route([100, 0])).0, 200);
    assert_eq!(stored(&cluster), before);
    let mut plain = route([100, 0]);
    plain["spec"]["parentRefs"] = json!([{ "name": "public" }]);
    let (status, answer) = apply(&cluster, "helm", &plain);
    assert_eq!((status, fields_in_conflict(&answer)), (409, vec![".spec.parentRefs".to_owned()]));
    let (status, answer) = apply(&cluster, "tagship", &route([1_000_001, 0]));
    assert_eq!((status, &answer["reason"]), (422, &json!("Invalid")));
    assert_eq!(apply(&cluster, "tagship", &route([0, 0])).0, 200, "weights of zero pass the schema");
}

#[test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
fn inference_services_of_the_project_behave_as_ours() {
    let cluster = with("kserve-inferenceservices.full.yaml");
    let service = |percent: u64, canary: Value| {
        let model =
            json!({ "modelFormat": { "name": "onnx" }, "storageUri": "oci://example.org/churn@sha256:1" });
        let spec =
            json!({ "predictor": { "model": model, "canaryTrafficPercent": percent }, "canary": canary });
        cluster.act(
            "POST",
            SERVICES,
            PLAIN,
            &json!({
                "apiVersion": SERVICE, "kind": "InferenceService",
                "metadata": { "generateName": "churn-" }, "spec": spec,
            }),
        )
    };
    let (status, answer) = service(150, json!([]));
    assert_eq!(status, 201, "{answer}");
    let canary = |percent: u64| json!([{ "trafficPercent": percent, "predictor": { "name": "candidate" } }]);
    assert_eq!(service(10, canary(101)).0, 422);
    assert_eq!(service(10, canary(10)).0, 201);
}

#[test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
fn a_spec_without_schema_belongs_to_one() {
    let cluster = with("kserve-inferenceservices.min.yaml");
    let target = format!("{SERVICES}/churn?fieldManager=tagship");
    let service = json!({
        "apiVersion": SERVICE, "kind": "InferenceService", "metadata": { "name": "churn" },
        "spec": { "predictor": { "unknown": true } },
    });
    let (status, made) = cluster.act("PATCH", &target, super::APPLY, &service);
    assert_eq!((status, &made["metadata"]["managedFields"][0]["fieldsV1"]), (201, &json!({ "f:spec": {} })));
    assert_eq!(made["spec"]["predictor"]["unknown"], true);
}

#[test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
fn every_definition_can_be_read() {
    let kinds = [
        ("argo-rollout.yaml", "argoproj.io/v1alpha1", "rollouts"),
        ("argo-analysis-run.yaml", "argoproj.io/v1alpha1", "analysisruns"),
        ("flagger-crd.yaml", "flagger.app/v1beta1", "canaries"),
        ("istio-virtualservices.yaml", "networking.istio.io/v1", "virtualservices"),
    ];
    for (file, api_version, plural) in kinds {
        let cluster = with(file);
        let path = format!("/apis/{api_version}/namespaces/ml/{plural}");
        let (status, list) = cluster.act("GET", &path, "", &Value::Null);
        assert_eq!((status, &list["apiVersion"]), (200, &json!(api_version)), "{file}");
    }
}

#[test]
#[ignore = "needs the definitions of the projects: set TAGSHIP_CRDS"]
fn statuses_have_paths_where_the_projects_say_so() {
    let cluster = with("argo-rollout.yaml");
    let rollouts = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts";
    let container = json!({ "name": "server", "image": "server:1" });
    let steps = json!([{ "setWeight": 5 }, { "pause": {} }]);
    let spec = json!({ "template": { "spec": { "containers": [container] } }, "strategy": { "canary": { "steps": steps } } });
    let rollout = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
        "metadata": { "name": "churn" }, "spec": spec, "status": { "phase": "Healthy" },
    });
    let (status, made) = cluster.act("POST", rollouts, PLAIN, &rollout);
    assert_eq!((status, made.get("status")), (201, None), "{made}");
    let told = json!({ "status": { "observedGeneration": "1", "currentStepIndex": 1 } });
    let (status, after) = cluster.act("PATCH", &format!("{rollouts}/churn/status"), MERGE, &told);
    assert_eq!((status, &after["status"]["observedGeneration"]), (200, &json!("1")), "{after}");
}

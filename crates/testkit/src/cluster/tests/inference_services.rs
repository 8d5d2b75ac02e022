//! Inference services in Knative mode, played: the way forward, the way back, and the traps.

use serde_json::{Value, json};

use super::{APPLY, MERGE};
use crate::cluster::{
    FakeCluster,
    actors::{Actor, InferenceServices},
};

const SERVICE: &str =
    "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices/churn?fieldManager=tagship";

struct Stage {
    cluster: FakeCluster,
    actors: Vec<Box<dyn Actor>>,
}

impl Stage {
    /// Version `one` serves, and nothing before it.
    fn new(actor: InferenceServices) -> Self {
        let mut stage = Self { cluster: FakeCluster::start(), actors: vec![Box::new(actor)] };
        let model = json!({ "modelFormat": { "name": "onnx" }, "storageUri": "oci://models/one" });
        let (status, made) = stage.cluster.act(
            "PATCH",
            SERVICE,
            APPLY,
            &json!({
                "apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
                "metadata": { "name": "churn" }, "spec": { "predictor": { "model": model } },
            }),
        );
        assert_eq!(status, 201, "{made}");
        stage.steps(3);
        stage
    }

    fn steps(&mut self, number: usize) {
        for _ in 0..number {
            self.cluster.step(&mut self.actors);
        }
    }

    fn write(&mut self, address: Option<&str>, percent: Option<Value>) {
        let mut predictor = json!({});
        if let Some(address) = address {
            predictor["model"] = json!({ "storageUri": format!("oci://models/{address}") });
        }
        if let Some(percent) = percent {
            predictor["canaryTrafficPercent"] = percent;
        }
        let (status, answer) =
            self.cluster.act("PATCH", SERVICE, MERGE, &json!({ "spec": { "predictor": predictor } }));
        assert_eq!(status, 200, "{answer}");
        self.steps(1);
    }

    fn status(&self) -> Value {
        self.cluster.object("inferenceservices.serving.kserve.io", "ml", "churn").unwrap()["status"].clone()
    }

    /// Number of the revision and percent, the newest first.
    fn traffic(&self) -> Vec<(u64, u64)> {
        let status = self.status();
        let shares = status["components"]["predictor"]["traffic"].as_array().unwrap().clone();
        let number = |share: &Value| share["revisionName"].as_str().unwrap()[17..].parse().unwrap();
        shares.iter().map(|share| (number(share), share["percent"].as_u64().unwrap())).collect()
    }

    fn rolled_out(&self) -> (String, String) {
        let status = self.status();
        let of = |field: &str| status["components"]["predictor"][field].as_str().unwrap_or("-").to_owned();
        (of("latestRolledoutRevision"), of("previousRolledoutRevision"))
    }
}

fn revision(number: u32) -> String {
    format!("churn-predictor-{number:05}")
}

#[test]
fn a_canary_moves_forward() {
    let mut stage = Stage::new(InferenceServices::default());
    assert_eq!(stage.rolled_out(), (revision(1), "-".to_owned()));
    stage.write(Some("two"), Some(json!(10)));
    assert_eq!(stage.traffic(), [(2, 10), (1, 90)]);
    assert_eq!(stage.status()["modelStatus"]["transitionStatus"], "UpToDate");
    stage.write(None, Some(json!(50)));
    assert_eq!(stage.traffic(), [(2, 50), (1, 50)]);
    stage.write(None, Some(json!(100)));
    stage.write(None, Some(Value::Null));
    assert_eq!(stage.traffic(), [(2, 100)]);
    assert_eq!(stage.rolled_out(), (revision(2), revision(1)));
}

#[test]
fn an_address_alone_takes_all_traffic_at_once() {
    let mut stage = Stage::new(InferenceServices::default());
    stage.write(Some("two"), None);
    assert_eq!(stage.traffic(), [(2, 100)]);
}

#[test]
fn until_a_revision_is_ready_the_one_before_is_the_latest() {
    let mut stage = Stage::new(InferenceServices::slow(2));
    stage.write(Some("two"), Some(json!(10)));
    assert_eq!(stage.traffic(), [(1, 10), (1, 90)]);
    assert_eq!(stage.status()["modelStatus"]["transitionStatus"], "InProgress");
    stage.steps(2);
    assert_eq!(stage.traffic(), [(2, 10), (1, 90)]);
}

#[test]
fn four_steps_lead_back() {
    let mut stage = Stage::new(InferenceServices::slow(1));
    stage.write(Some("two"), Some(json!(10)));
    stage.steps(1);
    assert_eq!(stage.traffic(), [(2, 10), (1, 90)]);
    stage.write(None, Some(json!(0)));
    assert_eq!(stage.traffic(), [(2, 0), (1, 100)]);
    stage.write(Some("one"), None);
    assert_eq!(stage.traffic(), [(2, 0), (1, 100)], "the re-made one is not ready yet");
    stage.steps(1);
    assert_eq!(stage.traffic(), [(3, 0), (1, 100)]);
    stage.write(None, Some(json!(100)));
    stage.write(None, Some(Value::Null));
    assert_eq!(stage.traffic(), [(3, 100)]);
}

#[test]
fn the_short_way_back_gives_all_traffic_to_the_bad_one() {
    let mut stage = Stage::new(InferenceServices::slow(1));
    stage.write(Some("two"), Some(json!(10)));
    stage.steps(1);
    stage.write(Some("one"), Some(Value::Null));
    assert_eq!(stage.traffic(), [(2, 100)], "until the re-made one is ready");
    stage.steps(1);
    assert_eq!(stage.traffic(), [(3, 100)]);
}

#[test]
fn a_percent_at_rest_goes_back_to_the_version_before() {
    let mut stage = Stage::new(InferenceServices::default());
    stage.write(Some("two"), None);
    stage.write(None, Some(json!(0)));
    assert_eq!(stage.traffic(), [(2, 0), (1, 100)]);
    assert_eq!(stage.rolled_out().0, revision(1));
}

#[test]
fn a_race_at_the_start_brings_the_version_before_stable() {
    let mut stage = Stage::new(InferenceServices::racing());
    stage.write(Some("two"), None);
    stage.steps(1);
    stage.write(Some("three"), Some(json!(10)));
    assert_eq!(stage.traffic(), [(3, 10), (1, 90)], "stable was the second");
}

#[test]
fn a_model_that_cannot_be_loaded_says_so() {
    let mut stage = Stage::new(InferenceServices::failing("bad"));
    stage.write(Some("bad"), Some(json!(10)));
    stage.steps(5);
    let status = stage.status();
    assert_eq!(status["modelStatus"]["transitionStatus"], "BlockedByFailedLoad");
    assert_eq!(status["modelStatus"]["lastFailureInfo"]["reason"], "ModelLoadFailed");
    assert_eq!(status["conditions"][0]["status"], "True", "it tells of the old revision");
}

#[test]
fn an_annotation_makes_another_revision_and_a_label_of_visibility_does_not() {
    let mut stage = Stage::new(InferenceServices::default());
    for (metadata, revisions) in [
        (json!({ "labels": { "networking.kserve.io/visibility": "cluster-local" } }), 1),
        (json!({ "annotations": { "a": "b" } }), 2),
    ] {
        let (status, answer) = stage.cluster.act("PATCH", SERVICE, MERGE, &json!({ "metadata": metadata }));
        assert_eq!(status, 200, "{answer}");
        stage.steps(1);
        assert_eq!(stage.traffic(), [(revisions, 100)]);
    }
}

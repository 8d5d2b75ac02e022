//! A cluster with a played Flagger, a team that writes its Deployment, and the target beside them.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Map, Value, json};
use tagship_domain::ModelName;
use tagship_ports::{PortError, Target};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Flagger},
};

use super::super::FlaggerTarget;
use crate::played::{Orders as _, Played, digest, version};

pub(super) const CANARY: &str = "/apis/flagger.app/v1beta1/namespaces/ml/canaries/churn";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ml/deployments";
const MERGE: &str = "application/merge-patch+json";

pub(super) struct Stage {
    pub(super) cluster: Arc<FakeCluster>,
    pub(super) target: FlaggerTarget,
    actors: Mutex<Vec<Box<dyn Actor>>>,
    model: ModelName,
    rests: AtomicBool,
}

pub(super) fn settings() -> Map<String, Value> {
    json!({ "namespace": "ml", "name": "churn" }).as_object().unwrap().clone()
}

/// A target that has seen nothing yet.
pub(super) fn open(cluster: &FakeCluster, settings: &Map<String, Value>) -> Result<FlaggerTarget, PortError> {
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let target = FlaggerTarget::from_settings(settings, &|name| {
        (name == "KUBECONFIG").then(|| kubeconfig.display().to_string())
    })?;
    // The kubeconfig is read with the first question.
    std::mem::forget(directory);
    Ok(target)
}

/// A pod template of a version.
fn template(number: u8) -> Value {
    let digest = digest(number);
    let annotations = json!({ "tagship/version": version(u64::from(number)).to_string(), "tagship/digest": digest.to_string() });
    let image = format!("registry.example.org/churn@{digest}");
    json!({
        "metadata": { "labels": { "app": "churn" }, "annotations": annotations },
        "spec": { "containers": [{ "name": "server", "image": image }] },
    })
}

impl Played for Stage {
    fn target(&self) -> &dyn Target {
        &self.target
    }

    fn model(&self) -> &ModelName {
        &self.model
    }

    fn step(&self) {
        self.cluster.advance(30);
        if !self.rests.load(Ordering::Relaxed) {
            self.look();
        }
    }
}

impl Stage {
    /// The team has written version 1 and its Canary; Flagger has not looked yet.
    pub(super) fn new(flagger: Flagger) -> Self {
        let cluster = FakeCluster::start();
        let target = open(&cluster, &settings()).unwrap();
        let stage = Self {
            cluster: Arc::new(cluster),
            target,
            actors: Mutex::new(vec![Box::new(flagger)]),
            model: ModelName::new("churn").unwrap(),
            rests: AtomicBool::default(),
        };
        let object = |api: &str, kind: &str, spec: Value| json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "churn", "namespace": "ml" }, "spec": spec });
        let selector = json!({ "matchLabels": { "app": "churn" } });
        stage.make(
            DEPLOYMENTS,
            &object("apps/v1", "Deployment", json!({ "selector": selector, "template": template(1) })),
        );
        let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "churn" });
        let analysis = json!({ "interval": "30s", "threshold": 2, "stepWeight": 25, "maxWeight": 50 });
        stage.make(
            CANARY.trim_end_matches("/churn"),
            &object("flagger.app/v1beta1", "Canary", json!({ "targetRef": target, "analysis": analysis })),
        );
        stage
    }

    /// Version 1 serves.
    pub(super) fn serving(flagger: Flagger) -> Self {
        let stage = Self::new(flagger);
        stage.passes(2);
        stage
    }

    /// Version 1 serves, and version 2 has a quarter of the traffic.
    pub(super) async fn sharing(flagger: Flagger) -> Self {
        let stage = Self::serving(flagger);
        stage.ship(2);
        stage.passes(2);
        assert_eq!(stage.shares().await, [(1, 75, true), (2, 25, true)]);
        stage
    }

    fn make(&self, path: &str, object: &Value) {
        let (status, answer) =
            self.cluster.act("POST", &format!("{path}?fieldManager=helm"), "application/json", object);
        assert_eq!(status, 201, "{answer}");
    }

    /// The team writes the pod template of a version.
    pub(super) fn ship(&self, number: u8) {
        self.write("churn", &json!({ "spec": { "template": template(number) } }));
    }

    /// The team writes something about a Deployment.
    pub(super) fn write(&self, name: &str, change: &Value) {
        self.change(&format!("{DEPLOYMENTS}/{name}"), change);
    }

    /// Somebody writes something.
    pub(super) fn change(&self, path: &str, change: &Value) {
        let target = format!("{path}?fieldManager=helm");
        let (status, answer) = self.cluster.act("PATCH", &target, MERGE, change);
        assert_eq!(status, 200, "{answer}");
    }

    /// The Canary is deleted.
    pub(super) fn delete(&self) {
        let (status, answer) = self.cluster.act("DELETE", CANARY, "application/json", &Value::Null);
        assert_eq!(status, 200, "{answer}");
    }

    /// Whether Flagger looks at nothing.
    pub(super) fn rest(&self, rests: bool) {
        self.rests.store(rests, Ordering::Relaxed);
    }

    /// Time passes, and Flagger looks each time.
    pub(super) fn passes(&self, number: usize) {
        for _ in 0..number {
            self.cluster.advance(30);
            self.look();
        }
    }

    fn look(&self) {
        self.cluster.step(&mut self.actors.lock().unwrap());
    }

    pub(super) fn phase(&self) -> String {
        let canary = self.cluster.object("canaries.flagger.app", "ml", "churn").unwrap();
        canary["status"]["phase"].as_str().unwrap_or_default().to_owned()
    }
}

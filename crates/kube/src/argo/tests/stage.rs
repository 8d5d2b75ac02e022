//! A cluster with a played Argo Rollouts, and the target on it.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::{PortError, ReleaseAddresses, Target, conformance::Loadable, target::Done};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Rollouts},
};
use tempfile::TempDir;

use super::super::ArgoTarget;
use crate::played::{Orders as _, Played, Stepping};
pub(super) use crate::played::{digest, version};

pub(super) const MANIFEST: &str = "
apiVersion: argoproj.io/v1alpha1
kind: Rollout
spec:
  replicas: 2
  selector: { matchLabels: { app: churn } }
  template:
    metadata: { labels: { app: churn } }
    spec:
      containers:
      - name: server
        image: registry.example.org/server:1
        args: [--model, '{{digest-hex}}']
        resources: { requests: { cpu: 1000m } }
  strategy:
    canary:
      trafficRouting: { nginx: { stableIngress: churn } }
";
pub(super) const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/churn";
pub(super) const MERGE: &str = "application/merge-patch+json";

pub(super) struct Stage {
    pub(super) cluster: Arc<FakeCluster>,
    pub(super) target: ArgoTarget,
    pub(super) actors: Arc<Mutex<Vec<Box<dyn Actor>>>>,
    pub(super) model: ModelName,
    rests: AtomicBool,
    _directory: TempDir,
}

pub(super) fn settings() -> Map<String, Value> {
    json!({ "namespace": "ml", "name": "churn", "manifest": "churn.yaml" }).as_object().unwrap().clone()
}

/// A store that made an image of every release.
struct Images;

#[async_trait]
impl ReleaseAddresses for Images {
    async fn address(&self, model: &ModelName, _: &Version, digest: &Digest) -> Result<String, PortError> {
        Ok(format!("registry.example.org/{model}@{digest}"))
    }
}

/// A target from settings and a manifest, and the directory that it was read from.
pub(super) fn open(
    cluster: &FakeCluster,
    settings: &Map<String, Value>,
    manifest: &str,
) -> Result<(ArgoTarget, TempDir), PortError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("churn.yaml"), manifest).unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let variable = |name: &str| (name == "KUBECONFIG").then(|| kubeconfig.display().to_string());
    let stored = || Ok(Arc::new(Images) as Arc<dyn ReleaseAddresses>);
    ArgoTarget::from_settings(settings, directory.path(), &variable, &stored)
        .map(|target| (target, directory))
}

pub(super) fn loadable(number: u8) -> Loadable {
    Loadable { version: version(u64::from(number)), digest: digest(number), bytes: PathBuf::new() }
}

impl Played for Stage {
    fn target(&self) -> &dyn Target {
        &self.target
    }

    fn model(&self) -> &ModelName {
        &self.model
    }

    fn step(&self) {
        if !self.rests.load(Ordering::Relaxed) {
            self.steps(3);
        }
    }
}

impl Stage {
    pub(super) fn new(controller: Rollouts) -> Self {
        Self::on(FakeCluster::start(), controller, MANIFEST)
    }

    pub(super) fn on(cluster: FakeCluster, controller: Rollouts, manifest: &str) -> Self {
        let (target, directory) = open(&cluster, &settings(), manifest).unwrap();
        let actors: Vec<Box<dyn Actor>> = vec![Box::new(controller)];
        Self {
            cluster: Arc::new(cluster),
            target,
            actors: Arc::new(Mutex::new(actors)),
            model: ModelName::new("churn").unwrap(),
            rests: AtomicBool::default(),
            _directory: directory,
        }
    }

    /// Whether the controller looks at nothing.
    pub(super) fn rest(&self, rests: bool) {
        self.rests.store(rests, Ordering::Relaxed);
    }

    /// Version 1 is stable and at rest. Fences up to 2 are used.
    pub(super) async fn serving(controller: Rollouts) -> Self {
        let stage = Self::new(controller);
        stage.until(|| stage.prepare(1, 1)).await;
        stage.until(|| stage.promote(2, 1)).await;
        assert_eq!(stage.shares().await, [(1, 100, true)]);
        stage
    }

    /// Version 2 has a share too. Fences up to 4 are used.
    pub(super) async fn sharing(controller: Rollouts, percent: u8) -> Self {
        let stage = Self::serving(controller).await;
        stage.until(|| stage.prepare(3, 2)).await;
        stage.until(|| stage.weight(4, 2, percent)).await;
        assert_eq!(stage.shares().await, [(1, 100 - percent, true), (2, percent, true)]);
        stage
    }

    /// Repeats an order until it is done, and lets the controller go on in between. Answers how often it was given.
    pub(super) async fn until<F: Future<Output = Result<Done, PortError>>>(
        &self,
        order: impl Fn() -> F,
    ) -> usize {
        for number in 1..30 {
            let before = self.cluster.requests().len();
            let done = order().await;
            let requests = self.cluster.requests().split_off(before);
            assert!(requests.len() <= 12, "{requests:?}");
            match done {
                Ok(Done::Pending) => self.steps(1),
                Ok(_) => return number,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("it is never done: {}", self.rollout());
    }

    pub(super) fn clock(&self) -> Stepping {
        Stepping { cluster: Arc::clone(&self.cluster), actors: Arc::clone(&self.actors) }
    }

    /// Lets the controller look.
    pub(super) fn steps(&self, number: usize) {
        for _ in 0..number {
            self.cluster.step(&mut self.actors.lock().unwrap());
        }
    }

    pub(super) fn rollout(&self) -> Value {
        self.cluster.object("rollouts.argoproj.io", "ml", "churn").expect("the Rollout is there")
    }

    pub(super) fn service(&self, name: &str) -> Value {
        self.cluster.object("services", "ml", name).expect("the Service is there")
    }

    /// Number of the version that is written, and the shares of its steps; `100` alone is the end.
    pub(super) fn written(&self) -> (u64, Vec<u64>) {
        let spec = self.rollout()["spec"].clone();
        let version =
            spec["template"]["metadata"]["annotations"]["tagship/version"].as_str().unwrap().to_owned();
        let steps = spec["strategy"]["canary"]["steps"].as_array().unwrap().clone();
        let number = version[1..].split('.').next().unwrap().parse().unwrap();
        (number, steps.iter().filter_map(|step| step["setWeight"].as_u64()).collect())
    }

    /// Somebody else writes.
    pub(super) fn meddle(&self, manager: &str, path: &str, change: &Value) {
        let target = format!("{path}?fieldManager={manager}");
        let (status, answer) = self.cluster.act("PATCH", &target, MERGE, change);
        assert_eq!(status, 200, "{answer}");
    }
}

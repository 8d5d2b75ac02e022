//! A cluster with played controllers, and the target on it.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use serde_json::{Map, Value, json};
use tagship_domain::ModelName;
use tagship_ports::{PortError, Target, target::Done};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Deployments, Gateway},
};
use tempfile::TempDir;

use super::super::GatewayApiTarget;
use crate::played::{Orders as _, Played, Stepping};
pub(super) use crate::played::{digest, version};

pub(super) const MANIFEST: &str = "
apiVersion: apps/v1
kind: Deployment
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: server
        image: registry.example.org/server:1
        args: [\"--model={{model}}\", \"--digest={{digest}}\"]
        ports: [{ containerPort: 8080 }]
";
pub(super) const ROUTES: &str = "/apis/gateway.networking.k8s.io/v1/namespaces/ml/httproutes";

pub(super) struct Stage {
    pub(super) cluster: Arc<FakeCluster>,
    pub(super) target: GatewayApiTarget,
    pub(super) actors: Arc<Mutex<Vec<Box<dyn Actor>>>>,
    pub(super) model: ModelName,
    _directory: TempDir,
}

pub(super) fn settings() -> Map<String, Value> {
    let settings = json!({
        "namespace": "ml", "route": "churn", "gateways": [{ "name": "public", "namespace": "infra" }],
        "hostnames": ["churn.example.org"], "manifest": "churn.yaml",
    });
    settings.as_object().unwrap().clone()
}

/// A target from settings and a manifest, and the directory that it was read from.
pub(super) fn open(
    cluster: &FakeCluster,
    settings: &Map<String, Value>,
    manifest: &str,
) -> Result<(GatewayApiTarget, TempDir), PortError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("churn.yaml"), manifest).unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let variable = |name: &str| (name == "KUBECONFIG").then(|| kubeconfig.display().to_string());
    GatewayApiTarget::from_settings(settings, directory.path(), &variable).map(|target| (target, directory))
}

/// Name of the Deployment and Service of a digest.
pub(super) fn named(number: u8) -> String {
    format!("churn-{}", &digest(number).hex()[..8])
}

impl Played for Stage {
    fn target(&self) -> &dyn Target {
        &self.target
    }

    fn model(&self) -> &ModelName {
        &self.model
    }

    fn step(&self) {
        self.cluster.step(&mut self.actors.lock().unwrap());
    }
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(Deployments::default(), Gateway::named("public"))
    }

    pub(super) fn with(deployments: Deployments, gateway: Gateway) -> Self {
        Self::on(FakeCluster::start(), MANIFEST, deployments, gateway)
    }

    pub(super) fn on(
        cluster: FakeCluster,
        manifest: &str,
        deployments: Deployments,
        gateway: Gateway,
    ) -> Self {
        let (target, directory) = open(&cluster, &settings(), manifest).unwrap();
        let actors: Vec<Box<dyn Actor>> = vec![Box::new(deployments), Box::new(gateway)];
        Self {
            cluster: Arc::new(cluster),
            target,
            actors: Arc::new(Mutex::new(actors)),
            model: ModelName::new("churn").unwrap(),
            _directory: directory,
        }
    }

    pub(super) fn clock(&self) -> Stepping {
        Stepping { cluster: Arc::clone(&self.cluster), actors: Arc::clone(&self.actors) }
    }

    pub(super) fn step(&self) {
        Played::step(self);
    }

    /// Exchanges the controllers.
    pub(super) fn play(&self, actors: Vec<Box<dyn Actor>>) {
        *self.actors.lock().unwrap() = actors;
    }

    /// Version 1 serves as stable, version 2 is loaded; everything is at rest. Fences up to 4 are used.
    pub(super) async fn two_versions(self) -> Self {
        self.prepare(1, 1).await.unwrap();
        self.step();
        self.target.promote(&self.order(2), &version(1)).await.unwrap();
        self.prepare(3, 2).await.unwrap();
        self.step();
        assert_eq!(self.prepare(4, 2).await, Ok(Done::Applied), "the fence alone is written");
        self.step();
        assert_eq!(self.shares().await, [(1, 100, true), (2, 0, true)]);
        self
    }

    pub(super) fn route(&self) -> Value {
        self.cluster
            .object("httproutes.gateway.networking.k8s.io", "ml", "churn")
            .expect("the route is there")
    }

    /// Weights of the rule that shares, by backend.
    pub(super) fn written(&self) -> Vec<(String, u64)> {
        let route = self.route();
        let rule = route["spec"]["rules"].as_array().unwrap().last().unwrap().clone();
        let backends = rule["backendRefs"].as_array().unwrap().clone();
        let one = |backend: &Value| {
            (backend["name"].as_str().unwrap().to_owned(), backend["weight"].as_u64().unwrap())
        };
        let mut all: Vec<(String, u64)> = backends.iter().map(one).collect();
        all.sort();
        all
    }

    pub(super) fn bytes() -> PathBuf {
        PathBuf::new()
    }
}

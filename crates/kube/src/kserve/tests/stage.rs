//! A cluster with a played `KServe`, and the target on it.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use serde_json::{Map, Value, json};
use tagship_domain::{Digest, Duration, ModelName, Timestamp, Version};
use tagship_ports::{
    PortError, ReleaseAddresses, Target, conformance::Loadable, fake::FakeClock, target::Done,
};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Gateway, InferenceServices, StandardServices},
};
use tempfile::TempDir;

use super::super::KserveTarget;
use crate::played::{Orders as _, Played, Stepping};
pub(super) use crate::played::{digest, version};

pub(super) const MANIFEST: &str = "
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
spec:
  predictor:
    minReplicas: 1
    model:
      modelFormat: { name: onnx }
      protocolVersion: v2
      storageUri: s3://models/{{model}}/{{digest-hex}}
";
/// The one that the routes of the played `KServe` are for.
pub(super) const GATEWAY: &str = "kserve-ingress-gateway";
pub(super) const SERVICE: &str = "/apis/serving.kserve.io/v1beta1/namespaces/ml/inferenceservices/churn";

pub(super) struct Stage {
    pub(super) cluster: Arc<FakeCluster>,
    pub(super) target: KserveTarget,
    pub(super) actors: Arc<Mutex<Vec<Box<dyn Actor>>>>,
    pub(super) model: ModelName,
    /// The target's clock.
    pub(super) time: Arc<FakeClock>,
    rests: AtomicBool,
    _directory: TempDir,
}

pub(super) fn settings() -> Map<String, Value> {
    json!({ "namespace": "ml", "name": "churn", "manifest": "churn.yaml" }).as_object().unwrap().clone()
}

/// A store that made an image of every release. Its digest is another one than the model's.
struct Images;

#[async_trait]
impl ReleaseAddresses for Images {
    async fn address(&self, model: &ModelName, _: &Version, digest: &Digest) -> Result<String, PortError> {
        let image: String = digest.hex().chars().rev().collect();
        Ok(format!("oci://registry.example.org/{model}@sha256:a{}", &image[1..]))
    }
}

/// A target from settings and a manifest, and the directory that it was read from.
pub(super) fn open(
    cluster: &FakeCluster,
    settings: &Map<String, Value>,
    manifest: &str,
) -> Result<(KserveTarget, TempDir), PortError> {
    open_by(cluster, settings, manifest, Arc::new(FakeClock::at(Timestamp::EARLIEST)))
}

fn open_by(
    cluster: &FakeCluster,
    settings: &Map<String, Value>,
    manifest: &str,
    clock: Arc<FakeClock>,
) -> Result<(KserveTarget, TempDir), PortError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("churn.yaml"), manifest).unwrap();
    let kubeconfig = directory.path().join("kubeconfig");
    std::fs::write(&kubeconfig, cluster.kubeconfig()).unwrap();
    let variable = |name: &str| (name == "KUBECONFIG").then(|| kubeconfig.display().to_string());
    let stored = || Ok(Arc::new(Images) as Arc<dyn ReleaseAddresses>);
    KserveTarget::from_settings(settings, directory.path(), &variable, &stored, clock)
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
            self.steps(1);
        }
    }
}

impl Stage {
    pub(super) fn new(controller: InferenceServices) -> Self {
        Self::on(FakeCluster::start(), controller)
    }

    pub(super) fn on(cluster: FakeCluster, controller: InferenceServices) -> Self {
        Self::with(cluster, &settings(), vec![Box::new(controller)])
    }

    /// In Standard mode, with a gateway that takes every route.
    pub(super) fn standard(cluster: FakeCluster, controller: StandardServices) -> Self {
        Self::behind(Gateway::named(GATEWAY), cluster, controller)
    }

    /// The same with another gateway.
    pub(super) fn behind(gateway: Gateway, cluster: FakeCluster, controller: StandardServices) -> Self {
        let mut settings = settings();
        settings.insert("mode".to_owned(), json!("standard"));
        Self::with(cluster, &settings, vec![Box::new(controller), Box::new(gateway)])
    }

    fn with(cluster: FakeCluster, settings: &Map<String, Value>, actors: Vec<Box<dyn Actor>>) -> Self {
        let time = Arc::new(FakeClock::at(Timestamp::from_seconds(1_767_225_600).unwrap()));
        let (target, directory) = open_by(&cluster, settings, MANIFEST, Arc::clone(&time)).unwrap();
        Self {
            time,
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
    pub(super) async fn serving(controller: InferenceServices) -> Self {
        let stage = Self::new(controller);
        stage.prepare(1, 1).await.unwrap();
        stage.steps(4);
        stage.until(|| stage.promote(2, 1)).await;
        assert_eq!(stage.shares().await, [(1, 100, true)]);
        stage
    }

    /// Version 2 has a share too. Fences up to 4 are used.
    pub(super) async fn sharing(controller: InferenceServices, percent: u8) -> Self {
        let stage = Self::serving(controller).await;
        stage.until(|| stage.prepare(3, 2)).await;
        stage.until(|| stage.weight(4, 2, percent)).await;
        stage
    }

    /// Repeats an order until it is done, and lets the controller go on in between. Answers how often it was given.
    pub(super) async fn until<F: Future<Output = Result<Done, PortError>>>(
        &self,
        order: impl Fn() -> F,
    ) -> usize {
        for number in 1..20 {
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
        panic!("it is never done: {}", self.service());
    }

    pub(super) fn clock(&self) -> Stepping {
        Stepping { cluster: Arc::clone(&self.cluster), actors: Arc::clone(&self.actors) }
    }

    /// Lets the controllers look, and half a minute pass each time.
    pub(super) fn steps(&self, number: usize) {
        for _ in 0..number {
            self.time.advance(Duration::from_secs(30));
            self.cluster.step(&mut self.actors.lock().unwrap());
        }
    }

    pub(super) fn service(&self) -> Value {
        self.cluster
            .object("inferenceservices.serving.kserve.io", "ml", "churn")
            .expect("the InferenceService is there")
    }

    /// Number of the version that is written, and its share.
    pub(super) fn written(&self) -> (u8, Value) {
        let predictor = self.service()["spec"]["predictor"].clone();
        let uri = predictor["model"]["storageUri"].as_str().unwrap().to_owned();
        let number = (0..10).find(|number| uri.ends_with(digest(*number).hex())).unwrap();
        (number, predictor["canaryTrafficPercent"].clone())
    }

    /// Number of the revision and its share, as the status tells it, the newest first.
    pub(super) fn traffic(&self) -> Vec<(u64, u64)> {
        let status = self.service()["status"]["components"]["predictor"]["traffic"].clone();
        let number = |share: &Value| share["revisionName"].as_str().unwrap()[17..].parse().unwrap();
        let shares = status.as_array().unwrap();
        shares.iter().map(|share| (number(share), share["percent"].as_u64().unwrap())).collect()
    }
}

//! The controller of inference services in Knative mode: revisions with their pods, and which share of the traffic each gets,
//! with the traps that the real one sets.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, text, with_status};

/// Where a revision says which bytes its pods load.
const ADDRESS: &str = "internal.serving.kserve.io/storage-initializer-sourceuri";

/// Plays inference services.
#[derive(Debug, Default)]
pub struct InferenceServices {
    delay: u32,
    failing: Option<String>,
    /// From which age on a failing one fails.
    lasting: u32,
    /// Whether a failing one says nothing about it.
    is_silent: bool,
    races: bool,
    services: BTreeMap<String, Vec<Revision>>,
    /// Whether the pods behind a Service were said to answer.
    told: BTreeMap<String, bool>,
}

/// One state of the predictor that was ever wanted.
#[derive(Debug, Clone)]
struct Revision {
    name: String,
    predictor: Value,
    age: u32,
}

/// What the status says about traffic between two looks.
#[derive(Debug, Default, Clone)]
struct Rolled {
    out: String,
    before: String,
}

impl InferenceServices {
    /// A revision is ready after so many steps.
    pub fn slow(steps: u32) -> Self {
        Self { delay: steps, ..Self::default() }
    }

    /// Models with this text in their address cannot be loaded.
    pub fn failing(part: &str) -> Self {
        Self { failing: Some(part.to_owned()), ..Self::default() }
    }

    /// Those that cannot be loaded, once they were ready for so many steps.
    pub fn breaking(part: &str, steps: u32) -> Self {
        Self { lasting: steps, ..Self::failing(part) }
    }

    /// Those that cannot be loaded, and nothing says so.
    pub fn stalling(part: &str) -> Self {
        Self { is_silent: true, ..Self::failing(part) }
    }

    /// Looks at the traffic of a new revision before there is one.
    pub fn racing() -> Self {
        Self { races: true, ..Self::default() }
    }

    /// What one service leads to. Nothing where it has no predictor.
    fn tend(&mut self, scene: &Scene<'_>, service: &Value) -> Vec<Deed> {
        let status = self.settle(service);
        let mut deeds = self.pods(scene, service);
        deeds.extend(status);
        deeds
    }

    /// What Knative makes for every revision: an object that says what it runs, and a Service of its pods.
    fn pods(&mut self, scene: &Scene<'_>, service: &Value) -> Vec<Deed> {
        let uid = text(service, "/metadata/uid");
        let mut deeds = Vec::new();
        for revision in self.services.get(uid).cloned().unwrap_or_default() {
            let namespace = text(service, "/metadata/namespace");
            let there = scene.one("revisions.serving.knative.dev", namespace, &revision.name);
            if there.is_none_or(|there| text(there, "/metadata/ownerReferences/0/uid") != uid) {
                deeds.extend(revision.objects(service).map(Deed::Create));
            }
            let (answers, pods) = (self.is_ready(&revision), format!("{}-private", revision.name));
            if self.told.insert(pods.clone(), answers) != Some(answers) {
                let (status, body) = if answers {
                    (200, json!({ "ready": true, "outputs": [] }))
                } else {
                    (503, json!({ "error": "the model is not loaded" }))
                };
                deeds.push(Deed::Answer { service: pods, status, body });
            }
        }
        deeds
    }

    fn settle(&mut self, service: &Value) -> Option<Deed> {
        let name = text(service, "/metadata/name");
        let mut predictor = service["spec"]["predictor"].clone();
        let percent =
            predictor.as_object_mut()?.remove("canaryTrafficPercent").and_then(|value| value.as_u64());
        // Pods have the annotations of their service, so that another one is another revision.
        predictor["annotations"] = service["metadata"]["annotations"].clone();
        let revisions = self.services.entry(text(service, "/metadata/uid").to_owned()).or_default();
        for revision in revisions.iter_mut() {
            revision.age = revision.age.saturating_add(1);
        }
        let before = revisions.clone();
        if revisions.last().is_none_or(|revision| revision.predictor != predictor) {
            let name = format!("{name}-predictor-{:05}", revisions.len() + 1);
            revisions.push(Revision { name, predictor, age: 0 });
        }
        let revisions = revisions.clone();
        let seen = if self.races && !before.is_empty() { &before } else { &revisions };
        let mut rolled = Rolled {
            out: text(service, "/status/components/predictor/latestRolledoutRevision").to_owned(),
            before: text(service, "/status/components/predictor/previousRolledoutRevision").to_owned(),
        };
        let ready = self.latest_ready(&revisions);
        rolled.take_gesture(percent, seen, self.latest_ready(seen));
        let traffic = shares(percent, ready, &rolled);
        rolled.advance(ready, &traffic);
        with_status(service, self.status(&revisions, ready, &rolled, &traffic))
    }

    fn latest_ready<'a>(&self, revisions: &'a [Revision]) -> Option<&'a Revision> {
        revisions.iter().rev().find(|revision| self.is_ready(revision))
    }

    fn is_ready(&self, revision: &Revision) -> bool {
        revision.age >= self.delay && !self.fails(revision)
    }

    fn fails(&self, revision: &Revision) -> bool {
        let address = text(&revision.predictor, "/model/storageUri");
        revision.age >= self.lasting && self.failing.as_ref().is_some_and(|part| address.contains(part))
    }

    fn status(
        &self,
        revisions: &[Revision],
        ready: Option<&Revision>,
        rolled: &Rolled,
        traffic: &[Value],
    ) -> Value {
        let newest = revisions.last();
        let (transition, failure) = match newest {
            Some(newest) if self.fails(newest) && !self.is_silent => (
                "BlockedByFailedLoad",
                json!({ "reason": "ModelLoadFailed", "message": "cannot load", "exitCode": 1 }),
            ),
            Some(newest) if !self.is_ready(newest) => ("InProgress", Value::Null),
            _ => ("UpToDate", Value::Null),
        };
        let named = |name: &str| if name.is_empty() { Value::Null } else { json!(name) };
        // The counter is the child's own, and `Ready` is about whatever serves.
        json!({
            "observedGeneration": revisions.len(),
            "deploymentMode": "Knative",
            "conditions": [{ "type": "Ready", "status": if ready.is_some() { "True" } else { "False" } }],
            "components": { "predictor": {
                "latestCreatedRevision": newest.map(|revision| &revision.name),
                "latestReadyRevision": ready.map(|revision| &revision.name),
                "latestRolledoutRevision": named(&rolled.out),
                "previousRolledoutRevision": named(&rolled.before),
                "traffic": traffic,
            } },
            "modelStatus": { "transitionStatus": transition, "lastFailureInfo": failure },
        })
    }
}

impl Revision {
    /// The Revision, and the Service that leads to its pods.
    fn objects(&self, service: &Value) -> [Value; 2] {
        let owner = json!([{
            "apiVersion": service["apiVersion"], "kind": service["kind"], "controller": true,
            "name": service["metadata"]["name"], "uid": service["metadata"]["uid"],
        }]);
        let metadata = |name: &str| json!({ "name": name, "namespace": service["metadata"]["namespace"], "ownerReferences": owner });
        let mut revision = json!({
            "apiVersion": "serving.knative.dev/v1", "kind": "Revision", "metadata": metadata(&self.name), "spec": {},
        });
        revision["metadata"]["annotations"] = json!({ ADDRESS: text(&self.predictor, "/model/storageUri") });
        let pods = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": metadata(&format!("{}-private", self.name)),
            "spec": { "ports": [{ "name": "http", "port": 80 }] },
        });
        [revision, pods]
    }
}

impl Rolled {
    /// A percent on a service at rest means the way back: the version before takes the place of what is rolled out.
    fn take_gesture(&mut self, percent: Option<u64>, revisions: &[Revision], ready: Option<&Revision>) {
        let newest = revisions.last().map(|revision| revision.name.as_str());
        let is_at_rest =
            newest == Some(self.out.as_str()) && ready.map(|ready| ready.name.as_str()) == newest;
        if percent.is_some_and(|percent| percent < 100) && is_at_rest && !self.before.is_empty() {
            self.out.clone_from(&self.before);
        }
    }

    /// The newest revision that has all the traffic is rolled out.
    fn advance(&mut self, ready: Option<&Revision>, traffic: &[Value]) {
        let Some(ready) = ready else { return };
        let has_all = traffic.iter().any(|share| share["latestRevision"] == true && share["percent"] == 100);
        if has_all && self.out != ready.name {
            self.before = std::mem::replace(&mut self.out, ready.name.clone());
        }
    }
}

/// `latestRevision` is the latest ready one, whatever was created since.
fn shares(percent: Option<u64>, ready: Option<&Revision>, rolled: &Rolled) -> Vec<Value> {
    let Some(ready) = ready else { return Vec::new() };
    let latest =
        |percent: u64| json!({ "revisionName": ready.name, "latestRevision": true, "percent": percent });
    match percent {
        Some(percent) if percent < 100 && !rolled.out.is_empty() => vec![
            latest(percent),
            json!({ "revisionName": rolled.out, "latestRevision": false, "percent": 100 - percent, "tag": "prev" }),
        ],
        _ => vec![latest(100)],
    }
}

impl Actor for InferenceServices {
    fn name(&self) -> &'static str {
        "kserve-controller-manager"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let services: Vec<&Value> = scene.all("inferenceservices.serving.kserve.io").collect();
        let mut deeds = orphans(scene);
        deeds.extend(services.into_iter().flat_map(|service| self.tend(scene, service)));
        deeds
    }
}

/// What belonged to inference services that are gone.
pub(super) fn orphans(scene: &Scene<'_>) -> Vec<Deed> {
    let is_orphan = |object: &&Value| {
        let owner = text(object, "/metadata/ownerReferences/0/uid");
        let mut owners = scene.all("inferenceservices.serving.kserve.io");
        !owner.is_empty() && !owners.any(|service| text(service, "/metadata/uid") == owner)
    };
    let owned = scene.all("revisions.serving.knative.dev").chain(scene.all("services"));
    let owned = owned.chain(scene.all("httproutes.gateway.networking.k8s.io"));
    owned.filter(is_orphan).map(|object| Deed::Delete(object.clone())).collect()
}

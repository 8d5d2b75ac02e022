//! The controller of inference services in Standard mode: a Service of pods per predictor, and canaries whose share reaches the
//! traffic only where it writes routes. The status repeats the share that is wanted, whether or not anybody has it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, kserve::orphans, named, text, with_status};

const MODE: &str = "serving.kserve.io/deploymentMode";
const ROUTES: &str = "httproutes.gateway.networking.k8s.io";

/// Plays inference services in Standard mode.
#[derive(Debug, Default)]
pub struct StandardServices {
    delay: u32,
    failing: Option<String>,
    /// Whether it writes routes that carry the shares of canaries, as no release up to 0.20 does.
    splits: bool,
    /// Steps that were taken, by Service of pods and address of the bytes.
    taken: BTreeMap<(String, String), u32>,
    /// Whether the pods behind a Service were said to answer.
    told: BTreeMap<String, bool>,
}

/// A predictor, and how its pods do.
struct Pods {
    /// Name of their Service.
    service: String,
    is_ready: bool,
    fails: bool,
}

impl StandardServices {
    /// One that writes routes; pods are ready after so many steps.
    pub fn splitting(steps: u32) -> Self {
        Self { delay: steps, splits: true, ..Self::default() }
    }

    /// One that writes none.
    pub fn ignoring() -> Self {
        Self::default()
    }

    /// One that writes routes; models with this text in their address cannot be loaded.
    pub fn failing(part: &str) -> Self {
        Self { failing: Some(part.to_owned()), ..Self::splitting(0) }
    }

    fn pods(&mut self, service: &Value, predictor: &Value, percent: u64) -> Pods {
        let (name, address) = (text(predictor, "/name"), text(predictor, "/model/storageUri"));
        let pods = [text(service, "/metadata/name"), name, "predictor"];
        let pods: Vec<&str> = pods.into_iter().filter(|part| !part.is_empty()).collect();
        let pods = pods.join("-");
        let taken = self.taken.entry((pods.clone(), address.to_owned())).or_default();
        *taken = taken.saturating_add(1);
        let fails = self.failing.as_ref().is_some_and(|part| address.contains(part));
        // So many pods follow from the share, rounded up.
        let has_pods = percent > 0 || predictor["minReplicas"].as_u64().unwrap_or_default() > 0;
        Pods { service: pods, is_ready: has_pods && !fails && *taken > self.delay, fails }
    }

    fn tend(&mut self, scene: &Scene<'_>, service: &Value) -> Vec<Deed> {
        let stable = self.pods(service, &service["spec"]["predictor"], 100);
        let written = service["spec"]["canary"].as_array().cloned().unwrap_or_default();
        let canaries: Vec<(Value, u64, Pods)> = written
            .into_iter()
            .map(|canary| {
                let percent = canary["trafficPercent"].as_u64().unwrap_or_default();
                let pods = self.pods(service, &canary["predictor"], percent);
                (canary, percent, pods)
            })
            .collect();
        let mut deeds = Vec::new();
        let all: Vec<&Pods> =
            std::iter::once(&stable).chain(canaries.iter().map(|(.., pods)| pods)).collect();
        for pods in &all {
            deeds.extend(self.shown(scene, service, pods));
        }
        deeds.extend(unwanted(scene, service, &all));
        let shares = canaries.iter().filter(|(.., pods)| pods.is_ready);
        let shares = shares.map(|(_, percent, pods)| (pods.service.clone(), *percent));
        if self.splits {
            deeds.extend(route(scene, service, &stable.service, &shares.collect::<Vec<_>>()));
        }
        let status = |(canary, percent, pods): &(Value, u64, Pods)| {
            json!({
                "name": canary["predictor"]["name"], "ready": pods.is_ready, "trafficPercent": percent,
                "modelStatus": model(pods),
            })
        };
        deeds.extend(with_status(
            service,
            json!({
                "deploymentMode": "Standard", "modelStatus": model(&stable),
                "conditions": [{ "type": "Ready", "status": if stable.is_ready { "True" } else { "False" } }],
                "canaryStatuses": canaries.iter().map(status).collect::<Vec<_>>(),
            }),
        ));
        deeds
    }

    /// The Service of pods, and what they answer.
    fn shown(&mut self, scene: &Scene<'_>, service: &Value, pods: &Pods) -> Vec<Deed> {
        let mut deeds = Vec::new();
        if scene.one("services", text(service, "/metadata/namespace"), &pods.service).is_none() {
            let spec = json!({ "ports": [{ "name": "http", "port": 80 }] });
            deeds.push(Deed::Create(owned(service, "v1", "Service", &pods.service, &spec)));
        }
        if self.told.insert(pods.service.clone(), pods.is_ready) != Some(pods.is_ready) {
            let (status, body) = if pods.is_ready {
                (200, json!({ "ready": true, "outputs": [] }))
            } else {
                (503, json!({ "error": "the model is not loaded" }))
            };
            deeds.push(Deed::Answer { service: pods.service.clone(), status, body });
        }
        deeds
    }
}

fn model(pods: &Pods) -> Value {
    match (pods.is_ready, pods.fails) {
        (true, _) => json!({ "transitionStatus": "UpToDate" }),
        (false, false) => json!({ "transitionStatus": "InProgress" }),
        (false, true) => json!({
            "transitionStatus": "BlockedByFailedLoad",
            "lastFailureInfo": { "reason": "ModelLoadFailed", "message": "cannot load" },
        }),
    }
}

/// An object that belongs to an inference service.
fn owned(service: &Value, version: &str, kind: &str, name: &str, spec: &Value) -> Value {
    let owner = json!([{
        "apiVersion": service["apiVersion"], "kind": service["kind"], "controller": true,
        "name": service["metadata"]["name"], "uid": service["metadata"]["uid"],
    }]);
    let metadata =
        json!({ "name": name, "namespace": service["metadata"]["namespace"], "ownerReferences": owner });
    json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec })
}

/// Services of predictors that are no longer written.
fn unwanted(scene: &Scene<'_>, service: &Value, all: &[&Pods]) -> Vec<Deed> {
    let uid = text(service, "/metadata/uid");
    let is_gone = |object: &&Value| {
        text(object, "/metadata/ownerReferences/0/uid") == uid
            && all.iter().all(|pods| pods.service != text(object, "/metadata/name"))
    };
    scene.all("services").filter(is_gone).map(|object| Deed::Delete(object.clone())).collect()
}

/// The route of an inference service: ready canaries have their share, and the stable predictor has the rest. What is kept inside the
/// cluster has none.
fn route(scene: &Scene<'_>, service: &Value, stable: &str, shares: &[(String, u64)]) -> Option<Deed> {
    let (namespace, name) = (text(service, "/metadata/namespace"), text(service, "/metadata/name"));
    let there = scene.one(ROUTES, namespace, name);
    if service["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local" {
        return there.map(|route| Deed::Delete(route.clone()));
    }
    let rest = 100_u64.saturating_sub(shares.iter().map(|(_, percent)| percent).sum());
    let backend = |(name, weight): (&str, u64)| json!({ "group": "", "kind": "Service", "name": name, "port": 80, "weight": weight });
    let backends =
        std::iter::once((stable, rest)).chain(shares.iter().map(|(name, weight)| (name.as_str(), *weight)));
    let backends: Vec<Value> = backends.map(backend).collect();
    match there {
        None => {
            let parents = json!([{ "name": "kserve-ingress-gateway", "namespace": "kserve" }]);
            let spec = json!({ "parentRefs": parents, "rules": [{ "backendRefs": backends }] });
            Some(Deed::Create(owned(service, "gateway.networking.k8s.io/v1", "HTTPRoute", name, &spec)))
        }
        Some(there) if there["spec"]["rules"][0]["backendRefs"] != json!(backends) => {
            let mut change = named(there);
            change["spec"] = json!({ "rules": [{ "backendRefs": backends }] });
            Some(Deed::Change(change))
        }
        Some(_) => None,
    }
}

impl Actor for StandardServices {
    fn name(&self) -> &'static str {
        "kserve-controller-manager"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let mut deeds = orphans(scene);
        for service in scene.all("inferenceservices.serving.kserve.io") {
            if service["metadata"]["annotations"][MODE] == "Standard" {
                deeds.extend(self.tend(scene, service));
            }
        }
        deeds
    }
}

//! `ReplicaSet`s and their pods, and the Services that lead to them.

use serde_json::{Value, json};

use super::{HASH, KIND, MANAGED_BY, Rollouts};
use crate::cluster::actors::{Deed, Scene, named, text, with_status};

const SETS: &str = "replicasets.apps";
/// Steps without a pod after which the controller's deadline has passed.
const DEADLINE: u32 = 4;

/// The pods of a template.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pods {
    pub(super) wanted: u64,
    pub(super) available: u64,
    /// Whether none comes any more.
    pub(super) failed: bool,
}

impl Rollouts {
    /// The pods of a template, as its `ReplicaSet` has them.
    pub(super) fn pods(&self, scene: &Scene<'_>, rollout: &Value, hash: &str) -> Pods {
        let name = format!("{}-{hash}", text(rollout, "/metadata/name"));
        let Some(set) = scene.one(SETS, text(rollout, "/metadata/namespace"), &name) else {
            return Pods::default();
        };
        let taken = self.taken.get(&name).copied().unwrap_or_default();
        let available = set["status"]["availableReplicas"].as_u64().unwrap_or_default();
        Pods {
            wanted: set["spec"]["replicas"].as_u64().unwrap_or_default(),
            available,
            failed: available == 0 && self.fails(set) && taken > DEADLINE,
        }
    }

    fn fails(&self, set: &Value) -> bool {
        self.failing.as_ref().is_some_and(|part| set["spec"]["template"].to_string().contains(part))
    }

    /// Makes the `ReplicaSet` of the template, scales all, and lets their pods come and go.
    pub(super) fn scale(
        &mut self,
        scene: &Scene<'_>,
        rollout: &Value,
        hash: &str,
        canaries: u64,
    ) -> Vec<Deed> {
        let stable = text(rollout, "/status/stableRS");
        let replicas = rollout["spec"]["replicas"].as_u64().unwrap_or(1);
        let mut deeds = Vec::new();
        let name = |hash: &str| format!("{}-{hash}", text(rollout, "/metadata/name"));
        if scene.one(SETS, text(rollout, "/metadata/namespace"), &name(hash)).is_none() {
            deeds.push(Deed::Create(made(rollout, hash, &name(hash), canaries)));
        }
        for set in owned(scene, rollout) {
            let its = text(set, "/metadata/labels/rollouts-pod-template-hash");
            let wanted = match its {
                its if its == stable => replicas,
                its if its == hash => canaries,
                _ => 0,
            };
            if set["spec"]["replicas"] != wanted {
                let mut change = named(set);
                change["spec"]["replicas"] = json!(wanted);
                deeds.push(Deed::Change(change));
            }
            let available = self.available(set, wanted);
            let status =
                json!({ "replicas": wanted, "readyReplicas": available, "availableReplicas": available });
            deeds.extend(with_status(set, status));
        }
        deeds
    }

    fn available(&mut self, set: &Value, wanted: u64) -> u64 {
        let template = set["spec"]["template"].to_string();
        let lost: u64 =
            self.lost.iter().filter(|(part, _)| template.contains(*part)).map(|(_, lost)| *lost).sum();
        let fails = self.fails(set);
        let taken = self.taken.entry(text(set, "/metadata/name").to_owned()).or_default();
        *taken = if wanted == 0 { 0 } else { taken.saturating_add(1) };
        if fails || *taken <= self.delay { 0 } else { wanted.saturating_sub(lost) }
    }

    /// Leads the Services to the pods that they are for, once there are any.
    pub(super) fn wire(&mut self, scene: &Scene<'_>, rollout: &Value) -> Vec<Deed> {
        let canary = &rollout["spec"]["strategy"]["canary"];
        let mut deeds = Vec::new();
        for (field, hash) in
            [("canaryService", "/status/currentPodHash"), ("stableService", "/status/stableRS")]
        {
            let (namespace, name) =
                (text(rollout, "/metadata/namespace"), text(canary, &format!("/{field}")));
            let Some(service) = scene.one("services", namespace, name) else { continue };
            let hash = text(rollout, hash);
            let has_pods = |hash: &str| self.pods(scene, rollout, hash).available > 0;
            let leads = service["spec"]["selector"][HASH].as_str().unwrap_or_default();
            if !hash.is_empty() && leads != hash && has_pods(hash) {
                let mut change = named(service);
                let mut selector = service["spec"]["selector"].clone();
                selector[HASH] = json!(hash);
                change["spec"]["selector"] = selector;
                change["metadata"]["annotations"][MANAGED_BY] = rollout["metadata"]["name"].clone();
                deeds.push(Deed::Change(change));
            }
            let is_open = service["spec"]["ports"][0]["targetPort"].is_u64();
            let answers = is_open && !leads.is_empty() && has_pods(leads);
            let said = (leads.to_owned(), answers);
            if self.told.insert(name.to_owned(), said.clone()) != Some(said) {
                let (status, body) = if answers {
                    (200, json!({ "ready": true }))
                } else {
                    (503, json!({ "error": "no pod" }))
                };
                deeds.push(Deed::Answer { service: name.to_owned(), status, body });
            }
        }
        deeds
    }
}

fn made(rollout: &Value, hash: &str, name: &str, replicas: u64) -> Value {
    let mut template = rollout["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": rollout["metadata"]["namespace"], "labels": labels,
            "ownerReferences": [{
                "apiVersion": rollout["apiVersion"], "kind": "Rollout", "name": rollout["metadata"]["name"],
                "uid": rollout["metadata"]["uid"], "controller": true,
            }],
        },
        "spec": { "replicas": replicas, "selector": { "matchLabels": labels }, "template": template },
    })
}

fn owned<'a>(scene: &Scene<'a>, rollout: &Value) -> Vec<&'a Value> {
    let uid = text(rollout, "/metadata/uid");
    scene.all(SETS).filter(|set| text(set, "/metadata/ownerReferences/0/uid") == uid).collect()
}

/// `ReplicaSet`s of rollouts that are gone.
pub(super) fn orphans(scene: &Scene<'_>) -> Vec<Deed> {
    let is_orphan = |set: &&Value| {
        set["metadata"]["ownerReferences"][0]["kind"] == "Rollout"
            && !scene
                .all(KIND)
                .any(|rollout| rollout["metadata"]["uid"] == set["metadata"]["ownerReferences"][0]["uid"])
    };
    scene.all(SETS).filter(is_orphan).map(|set| Deed::Delete(set.clone())).collect()
}

//! The controller of Argo Rollouts: `ReplicaSet`s by the hash of the template, steps, pauses, promotion, abortion, and what it
//! refuses. It looks at a rollout once a step, and never does two things of a walk at once.
//!
//! Traps of the real one are played: it writes the template back as it reads it, under its own name, so that fields get a second
//! owner; a specification that it refuses is *observed*, while everything else in the status stays that of the one before; steps that
//! change begin anew, and an abortion ends with them; a full promotion cannot be aborted.

mod pods;
mod validate;
mod walk;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, generation, named, text, with_status};
use walk::Sight;

/// The label by which pods of a template are told apart.
pub(super) const HASH: &str = "rollouts-pod-template-hash";
/// The annotation of the Services that it writes.
pub(super) const MANAGED_BY: &str = "argo-rollouts.argoproj.io/managed-by-rollouts";
const KIND: &str = "rollouts.argoproj.io";

/// Plays rollouts, their `ReplicaSet`s and pods, and the selectors of their Services.
#[derive(Debug, Default)]
pub struct Rollouts {
    delay: u32,
    failing: Option<String>,
    lost: BTreeMap<String, u64>,
    /// Steps for which a `ReplicaSet` wanted pods, by its name.
    taken: BTreeMap<String, u32>,
    /// The pods to which a Service was said to lead, and whether they answer.
    told: BTreeMap<String, (String, bool)>,
}

impl Rollouts {
    /// The pods of a template are there after so many steps.
    pub fn slow(steps: u32) -> Self {
        Self { delay: steps, ..Self::default() }
    }

    /// Templates with this text in them never get a pod, and it says so.
    pub fn failing(part: &str) -> Self {
        Self { failing: Some(part.to_owned()), ..Self::default() }
    }

    /// Templates with this text in them have lost so many pods, which do not come back.
    pub fn without_pods(part: &str, lost: u64) -> Self {
        Self { lost: BTreeMap::from([(part.to_owned(), lost)]), ..Self::default() }
    }

    fn tend(&mut self, scene: &Scene<'_>, rollout: &Value) -> Vec<Deed> {
        let normal = normalised(&rollout["spec"]["template"]);
        if normal != rollout["spec"]["template"] {
            let mut change = named(rollout);
            change["spec"]["template"] = normal;
            return vec![Deed::Change(change)];
        }
        if let Err(why) = validate::refused(scene, rollout) {
            return with_status(rollout, invalid(rollout, &why)).into_iter().collect();
        }
        let hash = hash(&rollout["spec"]["template"]);
        let sight = Sight { rollout, hash: &hash, new: self.pods(scene, rollout, &hash) };
        let next = walk::next(&sight);
        let mut status = next.status;
        // It writes the number as text.
        status["observedGeneration"] = json!(generation(rollout).to_string());
        let mut deeds: Vec<Deed> = with_status(rollout, status.clone()).into_iter().collect();
        let mut after = rollout.clone();
        super::super::patch::merge_patch(&mut after["status"], &status);
        deeds.extend(self.scale(scene, &after, &hash, next.canaries));
        deeds.extend(self.wire(scene, &after));
        deeds
    }
}

impl Actor for Rollouts {
    fn name(&self) -> &'static str {
        "rollouts-controller"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let mut deeds = pods::orphans(scene);
        for rollout in scene.all(KIND).collect::<Vec<_>>() {
            deeds.extend(self.tend(scene, rollout));
        }
        deeds
    }
}

/// The status of a specification that is refused: seen, with everything else as it was.
fn invalid(rollout: &Value, why: &str) -> Value {
    let message = format!("The Rollout \"{}\" is invalid: {why}", text(rollout, "/metadata/name"));
    json!({
        "observedGeneration": generation(rollout).to_string(), "phase": "Degraded",
        "message": format!("InvalidSpec: {message}"),
        "conditions": [condition("InvalidSpec", "True", "InvalidSpec", &message)],
    })
}

fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    let time = "2026-01-01T00:00:00Z";
    json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastTransitionTime": time, "lastUpdateTime": time,
    })
}

/// A template as it comes back from the controller's own types: with what those always write, and quantities in their usual form.
fn normalised(template: &Value) -> Value {
    let mut normal = template.clone();
    if !normal["metadata"].is_object() {
        normal["metadata"] = json!({});
    }
    for kind in ["containers", "initContainers"] {
        // Indexing for a change would make what is not there.
        let containers = normal["spec"].get_mut(kind).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if container.get("resources").is_none() {
                container["resources"] = json!({});
            }
            for kind in ["requests", "limits"] {
                let Some(cpu) = container.pointer_mut(&format!("/resources/{kind}/cpu")) else { continue };
                if let Some(cores) = cpu.as_str().and_then(|cpu| cpu.strip_suffix("000m")) {
                    *cpu = json!(cores);
                }
            }
        }
    }
    normal
}

/// The name of a template by its content.
fn hash(template: &Value) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    format!("{:010x}", hasher.finish() & 0xff_ffff_ffff)
}

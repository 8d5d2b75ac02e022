//! From one status to the next, as `rolloutCanary` of Argo Rollouts goes. Pure.

use serde_json::{Value, json};

use super::{condition, hash, pods::Pods};
use crate::cluster::actors::text;

/// What is looked at.
pub(super) struct Sight<'a> {
    pub(super) rollout: &'a Value,
    /// Of the template.
    pub(super) hash: &'a str,
    /// The pods of the template.
    pub(super) new: Pods,
}

/// What follows.
pub(super) struct Next {
    pub(super) status: Value,
    /// How many pods of the template are wanted.
    pub(super) canaries: u64,
}

impl Sight<'_> {
    fn status(&self) -> &Value {
        &self.rollout["status"]
    }

    fn steps(&self) -> &[Value] {
        self.rollout["spec"]["strategy"]["canary"]["steps"].as_array().map_or(&[], Vec::as_slice)
    }

    fn replicas(&self) -> u64 {
        self.rollout["spec"]["replicas"].as_u64().unwrap_or(1)
    }

    fn stable(&self) -> &str {
        text(self.status(), "/stableRS")
    }

    fn is_complete(&self) -> bool {
        self.new.available == self.replicas()
    }

    /// The share that the steps up to and with this one ask for.
    fn weight_at(&self, index: usize) -> u64 {
        let mut walked = self.steps().iter().take(index + 1).rev();
        walked.find_map(|step| step["setWeight"].as_u64()).unwrap_or_default()
    }

    /// How many pods the canary has at a step.
    fn scale_at(&self, index: usize) -> u64 {
        let of = |percent: u64| (self.replicas() * percent).div_ceil(100);
        let mut walked = self.steps().iter().take(index + 1).rev();
        let scale = walked.find_map(|step| step.get("setCanaryScale"));
        match scale.filter(|scale| scale["matchTrafficWeight"] != true) {
            Some(scale) => {
                scale["replicas"].as_u64().unwrap_or_else(|| of(scale["weight"].as_u64().unwrap_or(0)))
            }
            None => of(self.weight_at(index)),
        }
    }

    fn weights(&self, canary: u64, stable: &str) -> Value {
        json!({ "weights": {
            "canary": { "weight": canary, "podTemplateHash": self.hash },
            "stable": { "weight": 100 - canary, "podTemplateHash": stable },
        } })
    }

    fn standing(&self, index: usize, weight: u64, phase: &str, message: &str) -> Value {
        json!({
            "currentPodHash": self.hash, "currentStepIndex": index, "phase": phase, "message": message,
            "currentStepHash": self.step_hash(), "controllerPause": null, "pauseConditions": null,
            "conditions": [condition("Progressing", "True", "ReplicaSetUpdated", "")],
            "canary": self.weights(weight, self.stable()),
        })
    }

    fn step_hash(&self) -> String {
        hash(&json!(self.steps()))
    }

    fn at_rest(&self) -> Value {
        let mut status = self.standing(self.steps().len(), 0, "Healthy", "");
        status["stableRS"] = json!(self.hash);
        (status["abort"], status["promoteFull"]) = (Value::Null, Value::Null);
        status["canary"] = self.weights(0, self.hash);
        status
    }

    /// A template or steps that were not seen before: everything begins anew, and whatever was in force stays for now.
    fn anew(&self) -> Value {
        let index = if self.hash == self.stable() { self.steps().len() } else { 0 };
        let mut status = self.standing(index, 0, "Progressing", "more replicas need to be updated");
        status.as_object_mut().map(|status| status.remove("canary"));
        (status["abort"], status["promoteFull"]) = (Value::Null, Value::Null);
        status
    }
}

/// What follows from what there is.
pub(super) fn next(sight: &Sight<'_>) -> Next {
    let status = sight.status();
    let replicas = sight.replicas();
    let is_new = text(status, "/currentPodHash") != sight.hash
        || text(status, "/currentStepHash") != sight.step_hash();
    if is_new {
        let canaries = if sight.stable().is_empty() { replicas } else { sight.new.wanted };
        return Next { status: sight.anew(), canaries };
    }
    let all = |status| Next { status, canaries: replicas };
    let stable = sight.stable();
    let steps = sight.steps().len();
    if stable.is_empty() || stable == sight.hash {
        return all(match (sight.is_complete(), stable.is_empty()) {
            (true, _) => sight.at_rest(),
            (false, false) => sight.standing(steps, 0, "Progressing", "replicas are not available"),
            (false, true) => late(sight, 0, 0),
        });
    }
    let is_full = status["promoteFull"] == true;
    if status["abort"] == true && !is_full {
        let aborted = sight.standing(0, 0, "Degraded", "RolloutAborted: Rollout aborted update");
        return Next { status: aborted, canaries: sight.new.wanted };
    }
    let index = usize::try_from(status["currentStepIndex"].as_u64().unwrap_or_default()).unwrap_or_default();
    if is_full || index >= steps {
        let weight = if sight.is_complete() { 100 } else { sight.weight_at(steps) };
        return all(if sight.is_complete() { sight.at_rest() } else { late(sight, steps, weight) });
    }
    Next { status: step(sight, index), canaries: sight.scale_at(index) }
}

/// One step of the walk.
fn step(sight: &Sight<'_>, index: usize) -> Value {
    let status = sight.status();
    let is_at = sight.new.available == sight.scale_at(index);
    let weight = match (sight.new.available, is_at) {
        (0, _) => 0,
        // The share from before, until there are pods for more.
        (_, false) => index.checked_sub(1).map_or(0, |before| sight.weight_at(before)),
        (_, true) => sight.weight_at(index),
    };
    let has = status["canary"]["weights"]["canary"]["weight"] == weight
        && status["canary"]["weights"]["canary"]["podTemplateHash"] == sight.hash;
    let step = &sight.steps()[index];
    let waits = status["pauseConditions"].as_array().is_some_and(|conditions| !conditions.is_empty());
    if step.get("pause").is_some() {
        let was_let_go = status["controllerPause"] == true && !waits;
        let next = if was_let_go { index + 1 } else { index };
        let mut paused = sight.standing(next, weight, "Paused", "CanaryPauseStep");
        if !was_let_go {
            paused["controllerPause"] = json!(true);
            paused["pauseConditions"] =
                json!([{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }]);
        }
        return paused;
    }
    let is_done = is_at && (step.get("setCanaryScale").is_some() || has);
    if is_done { sight.standing(index + 1, weight, "Progressing", "") } else { late(sight, index, weight) }
}

/// Pods are still to come; or will not, after the deadline.
fn late(sight: &Sight<'_>, index: usize, weight: u64) -> Value {
    if !sight.new.failed {
        return sight.standing(index, weight, "Progressing", "more replicas need to be updated");
    }
    let message = "ProgressDeadlineExceeded: ReplicaSet has timed out progressing.";
    let mut status = sight.standing(index, weight, "Degraded", message);
    status["conditions"] = json!([condition("Progressing", "False", "ProgressDeadlineExceeded", message)]);
    status
}

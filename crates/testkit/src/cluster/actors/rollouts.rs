//! The controller of Argo Rollouts, as far as a delegate meets it: steps of weights and pauses, promotion, abortion, and
//! the way back by writing the old template.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, generation, text, with_status};

/// Plays rollouts.
#[derive(Debug, Default)]
pub struct Rollouts {
    delay: u32,
    /// Steps that were taken, by rollout and template.
    taken: BTreeMap<(String, String), u32>,
}

impl Rollouts {
    /// The pods of a template are there after so many steps.
    pub fn slow(steps: u32) -> Self {
        Self { delay: steps, taken: BTreeMap::new() }
    }

    fn tend(&mut self, rollout: &Value) -> Option<Deed> {
        let hash = hash(&rollout["spec"]["template"]);
        let taken = self.taken.entry((text(rollout, "/metadata/uid").to_owned(), hash.clone())).or_default();
        *taken = taken.saturating_add(1);
        let has_pods = *taken > self.delay;
        let mut status = next(rollout, &hash, has_pods);
        // It writes the number as text.
        status["observedGeneration"] = json!(generation(rollout).to_string());
        with_status(rollout, status)
    }
}

fn next(rollout: &Value, hash: &str, has_pods: bool) -> Value {
    let status = &rollout["status"];
    let steps = rollout["spec"]["strategy"]["canary"]["steps"].as_array().cloned().unwrap_or_default();
    let stable = text(status, "/stableRS");
    if hash == stable || (stable.is_empty() && has_pods) {
        return at_rest(hash, steps.len());
    }
    if stable.is_empty() {
        return json!({ "currentPodHash": hash, "phase": "Progressing", "message": "waiting for pods" });
    }
    let is_new = text(status, "/currentPodHash") != hash;
    if !is_new && status["promoteFull"] == true && has_pods {
        return at_rest(hash, steps.len());
    }
    if !is_new && status["abort"] == true {
        return standing(hash, 0, 0, "Degraded", "RolloutAborted: the update was aborted");
    }
    let index = if is_new { 0 } else { status["currentStepIndex"].as_u64().unwrap_or_default() };
    let weight =
        if is_new { 0 } else { status["canary"]["weights"]["canary"]["weight"].as_u64().unwrap_or_default() };
    let mut after = if has_pods {
        walk(&steps, status, hash, (index, weight), is_new)
    } else {
        standing(hash, index, weight, "Progressing", "waiting for pods")
    };
    if is_new {
        after["abort"] = Value::Null;
        after["promoteFull"] = Value::Null;
    }
    after
}

/// Goes on to the next pause or to the end. A pause whose conditions somebody took away is over.
fn walk(steps: &[Value], status: &Value, hash: &str, from: (u64, u64), is_new: bool) -> Value {
    let (mut index, mut weight) = from;
    let waits = status["pauseConditions"].as_array().is_some_and(|conditions| !conditions.is_empty());
    let mut was_let_go = !is_new && status["controllerPause"] == true && !waits;
    loop {
        let step = usize::try_from(index).ok().and_then(|index| steps.get(index));
        match step {
            None => return at_rest(hash, steps.len()),
            Some(step) if step["setWeight"].is_u64() => {
                weight = step["setWeight"].as_u64().unwrap_or_default();
                index += 1;
            }
            Some(_) if was_let_go => {
                was_let_go = false;
                index += 1;
            }
            Some(_) => {
                let mut paused = standing(hash, index, weight, "Paused", "CanaryPauseStep");
                paused["controllerPause"] = json!(true);
                paused["pauseConditions"] =
                    json!([{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }]);
                return paused;
            }
        }
    }
}

fn at_rest(hash: &str, steps: usize) -> Value {
    let mut status = standing(hash, steps as u64, 0, "Healthy", "");
    status["stableRS"] = json!(hash);
    status["abort"] = Value::Null;
    status["promoteFull"] = Value::Null;
    status
}

fn standing(hash: &str, index: u64, weight: u64, phase: &str, message: &str) -> Value {
    json!({
        "currentPodHash": hash, "currentStepIndex": index, "phase": phase, "message": message,
        "controllerPause": Value::Null, "pauseConditions": Value::Null,
        "canary": { "weights": { "canary": { "weight": weight }, "stable": { "weight": 100 - weight.min(100) } } },
    })
}

/// The name of a template by its content.
fn hash(template: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    format!("{:010x}", hasher.finish() & 0xff_ffff_ffff)
}

impl Actor for Rollouts {
    fn name(&self) -> &'static str {
        "rollouts-controller"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let rollouts: Vec<&Value> = scene.all("rollouts.argoproj.io").collect();
        rollouts.into_iter().filter_map(|rollout| self.tend(rollout)).collect()
    }
}

//! The controller of Flagger: a primary Deployment for each `Canary`, the analysis of new templates step by step, promotion and the
//! way back. It looks once a step, as the real one does once an interval.
//!
//! Traps of the real one are played: the status never says of which template it is but by a hash of its own; the share is only kept
//! while the analysis runs, and set to zero where it waits for a promotion or promotes; a failure leaves the template that failed in
//! place, and the status as it was until another one is noticed; and going back to the template that was promoted is no change.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use super::{Actor, Deed, Scene, named, text, with_status};

const KIND: &str = "canaries.flagger.app";
/// The annotation by which the primary Deployment's pods are made anew.
const ID: &str = "flagger-id";

/// Plays Flagger.
#[derive(Debug, Default)]
pub struct Flagger {
    failing: Option<String>,
    endless: Option<String>,
    gated: Option<String>,
    gate: Arc<AtomicBool>,
}

/// A `Canary` with the Deployment that it names.
struct Sight<'a> {
    scene: &'a Scene<'a>,
    canary: &'a Value,
    target: &'a Value,
    hash: String,
}

impl Flagger {
    /// Templates with this text fail every check once they have traffic.
    pub fn failing(part: &str) -> Self {
        Self { failing: Some(part.to_owned()), ..Self::default() }
    }

    /// A webhook never lets templates with this text go on from their first share.
    pub fn endless(part: &str) -> Self {
        Self { endless: Some(part.to_owned()), ..Self::default() }
    }

    /// A webhook keeps templates with this text from being promoted for as long as `gate` says so.
    pub fn gated(part: &str, gate: Arc<AtomicBool>) -> Self {
        Self { gated: Some(part.to_owned()), gate, ..Self::default() }
    }

    fn advance(&self, sight: &Sight<'_>) -> Vec<Deed> {
        let (spec, status) = (&sight.canary["spec"], &sight.canary["status"]);
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let (weight, failed) = (number(&status["canaryWeight"]), number(&status["failedChecks"]));
        let analysis = &spec["analysis"];
        let (step, most) = (number(&analysis["stepWeight"]).max(1), number(&analysis["maxWeight"]).max(1));
        let holds = |part: &Option<String>| {
            part.as_ref().is_some_and(|part| sight.target["spec"]["template"].to_string().contains(part))
        };
        let is_gated = holds(&self.gated) && self.gate.load(Ordering::Relaxed);
        match text(status, "/phase") {
            "" => sight.initialize(),
            "Initializing" => sight.settle("Initialized", 0),
            "Initialized" | "Succeeded" | "Failed" | "Progressing" | "WaitingPromotion"
                if sight.has_changed() =>
            {
                sight.begin()
            }
            "Progressing" if holds(&self.endless) && weight > 0 => vec![],
            "Progressing" if holds(&self.failing) && weight > 0 => {
                if failed >= number(&analysis["threshold"]).max(1) {
                    sight.settle("Failed", failed)
                } else {
                    sight.tell(json!({ "failedChecks": failed + 1 }))
                }
            }
            "Progressing" if weight < most => sight.tell(json!({ "canaryWeight": (weight + step).min(100) })),
            "Progressing" if is_gated => sight.enter("WaitingPromotion", &json!({})),
            "WaitingPromotion" if is_gated => vec![],
            "Progressing" | "WaitingPromotion" => {
                let mut deeds = sight.promote();
                deeds.extend(sight.enter("Promoting", &json!({})));
                deeds
            }
            "Promoting" => sight.enter("Finalising", &json!({})),
            "Finalising" => sight.settle("Succeeded", failed),
            _ => vec![],
        }
    }
}

impl Actor for Flagger {
    fn name(&self) -> &'static str {
        "flagger"
    }

    fn react(&mut self, scene: &Scene<'_>) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for canary in scene.all(KIND).filter(|canary| canary["spec"]["suspend"] != true) {
            let namespace = text(canary, "/metadata/namespace");
            let name = text(canary, "/spec/targetRef/name");
            let Some(target) = scene.one("deployments.apps", namespace, name) else { continue };
            let hash = hash(&target["spec"]["template"]);
            deeds.extend(self.advance(&Sight { scene, canary, target, hash }));
        }
        deeds
    }
}

impl Sight<'_> {
    /// Whether the template is another than was taken up last. That of the promotion is none.
    fn has_changed(&self) -> bool {
        let status = &self.canary["status"];
        status["lastPromotedSpec"] != self.hash.as_str() && status["lastAppliedSpec"] != self.hash.as_str()
    }

    fn primary(&self) -> String {
        format!("{}-primary", text(self.target, "/metadata/name"))
    }

    /// The template as the primary Deployment gets it: with what it is annotated with, and an id of its own.
    fn template(&self) -> Value {
        let mut template = self.target["spec"]["template"].clone();
        template["metadata"]["annotations"][ID] = json!(format!("{}-{}", self.hash, self.scene.now));
        template["metadata"]["labels"] = json!({ "app": self.primary() });
        template
    }

    fn initialize(&self) -> Vec<Deed> {
        let (primary, namespace) = (self.primary(), text(self.target, "/metadata/namespace"));
        let mut deeds = Vec::new();
        if self.scene.one("deployments.apps", namespace, &primary).is_none() {
            deeds.push(Deed::Create(json!({
                "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": { "name": primary, "namespace": namespace },
                "spec": { "selector": { "matchLabels": { "app": primary } }, "template": self.template() },
            })));
        }
        deeds.extend(self.enter("Initializing", &json!({})));
        deeds
    }

    fn begin(&self) -> Vec<Deed> {
        let mut deeds = vec![self.scale(1)];
        deeds.extend(self.enter(
            "Progressing",
            &json!({ "canaryWeight": 0, "failedChecks": 0, "iterations": 0, "lastAppliedSpec": self.hash }),
        ));
        deeds
    }

    fn promote(&self) -> Vec<Deed> {
        let mut change = named(self.target);
        change["metadata"]["name"] = json!(self.primary());
        change["spec"]["template"] = self.template();
        vec![Deed::Change(change)]
    }

    /// Ends, with no pods of the Deployment that was tried.
    fn settle(&self, phase: &str, failed: u64) -> Vec<Deed> {
        let status = &self.canary["status"];
        let mut more = json!({ "failedChecks": failed });
        match phase {
            "Initialized" => {
                more["lastAppliedSpec"] = json!(self.hash);
                more["lastPromotedSpec"] = json!(self.hash);
            }
            "Succeeded" => more["lastPromotedSpec"] = status["lastAppliedSpec"].clone(),
            _ => {}
        }
        let mut deeds = vec![self.scale(0)];
        deeds.extend(self.enter(phase, &more));
        deeds
    }

    fn scale(&self, replicas: u64) -> Deed {
        let mut change = named(self.target);
        change["spec"]["replicas"] = json!(replicas);
        Deed::Change(change)
    }

    /// Enters a phase. The share is forgotten on the way.
    fn enter(&self, phase: &str, more: &Value) -> Vec<Deed> {
        let mut status = json!({
            "phase": phase, "canaryWeight": 0, "iterations": 0,
            "conditions": [{
                "type": "Promoted", "status": promoted(phase), "reason": phase, "message": message(phase),
                "lastTransitionTime": self.scene.now, "lastUpdateTime": self.scene.now,
            }],
        });
        super::super::patch::merge_patch(&mut status, more);
        self.tell(status)
    }

    fn tell(&self, mut status: Value) -> Vec<Deed> {
        status["lastTransitionTime"] = json!(self.scene.now);
        with_status(self.canary, status).into_iter().collect()
    }
}

fn promoted(phase: &str) -> &'static str {
    match phase {
        "Initialized" | "Succeeded" => "True",
        "Failed" => "False",
        _ => "Unknown",
    }
}

/// What it says about a phase, in the sense of the real one.
fn message(phase: &str) -> &'static str {
    match phase {
        "Progressing" => "A new revision is analysed.",
        "WaitingPromotion" => "An approval is waited for.",
        "Promoting" => "The analysis is done, and the primary is updated.",
        "Finalising" => "The analysis is done, and all traffic goes to the primary.",
        "Succeeded" => "The analysis succeeded, and the promotion is done.",
        "Failed" => "The analysis failed, and the Deployment has no pods any more.",
        "Initialized" => "The Deployment is initialised.",
        _ => "A new Deployment is initialised.",
    }
}

/// The name of a template by its content.
fn hash(template: &Value) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    format!("{:08x}", hasher.finish() & 0xffff_ffff)
}

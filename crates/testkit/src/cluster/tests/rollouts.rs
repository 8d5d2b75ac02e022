//! Argo Rollouts, played.

use serde_json::{Value, json};

use super::{APPLY, JSON_PATCH, MERGE};
use crate::cluster::{
    FakeCluster,
    actors::{Actor, Rollouts},
};

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/churn";

struct Stage {
    cluster: FakeCluster,
    actors: Vec<Box<dyn Actor>>,
}

fn template(image: &str) -> Value {
    json!({ "spec": { "containers": [{ "name": "server", "image": image }] } })
}

impl Stage {
    fn new(actor: Rollouts) -> Self {
        let mut stage = Self { cluster: FakeCluster::start(), actors: vec![Box::new(actor)] };
        let steps = json!([{ "setWeight": 5 }, { "pause": {} }, { "setWeight": 50 }, { "pause": {} }]);
        let spec = json!({ "template": template("one"), "strategy": { "canary": { "steps": steps } } });
        let path = format!("{ROLLOUT}?fieldManager=tagship");
        assert_eq!(stage.cluster.act("PATCH", &path, APPLY, &json!({ "spec": spec })).0, 201);
        stage.steps(3);
        stage
    }

    fn steps(&mut self, number: usize) {
        for _ in 0..number {
            self.cluster.step(&mut self.actors);
        }
    }

    fn ship(&mut self, image: &str) {
        let change = json!([{ "op": "replace", "path": "/spec/template", "value": template(image) }]);
        assert_eq!(self.cluster.act("PATCH", ROLLOUT, JSON_PATCH, &change).0, 200);
        self.steps(1);
    }

    fn tell(&mut self, status: &Value) {
        let path = format!("{ROLLOUT}/status");
        assert_eq!(self.cluster.act("PATCH", &path, MERGE, &json!({ "status": status })).0, 200);
        self.steps(1);
    }

    fn status(&self) -> Value {
        self.cluster.object("rollouts.argoproj.io", "ml", "churn").unwrap()["status"].clone()
    }

    fn check(&self, phase: &str, step: u64, weight: u64) {
        let status = self.status();
        let seen =
            (&status["phase"], &status["currentStepIndex"], &status["canary"]["weights"]["canary"]["weight"]);
        assert_eq!(seen, (&json!(phase), &json!(step), &json!(weight)), "{status}");
    }
}

#[test]
fn steps_are_walked_pause_by_pause() {
    let mut stage = Stage::new(Rollouts::default());
    stage.check("Healthy", 4, 0);
    assert_eq!(stage.status()["observedGeneration"], "1", "a number as text");
    stage.ship("two");
    stage.check("Paused", 1, 5);
    stage.tell(&json!({ "pauseConditions": null }));
    stage.check("Paused", 3, 50);
    let before = stage.cluster.version();
    stage.steps(2);
    assert_eq!(stage.cluster.version(), before);
    stage.tell(&json!({ "pauseConditions": null }));
    stage.check("Healthy", 4, 0);
    assert_eq!(stage.status()["stableRS"], stage.status()["currentPodHash"]);
}

#[test]
fn pods_take_their_time() {
    let mut stage = Stage::new(Rollouts::slow(2));
    stage.ship("two");
    stage.check("Progressing", 0, 0);
    stage.steps(2);
    stage.check("Paused", 1, 5);
}

#[test]
fn a_full_promotion_skips_the_rest() {
    let mut stage = Stage::new(Rollouts::default());
    stage.ship("two");
    stage.tell(&json!({ "promoteFull": true }));
    stage.check("Healthy", 4, 0);
}

#[test]
fn an_abortion_stays_until_the_old_template_is_back() {
    let mut stage = Stage::new(Rollouts::default());
    stage.ship("two");
    stage.tell(&json!({ "abort": true }));
    stage.check("Degraded", 0, 0);
    stage.steps(3);
    stage.check("Degraded", 0, 0);
    stage.ship("one");
    stage.check("Healthy", 4, 0);
    assert_eq!(stage.status().get("abort"), None);
}

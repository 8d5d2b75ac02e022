//! Argo Rollouts, played.

use serde_json::{Value, json};

use super::{APPLY, JSON_PATCH, MERGE, PLAIN};
use crate::cluster::{
    FakeCluster,
    actors::{Actor, Rollouts},
};

const ROLLOUT: &str = "/apis/argoproj.io/v1alpha1/namespaces/ml/rollouts/churn";
const SERVICES: &str = "/api/v1/namespaces/ml/services";

struct Stage {
    cluster: FakeCluster,
    actors: Vec<Box<dyn Actor>>,
}

fn template(image: &str) -> Value {
    json!({ "metadata": { "labels": { "app": "churn" } }, "spec": { "containers": [{ "name": "server", "image": image }] } })
}

fn spec() -> Value {
    let steps = json!([
        { "setCanaryScale": { "replicas": 1 } }, { "setWeight": 5 }, { "pause": {} },
        { "setCanaryScale": { "matchTrafficWeight": true } }, { "setWeight": 50 }, { "pause": {} },
    ]);
    json!({
        "replicas": 4, "selector": { "matchLabels": { "app": "churn" } }, "template": template("one"),
        "strategy": { "canary": {
            "steps": steps, "canaryService": "canary", "stableService": "stable", "trafficRouting": { "nginx": {} },
        } },
    })
}

/// What is applied at the start.
fn applied() -> Value {
    let metadata = json!({ "name": "churn" });
    json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec() })
}

impl Stage {
    fn new(actor: Rollouts) -> Self {
        let mut stage = Self { cluster: FakeCluster::start(), actors: vec![Box::new(actor)] };
        for name in ["canary", "stable"] {
            let spec =
                json!({ "selector": { "app": "churn" }, "ports": [{ "port": 80, "targetPort": 8080 }] });
            let service = json!({ "metadata": { "name": name }, "spec": spec });
            assert_eq!(stage.cluster.act("POST", SERVICES, PLAIN, &service).0, 201);
        }
        let path = format!("{ROLLOUT}?fieldManager=tagship");
        assert_eq!(stage.cluster.act("PATCH", &path, APPLY, &applied()).0, 201);
        stage.settle();
        stage
    }

    fn steps(&mut self, number: usize) {
        for _ in 0..number {
            self.cluster.step(&mut self.actors);
        }
    }

    /// Until nothing has changed for a while.
    fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..60 {
            let before = self.cluster.version();
            self.steps(1);
            quiet = if self.cluster.version() == before { quiet + 1 } else { 0 };
            if quiet > 6 {
                return;
            }
        }
        panic!("it never comes to rest: {}", self.status());
    }

    fn change(&self, path: &str, value: &Value) {
        let change = json!([{ "op": "replace", "path": path, "value": value }]);
        let (status, answer) = self.cluster.act("PATCH", ROLLOUT, JSON_PATCH, &change);
        assert_eq!(status, 200, "{answer}");
    }

    fn ship(&mut self, image: &str) {
        self.change("/spec/template", &template(image));
        self.settle();
    }

    fn tell(&mut self, status: &Value) {
        let path = format!("{ROLLOUT}/status");
        assert_eq!(self.cluster.act("PATCH", &path, MERGE, &json!({ "status": status })).0, 200);
        self.settle();
    }

    fn rollout(&self) -> Value {
        self.cluster.object("rollouts.argoproj.io", "ml", "churn").unwrap()
    }

    fn status(&self) -> Value {
        self.rollout()["status"].clone()
    }

    fn leads(&self, service: &str) -> Value {
        let service = self.cluster.object("services", "ml", service).unwrap();
        service["spec"]["selector"]["rollouts-pod-template-hash"].clone()
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
    stage.check("Healthy", 6, 0);
    let generation = stage.rollout()["metadata"]["generation"].as_u64().unwrap();
    assert_eq!(stage.status()["observedGeneration"], json!(generation.to_string()), "a number as text");
    stage.ship("two");
    stage.check("Paused", 2, 5);
    assert_eq!(stage.leads("canary"), stage.status()["currentPodHash"]);
    assert_eq!(stage.leads("stable"), stage.status()["stableRS"]);
    assert_ne!(stage.leads("stable"), stage.leads("canary"));
    stage.tell(&json!({ "pauseConditions": null }));
    stage.check("Paused", 5, 50);
    stage.tell(&json!({ "pauseConditions": null }));
    stage.check("Healthy", 6, 0);
    assert_eq!(stage.leads("stable"), stage.status()["currentPodHash"]);
    assert_eq!(stage.status()["stableRS"], stage.status()["currentPodHash"]);
}

#[test]
fn pods_take_their_time_and_only_those_that_are_there_get_traffic() {
    let mut stage = Stage::new(Rollouts::slow(3));
    stage.change("/spec/template", &template("two"));
    let stable = stage.leads("stable");
    for _ in 0..6 {
        stage.steps(1);
        let status = stage.status();
        assert_eq!(status["canary"]["weights"]["canary"]["weight"], 0, "{status}");
    }
    assert_eq!(stage.leads("stable"), stable);
    stage.settle();
    stage.check("Paused", 2, 5);
}

#[test]
fn it_writes_the_template_back_under_its_own_name() {
    let stage = Stage::new(Rollouts::default());
    let rollout = stage.rollout();
    assert_eq!(rollout["spec"]["template"]["spec"]["containers"][0]["resources"], json!({}));
    let owners = rollout["metadata"]["managedFields"].as_array().unwrap().clone();
    let its = |owner: &&Value| owner["manager"] == "rollouts-controller" && owner["subresource"].is_null();
    assert!(owners.iter().find(its).unwrap()["fieldsV1"].to_string().contains("f:template"), "{owners:?}");
    let path = format!("{ROLLOUT}?fieldManager=tagship");
    let (status, _) = stage.cluster.act("PATCH", &path, APPLY, &applied());
    assert_eq!(status, 409, "an apply without what it wrote conflicts");
}

#[test]
fn what_it_refuses_is_observed_and_the_rest_of_the_status_stays() {
    let mut stage = Stage::new(Rollouts::default());
    let before = stage.status()["currentPodHash"].clone();
    for (path, value, why) in [
        ("/spec/strategy/canary/steps", json!([{ "setWeight": 5, "pause": {} }]), "one of the following"),
        ("/spec/strategy/canary/steps", json!([{ "setWeight": 101 }]), "between 0 and 100"),
        ("/spec/strategy/canary/stableService", json!("canary"), "same service"),
        ("/spec/strategy/canary/stableService", json!("other"), "not found"),
        ("/spec/template", json!({ "spec": { "containers": [] } }), "does not match template"),
    ] {
        stage.change("/spec", &spec());
        stage.settle();
        stage.change(path, &value);
        stage.settle();
        let (status, generation) = (stage.status(), stage.rollout()["metadata"]["generation"].to_string());
        assert_eq!(
            (&status["phase"], &status["observedGeneration"]),
            (&json!("Degraded"), &json!(generation))
        );
        assert_eq!(
            (&status["conditions"][0]["type"], &status["currentPodHash"]),
            (&json!("InvalidSpec"), &before)
        );
        assert!(status["message"].as_str().unwrap().contains(why), "{status}");
    }
}

#[test]
fn services_of_others_are_refused() {
    for change in [
        json!({ "spec": { "selector": { "app": "churn", "mine": "yes" } } }),
        json!({ "metadata": { "annotations": { "argo-rollouts.argoproj.io/managed-by-rollouts": "other" } } }),
    ] {
        let mut stage = Stage::new(Rollouts::default());
        let path = format!("{SERVICES}/stable");
        assert_eq!(stage.cluster.act("PATCH", &path, MERGE, &change).0, 200);
        stage.settle();
        assert_eq!(stage.status()["conditions"][0]["type"], "InvalidSpec", "{}", stage.status());
    }
}

#[test]
fn steps_that_change_begin_anew_and_end_an_abortion() {
    let mut stage = Stage::new(Rollouts::default());
    stage.ship("two");
    stage.tell(&json!({ "abort": true }));
    stage.check("Degraded", 0, 0);
    stage.change("/spec/strategy/canary/steps", &json!([{ "setWeight": 25 }, { "pause": {} }]));
    stage.settle();
    stage.check("Paused", 1, 25);
    stage.change("/spec/strategy/canary/steps", &json!([{ "setWeight": 25 }, { "setWeight": 100 }]));
    stage.settle();
    stage.check("Healthy", 2, 0);
}

#[test]
fn a_full_promotion_skips_the_rest_and_cannot_be_aborted() {
    let mut stage = Stage::new(Rollouts::default());
    stage.ship("two");
    stage.tell(&json!({ "promoteFull": true, "abort": true }));
    stage.check("Healthy", 6, 0);
    assert_eq!(stage.status()["stableRS"], stage.status()["currentPodHash"]);
}

#[test]
fn an_abortion_stays_until_the_old_template_is_back() {
    let mut stage = Stage::new(Rollouts::default());
    stage.ship("two");
    stage.tell(&json!({ "abort": true }));
    stage.check("Degraded", 0, 0);
    stage.ship("one");
    stage.check("Healthy", 6, 0);
    assert_eq!(stage.status().get("abort"), None);
}

#[test]
fn a_template_without_pods_is_called_late_and_gets_nothing() {
    let mut stage = Stage::new(Rollouts::failing("two"));
    stage.ship("two");
    stage.check("Degraded", 0, 0);
    assert_eq!(stage.status()["conditions"][0]["reason"], "ProgressDeadlineExceeded");
    let mut stage = Stage::new(Rollouts::without_pods("two", 1));
    stage.ship("two");
    stage.check("Progressing", 0, 0);
}

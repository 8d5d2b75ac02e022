//! Flagger, played.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use super::{MERGE, PLAIN};
use crate::cluster::{
    FakeCluster,
    actors::{Actor, Flagger},
};

const CANARIES: &str = "/apis/flagger.app/v1beta1/namespaces/ml/canaries";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ml/deployments";

struct Stage {
    cluster: FakeCluster,
    actors: Vec<Box<dyn Actor>>,
}

fn template(image: &str) -> Value {
    json!({
        "metadata": { "labels": { "app": "churn" }, "annotations": { "of": image } },
        "spec": { "containers": [{ "name": "server", "image": image }] },
    })
}

impl Stage {
    /// The first template is initialised.
    fn new(flagger: Flagger) -> Self {
        let mut stage = Self { cluster: FakeCluster::start(), actors: vec![Box::new(flagger)] };
        let make = |path: &str, kind: [&str; 2], spec: Value| {
            let [version, kind] = kind;
            let object =
                json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "churn" }, "spec": spec });
            assert_eq!(stage.cluster.act("POST", path, PLAIN, &object).0, 201);
        };
        let selector = json!({ "matchLabels": { "app": "churn" } });
        make(
            DEPLOYMENTS,
            ["apps/v1", "Deployment"],
            json!({ "selector": selector, "template": template("one") }),
        );
        let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "churn" });
        let analysis = json!({ "threshold": 2, "stepWeight": 30, "maxWeight": 60 });
        make(
            CANARIES,
            ["flagger.app/v1beta1", "Canary"],
            json!({ "targetRef": target, "analysis": analysis }),
        );
        assert_eq!(stage.walk(3), ["Initializing 0", "Initialized 0", "Initialized 0"]);
        assert_eq!(stage.images(), ["one", "one"]);
        stage
    }

    fn ship(&self, image: &str) {
        let change = json!({ "spec": { "template": template(image) } });
        assert_eq!(self.cluster.act("PATCH", &format!("{DEPLOYMENTS}/churn"), MERGE, &change).0, 200);
    }

    fn status(&self) -> Value {
        self.cluster.object("canaries.flagger.app", "ml", "churn").unwrap()["status"].clone()
    }

    /// Phase and share after each of so many steps.
    fn walk(&mut self, steps: usize) -> Vec<String> {
        let step = |_| {
            self.cluster.step(&mut self.actors);
            let status = self.status();
            format!("{} {}", status["phase"].as_str().unwrap(), status["canaryWeight"].as_f64().unwrap())
        };
        (0..steps).map(step).collect()
    }

    /// What the two Deployments are annotated with: the one that is tried, and the primary one.
    fn images(&self) -> [String; 2] {
        ["churn", "churn-primary"].map(|name| {
            let object = self.cluster.object("deployments.apps", "ml", name).unwrap();
            object["spec"]["template"]["metadata"]["annotations"]["of"].as_str().unwrap().to_owned()
        })
    }
}

#[test]
fn a_new_template_is_analysed_step_by_step_and_then_promoted() {
    let mut stage = Stage::new(Flagger::default());
    let hash = stage.status()["lastAppliedSpec"].clone();
    stage.ship("two");
    let way =
        ["Progressing 0", "Progressing 30", "Progressing 60", "Promoting 0", "Finalising 0", "Succeeded 0"];
    assert_eq!(stage.walk(3), way[..3]);
    assert_eq!(stage.images(), ["two", "one"], "the primary keeps its template until the promotion");
    assert_ne!(stage.status()["lastAppliedSpec"], hash);
    assert_eq!(stage.status()["lastPromotedSpec"], hash);
    assert_eq!(stage.walk(3), way[3..]);
    assert_eq!(stage.images(), ["two", "two"]);
    assert_eq!(stage.status()["lastPromotedSpec"], stage.status()["lastAppliedSpec"]);
    assert_eq!(stage.walk(1), ["Succeeded 0"]);
}

#[test]
fn a_template_that_fails_stays_where_it_is_and_the_primary_too() {
    let mut stage = Stage::new(Flagger::failing("two"));
    stage.ship("two");
    let way = ["Progressing 0", "Progressing 30", "Progressing 30", "Progressing 30", "Failed 0", "Failed 0"];
    assert_eq!(stage.walk(6), way);
    assert_eq!(
        (stage.images(), stage.status()["failedChecks"].as_f64()),
        (["two".to_owned(), "one".to_owned()], Some(2.0))
    );
    // Going back is no change: the status stays.
    stage.ship("one");
    assert_eq!(stage.walk(1), ["Failed 0"]);
    stage.ship("three");
    assert_eq!(stage.walk(1), ["Progressing 0"]);
}

#[test]
fn another_template_begins_the_analysis_anew() {
    let mut stage = Stage::new(Flagger::endless("two"));
    stage.ship("two");
    assert_eq!(stage.walk(4), ["Progressing 0", "Progressing 30", "Progressing 30", "Progressing 30"]);
    stage.ship("three");
    assert_eq!(stage.walk(2), ["Progressing 0", "Progressing 30"]);
}

#[test]
fn a_gate_holds_the_promotion() {
    let gate = Arc::new(AtomicBool::new(true));
    let mut stage = Stage::new(Flagger::gated("two", Arc::clone(&gate)));
    stage.ship("two");
    assert_eq!(stage.walk(5)[3..], ["WaitingPromotion 0", "WaitingPromotion 0"], "the share is forgotten");
    gate.store(false, Ordering::Relaxed);
    assert_eq!(stage.walk(1), ["Promoting 0"]);
}

#[test]
fn one_that_is_suspended_is_left_alone() {
    let mut stage = Stage::new(Flagger::default());
    let suspend = json!({ "spec": { "suspend": true } });
    assert_eq!(stage.cluster.act("PATCH", &format!("{CANARIES}/churn"), MERGE, &suspend).0, 200);
    stage.ship("two");
    assert_eq!(stage.walk(2), ["Initialized 0", "Initialized 0"]);
}

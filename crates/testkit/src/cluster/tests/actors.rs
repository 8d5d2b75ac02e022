//! What the played controllers do.

use serde_json::{Value, json};

use super::{MERGE, PLAIN, apply, route, stored};
use crate::cluster::{
    FakeCluster,
    actors::{Actor, Deployments, Gateway},
};

const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/ml/deployments";

fn with_deployment() -> FakeCluster {
    let cluster = FakeCluster::start();
    let spec = json!({
        "replicas": 3, "selector": { "matchLabels": { "app": "churn" } },
        "template": {
            "metadata": { "labels": { "app": "churn" } },
            "spec": { "containers": [{ "name": "server", "image": "server:1" }] },
        },
    });
    let object = json!({ "metadata": { "name": "churn" }, "spec": spec });
    let (status, made) = cluster.act("POST", DEPLOYMENTS, PLAIN, &object);
    assert_eq!(status, 201, "{made}");
    cluster
}

/// Lets an actor look once, and answers the Deployment's status.
fn step(cluster: &FakeCluster, actor: Deployments) -> Value {
    cluster.step(&mut [Box::new(actor)]);
    cluster.object("deployments.apps", "ml", "churn").unwrap()["status"].clone()
}

fn available(status: &Value) -> (&Value, &Value) {
    (&status["observedGeneration"], &status["availableReplicas"])
}

#[test]
fn pods_come_when_their_time_has_come() {
    let cluster = with_deployment();
    let mut actors: Vec<Box<dyn Actor>> = vec![Box::new(Deployments::slow(2))];
    let status = || cluster.object("deployments.apps", "ml", "churn").unwrap()["status"].clone();
    let mut seen = Vec::new();
    for _ in 0..3 {
        cluster.step(&mut actors);
        // A server leaves out a count of none.
        seen.push(status()["availableReplicas"].as_u64().unwrap_or(0));
    }
    assert_eq!(seen, [0, 0, 3]);
    let before = cluster.version();
    cluster.step(&mut actors);
    assert_eq!(cluster.version(), before, "at rest nothing is written");
}

#[test]
fn pods_fail_or_get_lost() {
    let cluster = with_deployment();
    let failing = Deployments::failing("churn");
    let status = step(&cluster, failing);
    assert_eq!(status["conditions"][1]["reason"], "ProgressDeadlineExceeded");
    assert_eq!(available(&step(&cluster, Deployments::default())), (&json!(1), &json!(3)));
    let status = step(&cluster, Deployments::without_pods("churn", 2));
    assert_eq!(available(&status), (&json!(1), &json!(1)));
    assert_eq!(status["unavailableReplicas"], 2);
}

fn conditions(cluster: &FakeCluster) -> Vec<(String, String, u64)> {
    let route = stored(cluster);
    let conditions = route["status"]["parents"][0]["conditions"].as_array().cloned().unwrap_or_default();
    let read = |condition: &Value| {
        let text = |field: &str| condition[field].as_str().unwrap().to_owned();
        (text("type"), text("reason"), condition["observedGeneration"].as_u64().unwrap())
    };
    conditions.iter().map(read).collect()
}

#[test]
fn a_gateway_says_what_it_takes() {
    let cluster = FakeCluster::start();
    assert_eq!(apply(&cluster, "tagship", &route([100, 0])).0, 201);
    let mut actors: Vec<Box<dyn Actor>> = vec![Box::new(Gateway::named("public"))];
    cluster.step(&mut actors);
    let said = |kind: &str, reason: &str, generation: u64| (kind.to_owned(), reason.to_owned(), generation);
    assert_eq!(
        conditions(&cluster),
        [said("Accepted", "Accepted", 1), said("ResolvedRefs", "BackendNotFound", 1)]
    );
    for (name, port) in [("stable", 80), ("candidate", 8080)] {
        let service = json!({ "metadata": { "name": name }, "spec": { "ports": [{ "port": port }] } });
        assert_eq!(cluster.act("POST", "/api/v1/namespaces/ml/services", PLAIN, &service).0, 201);
    }
    cluster.step(&mut actors);
    let said_of_port = stored(&cluster)["status"]["parents"][0]["conditions"][1]["message"].clone();
    assert_eq!(said_of_port, "service candidate has no port 80");
    let ports = json!({ "spec": { "ports": [{ "port": 80 }] } });
    assert_eq!(cluster.act("PATCH", "/api/v1/namespaces/ml/services/candidate", MERGE, &ports).0, 200);
    cluster.step(&mut actors);
    assert_eq!(conditions(&cluster)[1], said("ResolvedRefs", "ResolvedRefs", 1));
}

#[test]
fn a_gateway_may_be_late_lie_or_refuse() {
    let cluster = FakeCluster::start();
    assert_eq!(apply(&cluster, "tagship", &route([100, 0])).0, 201);
    let mut late = Gateway::named("public");
    late.delay = 1;
    let mut actors: Vec<Box<dyn Actor>> = vec![Box::new(late)];
    cluster.step(&mut actors);
    assert!(conditions(&cluster).is_empty());
    cluster.step(&mut actors);
    assert_eq!(conditions(&cluster)[0].2, 1);

    assert_eq!(apply(&cluster, "tagship", &route([90, 10])).0, 200);
    let mut liar = Gateway::named("public");
    liar.lies = true;
    cluster.step(&mut [Box::new(liar)]);
    assert_eq!(conditions(&cluster)[0].2, 1, "the generation is 2");

    let mut refuses = Gateway::named("public");
    refuses.accepts = false;
    cluster.step(&mut [Box::new(refuses)]);
    assert_eq!(conditions(&cluster)[0].1, "NotAllowedByListeners");
    cluster.step(&mut [Box::new(Gateway::named("other"))]);
    assert!(conditions(&cluster).is_empty(), "the route is of no parent of that one");
}

//! The controllers that a bare API server lacks, played on the one that `TAGSHIP_TEST_KUBECONFIG` names until standard
//! input ends: of `KServe` in Knative mode, Argo Rollouts, Deployments and gateways. A Service whose pods answer leads to
//! the one address that is given, where something stands in for all of them; others lead nowhere.
//!
//! usage: `played_controllers ADDRESS PORT NAMESPACE...`, with an address that API servers lead requests to: none of 127.0.0.0/8.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a helper of tests, which watch its standard error"
)]

use std::{
    collections::BTreeMap,
    io::{self, Read as _},
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};

use serde_json::{Value, json};
use tagship_testkit::cluster::{
    FakeCluster,
    actors::{Actor, Deployments, Gateway, InferenceServices, Rollouts},
};

/// Between two looks of the controllers.
const PAUSE: Duration = Duration::from_millis(200);
/// The one pod of a namespace. API servers lead requests only to an address that is a pod's.
const POD: &str = "played";
/// The name of every gateway that takes routes.
const GATEWAY: &str = "public";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [address, port, namespaces @ ..] = words.as_slice() else {
        panic!("usage: ADDRESS PORT NAMESPACE...")
    };
    let port: u16 = port.parse().expect("a port is a number");
    let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    let cluster = FakeCluster::beside(&names).expect("TAGSHIP_TEST_KUBECONFIG names a server");
    let mut actors: Vec<Box<dyn Actor>> = vec![
        Box::new(InferenceServices::slow(2)),
        Box::new(Rollouts::slow(2)),
        Box::new(Deployments::slow(2)),
        Box::new(Gateway::named(GATEWAY)),
    ];
    let mut led = BTreeMap::new();
    let ended = end_of_input();
    while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        for refused in cluster.step_beside_others(&mut actors) {
            eprintln!("{refused}");
        }
        for namespace in namespaces {
            lead(&cluster, namespace, address, port, &mut led);
        }
    }
}

/// Leads every Service of a namespace to where its pods answer, once that has changed.
fn lead(
    cluster: &FakeCluster,
    namespace: &str,
    address: &str,
    port: u16,
    led: &mut BTreeMap<(String, String), bool>,
) {
    for (service, (status, _)) in cluster.served() {
        let Some(object) = cluster.object("services", namespace, &service) else { continue };
        let key = (text(&object["metadata"]["uid"]), service.clone());
        let answers = status == 200;
        if led.get(&key) == Some(&answers) {
            continue;
        }
        let ports = json!([{ "name": object["spec"]["ports"][0]["name"], "port": port }]);
        let pod = json!({ "kind": "Pod", "namespace": namespace, "name": POD });
        let subset = json!({ "addresses": [{ "ip": address, "targetRef": pod }], "ports": ports });
        let made = if answers {
            run_pod(cluster, namespace, address)
                .and_then(|()| publish(cluster, namespace, &service, &json!([subset])))
        } else {
            publish(cluster, namespace, &service, &json!([]))
        };
        match made {
            Ok(()) => _ = led.insert(key, answers),
            Err(why) => eprintln!("service {service}: {why}"),
        }
    }
}

/// Says where the pods of a Service are.
fn publish(cluster: &FakeCluster, namespace: &str, service: &str, subsets: &Value) -> Result<(), String> {
    let endpoints = json!({
        "apiVersion": "v1", "kind": "Endpoints", "metadata": { "name": service, "namespace": namespace },
        "subsets": subsets,
    });
    let collection = format!("/api/v1/namespaces/{namespace}/endpoints");
    match cluster.act("POST", &collection, "application/json", &endpoints) {
        (409, _) => {
            done(&cluster.act("PUT", &format!("{collection}/{service}"), "application/json", &endpoints))
        }
        answer => done(&answer),
    }
}

/// A pod with an address, as a node's agent would run it, unless it runs.
fn run_pod(cluster: &FakeCluster, namespace: &str, address: &str) -> Result<(), String> {
    let pods = format!("/api/v1/namespaces/{namespace}/pods");
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": POD },
        "spec": { "containers": [{ "name": "server", "image": "registry.example.org/server:1" }] },
    });
    let made = cluster.act("POST", &pods, "application/json", &pod);
    if made.0 != 409 {
        done(&made)?;
    }
    let status = json!({ "status": { "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }] } });
    done(&cluster.act("PATCH", &format!("{pods}/{POD}/status"), "application/merge-patch+json", &status))
}

fn done((status, said): &(u16, Value)) -> Result<(), String> {
    if *status < 300 { Ok(()) } else { Err(said.to_string()) }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Ends when standard input does, with whoever holds the other side.
fn end_of_input() -> mpsc::Receiver<()> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        drop(sender);
    });
    receiver
}

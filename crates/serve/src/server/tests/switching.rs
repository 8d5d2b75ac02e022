//! Traffic moves while it flows.

use std::{
    fs,
    path::Path,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tagship_domain::{
    golden::{self, Comparison, GoldenCases, Tensor, Tolerance},
    schema,
};

use super::*;
use crate::EngineLoader;

const CONNECTIONS: usize = 200;
const SWITCHES: u64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_versions_change() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    let content = |number: u64| format!("label {number}").into_bytes();
    let belongs = |number: u64, outputs: &Value| outputs[0]["data"][0] == number;
    switch_under_load(server, content, request("a"), belongs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_real_models_change() {
    let models: Vec<_> = ["v1", "v2", "v3", "v4"].into_iter().map(real_model).collect();
    let at = tempfile::tempdir().unwrap();
    let server = start_loading(settings(at.path()), Arc::new(EngineLoader::default()), Arc::default()).await;
    let of = move |number: u64| models[usize::try_from(number).unwrap() % models.len()].clone();
    let request = json!({ "inputs": of(0).1.cases[0].inputs });
    let content = of.clone();
    let belongs = move |number: u64, outputs: &Value| {
        let outputs: Vec<Tensor> = serde_json::from_value(outputs.clone()).unwrap();
        let tolerance = Tolerance { absolute: 1e-4, relative: 1e-4 };
        let difference = golden::compare(&of(number).1.cases[0].expected, &outputs, tolerance);
        matches!(difference, Comparison::Equal(_))
    };
    switch_under_load(server, move |number| content(number).0, request, belongs).await;
}

/// A churn model and its golden cases, all of which begin with the same customer.
fn real_model(name: &str) -> (Vec<u8>, GoldenCases) {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/models/churn").join(name);
    let cases = schema::from_json(&fs::read_to_string(home.join("golden.json")).unwrap()).unwrap();
    (fs::read(home.join("model.onnx")).unwrap(), cases)
}

/// 200 connections ask without a break while 50 versions are loaded, promoted and unloaded, one after the other. Every
/// answer must come from the version it names, and no connection may see an older version after a newer one.
async fn switch_under_load(
    server: Running,
    content: impl Fn(u64) -> Vec<u8>,
    request: Value,
    belongs: impl Fn(u64, &Value) -> bool + Clone + Send + 'static,
) {
    server.load("v1.0.0", content(0), 1).await;
    server.promote("v1.0.0", 1).await;
    let (done, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut askers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (done, answered, mut client) = (Arc::clone(&done), Arc::clone(&answered), server.client().await);
        let (request, belongs) = (request.clone(), belongs.clone());
        askers.push(tokio::spawn(async move {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let (status, body) = client.json("POST", "/v2/models/churn/infer", &request).await;
                assert_eq!(status, 200, "{body}");
                let version = body["model_version"].as_str().unwrap();
                let number = version.split('.').nth(1).unwrap().parse().unwrap();
                assert!(belongs(number, &body["outputs"]), "{version} does not answer so: {body}");
                assert!(number >= last, "v1.{last}.0 was replaced by {version} and came back");
                last = number;
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for number in 1..=SWITCHES {
        let seen = answered.load(Ordering::Relaxed);
        let (new, old) = (format!("v1.{number}.0"), format!("v1.{}.0", number - 1));
        assert_eq!(server.load(&new, content(number), number).await.0, 200);
        server.promote(&new, number).await;
        let unload = format!("/admin/models/churn/versions/{old}?fence={number}");
        assert_eq!(server.admin().await.send("DELETE", &unload, b"").await.0, 200);
        while answered.load(Ordering::Relaxed) == seen && !askers.iter().any(JoinHandle::is_finished) {
            tokio::task::yield_now().await;
        }
    }
    done.store(true, Ordering::Relaxed);
    for asker in askers {
        asker.await.unwrap();
    }
    assert!(answered.load(Ordering::Relaxed) >= CONNECTIONS);
    assert_eq!(server.status().await["arms"].as_array().unwrap().len(), 1);
}

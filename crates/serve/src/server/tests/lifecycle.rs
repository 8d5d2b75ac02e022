//! Start, restart, drain.

use std::{fs, time::Duration};

use super::*;

async fn failed_start(settings: ServerSettings) -> ServeError {
    let loader = Arc::new(FakeLoader::default());
    run(settings, loader, |_| panic!("it must not start"), std::future::pending()).await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_brings_everything_back() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.load("v1.1.0", "label 2", 2).await;
    server.promote("v1.0.0", 3).await;
    server.order("weight", json!({ "fence": 4, "version": "v1.1.0", "weight": 25 })).await;
    let before = server.status().await;
    // A crash, as far as the state directory can tell: nothing is written when a server ends.
    server.task.abort();
    let _ = server.task.await;

    let server = start(at.path()).await;
    assert_eq!(server.status().await, before);
    let (status, answer) = server.client().await.json("POST", "/v2/models/churn/infer", &request("a")).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_version_is_told_and_the_others_serve() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.load("v1.1.0", "label 2", 1).await;
    server.promote("v1.0.0", 1).await;
    server.stop().await.unwrap();
    let file = at.path().join("artifacts").join(digest(b"label 2").hex()).join("model.onnx");
    fs::write(&file, "label 3").unwrap();

    let server = start(at.path()).await;
    let status = server.status().await;
    assert_eq!((&status["arms"][0]["ready"], &status["arms"][1]["ready"]), (&json!(true), &json!(false)));
    assert!(status["arms"][1]["message"].as_str().unwrap().contains("damaged"), "{status}");
    let mut client = server.client().await;
    assert_eq!(client.json("POST", "/v2/models/churn/infer", &request("a")).await.0, 200);
    let path = "/v2/models/churn/versions/v1.1.0/infer";
    assert_eq!(client.json("POST", path, &request("a")).await.0, 503);
    let (refused, _) = server
        .admin()
        .await
        .json("POST", "/admin/models/churn/promote", &json!({ "fence": 2, "version": "v1.1.0" }))
        .await;
    assert_eq!(refused, 409);

    assert_eq!(
        server.load("v1.1.0", "label 2", 2).await,
        (200, json!({ "result": "applied" })),
        "sent again"
    );
    assert_eq!(client.json("POST", path, &request("a")).await.1["outputs"][0]["data"], json!([2]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_finishes_requests_in_progress() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "wait", 1).await;
    server.promote("v1.0.0", 2).await;
    let (gate, address) = (Arc::clone(&server.gate), server.addresses.inference);
    let mut client = server.client().await;
    client.write("POST", "/v2/models/churn/infer", request("a").to_string().as_bytes()).await;
    gate.reached(1).await;
    let stopping = tokio::spawn(server.stop());
    // The port closes first; until then a connection may still be taken.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!stopping.is_finished());
    gate.open();
    assert_eq!(client.read().await.0, 200);
    stopping.await.unwrap().unwrap();
    assert!(client.try_read().await.is_none(), "the connection is closed afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_after_the_grace_period() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(at.path());
    settings.limits.grace = Duration::from_millis(50);
    let server = start_with(settings).await;
    server.load("v1.0.0", "wait", 1).await;
    server.promote("v1.0.0", 2).await;
    let gate = Arc::clone(&server.gate);
    let mut client = server.client().await;
    client.write("POST", "/v2/models/churn/infer", request("a").to_string().as_bytes()).await;
    gate.reached(1).await;
    let ended = server.stop().await;
    gate.open();
    assert!(matches!(ended, Err(ServeError::Unfinished { requests: 1, .. })), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_a_server_from_starting_is_told() {
    let at = tempfile::tempdir().unwrap();
    let first = start(&at.path().join("first")).await;

    let mut taken = settings(&at.path().join("second"));
    taken.listen = first.addresses.inference;
    let error = failed_start(taken).await.to_string();
    assert!(error.contains("another program uses this port") && error.contains("inference"), "{error}");

    let error = failed_start(settings(&at.path().join("first"))).await.to_string();
    assert!(error.contains("another server uses this state directory"), "{error}");

    fs::write(at.path().join("file"), "").unwrap();
    let error = failed_start(settings(&at.path().join("file"))).await.to_string();
    assert!(error.contains("choose another state directory"), "{error}");
    let error = failed_start(settings(&at.path().join("file/below"))).await.to_string();
    assert!(error.contains("choose another state directory"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_are_written_for_scripts() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(&at.path().join("state"));
    let path = at.path().join("addresses.json");
    settings.addresses_file = Some(path.clone());
    let server = start_with(settings).await;
    let read: BoundAddresses = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    assert_eq!(read, server.addresses);
}

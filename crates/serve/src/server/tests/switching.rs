//! Traffic moves while it flows.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;

const CONNECTIONS: usize = 200;
const SWITCHES: u64 = 50;

/// 200 connections ask without a break while 50 versions are loaded, promoted and unloaded, one after the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_versions_change() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 0", 1).await;
    server.promote("v1.0.0", 1).await;
    let done = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut askers = Vec::new();
    for _ in 0..CONNECTIONS {
        let (done, answered, mut client) = (Arc::clone(&done), Arc::clone(&answered), server.client().await);
        askers.push(tokio::spawn(async move {
            let mut last = 0;
            while !done.load(Ordering::Relaxed) {
                let (status, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
                assert_eq!(status, 200, "{body}");
                let label = body["outputs"][0]["data"][0].as_u64().unwrap();
                assert_eq!(
                    body["model_version"],
                    format!("v1.{label}.0"),
                    "version and answer belong together"
                );
                assert!(label >= last, "traffic never goes back to a version that was replaced");
                last = label;
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for number in 1..=SWITCHES {
        let seen = answered.load(Ordering::Relaxed);
        let (new, old) = (format!("v1.{number}.0"), format!("v1.{}.0", number - 1));
        assert_eq!(server.load(&new, &format!("label {number}"), number).await.0, 200);
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

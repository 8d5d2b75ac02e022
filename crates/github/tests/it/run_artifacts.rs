//! Artifacts that runs of workflows keep.

use serde_json::{Value, json};
use tagship_ports::{PortError, Problem, RunArtifacts as _};

use crate::host::Host;

async fn fetched(host: &Host, runs: &[u64], name: &str, limit: u64) -> Result<Vec<u8>, PortError> {
    let scratch = tempfile::tempdir().unwrap();
    let to = scratch.path().join("artifact.zip");
    host.client().download(runs, name, &to, limit).await?;
    Ok(std::fs::read(to).unwrap())
}

fn host() -> Host {
    let host = Host::new();
    host.fake.world(|world| {
        world.keep_artifact(7, "model", b"old".to_vec());
        world.keep_artifact(7, "model", b"new".to_vec());
        world.keep_artifact(8, "model", b"other".to_vec());
        world.keep_artifact(8, "report", b"report".to_vec());
    });
    host
}

fn change(host: &Host, at: usize, field: &str, value: Value) {
    host.fake.world(|world| world.run_artifacts[at].1[field] = value);
}

#[tokio::test]
async fn the_newest_of_the_first_run_that_has_one_counts() {
    let host = host();
    assert_eq!(fetched(&host, &[7, 8], "model", 100).await.unwrap(), b"new");
    assert_eq!(fetched(&host, &[8, 7], "model", 100).await.unwrap(), b"other");
    assert_eq!(fetched(&host, &[9, 7, 8], "report", 100).await.unwrap(), b"report");
    // Older servers tell no digest.
    change(&host, 1, "digest", Value::Null);
    assert_eq!(fetched(&host, &[7], "model", 100).await.unwrap(), b"new");
    change(&host, 1, "expired", json!(true));
    let error = fetched(&host, &[7, 8], "model", 100).await.unwrap_err();
    assert!(error.to_string().contains("it has expired"), "an older one is not what is meant: {error}");
}

#[tokio::test]
async fn the_run_and_its_attempt_that_kept_it_are_told() {
    let host = host();
    let kept = async |host: &Host, run| {
        let scratch = tempfile::tempdir().unwrap();
        let told = host.client().download(&[run], "model", &scratch.path().join("zip"), 100).await.unwrap();
        (told.id, told.attempt)
    };
    assert_eq!(kept(&host, 7).await, (7, Some(1)));
    let later = |number: u32| format!("2099-01-01T00:00:0{number}Z");
    host.fake.world(|world| world.attempts.entry(7).or_default().extend([later(1), later(2)]));
    assert_eq!(kept(&host, 7).await, (7, Some(1)), "later attempts did not keep it");
    change(&host, 1, "created_at", json!("2099-01-01T00:00:01Z"));
    assert_eq!(kept(&host, 7).await, (7, Some(2)));
    change(&host, 1, "created_at", json!("2000-01-01T00:00:00Z"));
    assert_eq!(kept(&host, 7).await, (7, None), "older than the run itself: nobody knows");
    host.fake.world(|world| world.attempts.clear());
    assert_eq!(kept(&host, 8).await, (8, None), "a host that does not say is no failure");
}

#[tokio::test]
async fn what_cannot_be_had_says_why() {
    let host = host();
    let refused = async |runs: &[u64], name: &str, limit| {
        let error = fetched(&host, runs, name, limit).await.unwrap_err();
        (error.problem, error.to_string())
    };
    let (problem, message) = refused(&[8], "modell", 100).await;
    assert!(problem == Problem::NotFound && message.contains("the run has report, model"), "{message}");
    assert!(refused(&[9], "model", 100).await.1.contains("the run has none"));
    assert!(refused(&[8], "model", 4).await.1.contains("more than 4"));
    change(&host, 2, "expired", json!(true));
    assert!(refused(&[8], "model", 100).await.1.contains("it has expired"));
    change(&host, 3, "digest", json!(format!("sha256:{}", "0".repeat(64))));
    let (problem, message) = refused(&[8], "report", 100).await;
    assert!(problem == Problem::Invalid && message.contains("and the host has sha256:0000"), "{message}");
    host.fake.world(|world| world.lacks.insert("actions=read".to_owned()));
    let (problem, message) = refused(&[7], "model", 100).await;
    assert!(problem == Problem::Denied && message.contains("actions: read"), "{message}");
}

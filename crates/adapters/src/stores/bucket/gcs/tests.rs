//! What the store sends to Google Cloud Storage, against a service in memory that keeps the documented rules of its XML API: a
//! precondition on the generation of an object, 0 where there must be none, is answered with 412 where it does not hold
//! ("Request preconditions" and "PUT Object" of its documentation). No emulator that packages bring speaks that API.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tagship_ports::{ArtifactStore as _, conformance};
use tokio::{
    io::AsyncWriteExt as _,
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    canned::{self, Request},
    disk::digest_of,
    stores::Moved,
};

/// What the bucket holds, and what was asked.
#[derive(Default)]
struct Held {
    /// Generation and bytes by name.
    objects: BTreeMap<String, (u64, Vec<u8>)>,
    last: u64,
    /// Name, condition and status of every write.
    writes: Vec<(String, Option<String>, u16)>,
}

async fn begin() -> (String, Arc<Mutex<Held>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let held = Arc::new(Mutex::new(Held::default()));
    let shared = held.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, shared.clone()));
        }
    });
    (url, held)
}

async fn serve(mut stream: TcpStream, held: Arc<Mutex<Held>>) {
    let Request { line, authorization, headers, body } = canned::read(&mut stream).await;
    let (method, target) = line.split_once(' ').unwrap();
    assert_eq!(authorization, "Bearer secret", "{line}");
    let name = target.split('?').next().unwrap_or_default().to_owned();
    let (status, more, answer) = answer(&mut held.lock().unwrap(), method, name, &headers, body);
    let length = answer.len();
    let head = format!("HTTP/1.1 {status} x\r\n{more}content-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).await;
    if method != "HEAD" {
        let _ = stream.write_all(&answer).await;
    }
    let _ = stream.shutdown().await;
}

fn answer(
    held: &mut Held,
    method: &str,
    name: String,
    headers: &BTreeMap<String, String>,
    body: Vec<u8>,
) -> (u16, String, Vec<u8>) {
    let there = held.objects.get(&name).cloned();
    let described = |generation: u64| {
        format!(
            "etag: \"{generation}\"\r\nx-goog-generation: {generation}\r\nlast-modified: Tue, 24 Nov 2026 10:00:00 GMT\r\n"
        )
    };
    match (method, there) {
        ("PUT", there) => {
            let condition = headers.get("x-goog-if-generation-match").cloned();
            let now = there.map_or(0, |(generation, _)| generation);
            let holds = condition.as_ref().is_none_or(|wanted| *wanted == now.to_string());
            let status = if holds { 200 } else { 412 };
            held.writes.push((name.clone(), condition, status));
            if !holds {
                return (412, String::new(), b"<Error><Code>PreconditionFailed</Code></Error>".to_vec());
            }
            held.last += 1;
            held.objects.insert(name, (held.last, body));
            (200, described(held.last), vec![])
        }
        ("DELETE", Some(_)) => {
            held.objects.remove(&name);
            (204, String::new(), vec![])
        }
        (_, Some((generation, bytes))) => {
            let range = headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
            let Some((from, to)) = range else { return (200, described(generation), bytes) };
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            let to = to.min(bytes.len() - 1);
            let said =
                format!("{}content-range: bytes {from}-{to}/{}\r\n", described(generation), bytes.len());
            (206, said, bytes[from..=to].to_vec())
        }
        (_, None) => (404, String::new(), b"<Error><Code>NoSuchKey</Code></Error>".to_vec()),
    }
}

fn store(url: &str) -> BucketStore {
    let settings = json!({ "bucket": "models", "prefix": "churn", "endpoint": url });
    let moved: Moved = Arc::new(|_| {});
    let variable = |name: &str| (name == "GOOGLE_OAUTH_ACCESS_TOKEN").then(|| "secret".to_owned());
    let settings = settings.as_object().unwrap();
    open(&Opening { settings, variable: &variable, moved: &moved }).unwrap()
}

#[tokio::test]
async fn behaves_like_every_store() {
    let (url, _held) = begin().await;
    let scratch = tempfile::tempdir().unwrap();
    conformance::artifact_store(&store(&url), scratch.path()).await;
}

#[tokio::test]
async fn of_many_runs_one_writes_an_object_and_nothing_is_replaced() {
    let (url, held) = begin().await;
    let digest = digest_of(b"weights");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (store, digest) = (store(&url), digest.clone());
        tasks.spawn(async move { store.put_bytes(&digest, b"weights").await });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap().unwrap();
    }
    let held = held.lock().unwrap();
    let blobs: Vec<_> = held.objects.iter().filter(|(name, _)| name.ends_with(digest.hex())).collect();
    assert!(blobs.len() == 1 && blobs[0].1.1 == b"weights", "{blobs:?}");
    // What finds nothing there writes only where there still is nothing.
    let creating = held.writes.iter().filter(|(_, condition, _)| condition.as_deref() == Some("0"));
    let done = creating.clone().filter(|(_, _, status)| *status == 200).count();
    assert_eq!(done, 1, "{:?}", held.writes);
    assert!(creating.count() > 1, "some runs raced: {:?}", held.writes);
}

#[tokio::test]
async fn damaged_bytes_under_a_name_are_found_and_replaced() {
    let (url, held) = begin().await;
    let (store, digest) = (store(&url), digest_of(b"weights"));
    store.put_bytes(&digest, b"weights").await.unwrap();
    for object in held.lock().unwrap().objects.values_mut() {
        object.1 = b"weightz".to_vec();
    }
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap_err().problem, Problem::Invalid);
    store.put_bytes(&digest, b"weights").await.unwrap();
    assert_eq!(store.get_bytes(&digest, 100).await.unwrap(), b"weights");
}

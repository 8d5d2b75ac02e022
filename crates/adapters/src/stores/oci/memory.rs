//! A registry in memory, with what the distribution specification demands of one, into whose blobs and tags tests can write.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tagship_domain::Digest;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::disk::digest_of;

/// What a registry holds of one repository.
#[derive(Default)]
pub(super) struct Held {
    pub(super) blobs: BTreeMap<Digest, Vec<u8>>,
    /// By digest, and by tag.
    pub(super) manifests: BTreeMap<String, (String, Vec<u8>)>,
    uploads: Vec<Vec<u8>>,
    /// Method and path of every request.
    pub(super) asked: Vec<String>,
}

impl Held {
    /// Bytes that a tag names.
    pub(super) fn tagged(&self, tag: &str) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.manifests.get(tag)?.1).ok()
    }

    /// Writes a manifest as somebody does who may push.
    pub(super) fn push(&mut self, tag: &str, kind: &str, bytes: &[u8]) {
        let digest = digest_of(bytes).to_string();
        for name in [tag.to_owned(), digest] {
            self.manifests.insert(name, (kind.to_owned(), bytes.to_vec()));
        }
    }
}

/// A running registry with the repository `churn`.
pub(super) struct MemoryRegistry {
    pub(super) url: String,
    held: Arc<Mutex<Held>>,
    task: JoinHandle<()>,
}

impl Drop for MemoryRegistry {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Answer {
    status: u16,
    headers: String,
    body: Vec<u8>,
    /// The length that is announced where no body is sent.
    length: usize,
}

impl Answer {
    fn of(status: u16, headers: &str, body: &[u8]) -> Self {
        Self { status, headers: headers.to_owned(), body: body.to_vec(), length: body.len() }
    }
}

impl MemoryRegistry {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let held = Arc::new(Mutex::new(Held::default()));
        let shared = held.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, held, task }
    }

    pub(super) fn held<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        look(&mut self.held.lock().unwrap())
    }
}

async fn serve(stream: TcpStream, held: Arc<Mutex<Held>>) {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut chunked, mut kind) = (String::new(), 0, false, String::new());
    reader.read_line(&mut line).await.unwrap();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).await.unwrap();
        let Some((name, value)) = header.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "transfer-encoding" => chunked = true,
            "content-type" => value.clone_into(&mut kind),
            _ => {}
        }
    }
    assert!(!chunked, "lengths are told");
    let mut body = vec![0; length];
    // Who breaks off gets no answer.
    if reader.read_exact(&mut body).await.is_err() {
        return;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let answer = {
        let mut held = held.lock().unwrap();
        held.asked.push(format!("{method} {target}"));
        answer(&mut held, method, target, &kind, body)
    };
    let Answer { status, headers, body, length } = answer;
    let head =
        format!("HTTP/1.1 {status} x\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n");
    let stream = reader.get_mut();
    let _ = stream.write_all(head.as_bytes()).await;
    if method != "HEAD" {
        let _ = stream.write_all(&body).await;
    }
    let _ = stream.shutdown().await;
}

fn answer(held: &mut Held, method: &str, target: &str, kind: &str, body: Vec<u8>) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = path.strip_prefix("/v2/churn/").unwrap_or_default();
    let nothing = || Answer::of(404, "", b"{}");
    if let Some(upload) = path.strip_prefix("blobs/uploads/") {
        return take(held, method, upload, query, body);
    }
    if let Some(digest) = path.strip_prefix("blobs/") {
        let Ok(digest) = digest.parse::<Digest>() else { return nothing() };
        return match (method, held.blobs.get(&digest)) {
            ("DELETE", Some(_)) => {
                held.blobs.remove(&digest);
                Answer::of(202, "", b"")
            }
            (_, Some(bytes)) => Answer::of(200, "", bytes),
            (_, None) => nothing(),
        };
    }
    if path == "tags/list" {
        let tags: Vec<&String> = held.manifests.keys().filter(|name| !name.contains(':')).collect();
        return Answer::of(200, "", serde_json::json!({ "tags": tags }).to_string().as_bytes());
    }
    let Some(name) = path.strip_prefix("manifests/") else { return nothing() };
    match (method, held.manifests.get(name)) {
        ("PUT", _) => {
            held.push(name, kind, &body);
            Answer::of(201, "", b"")
        }
        ("DELETE", Some(_)) => {
            held.manifests.retain(|_, (_, bytes)| digest_of(bytes).to_string() != name);
            Answer::of(202, "", b"")
        }
        (_, Some((kind, bytes))) => Answer::of(200, &format!("content-type: {kind}\r\n"), bytes),
        (_, None) => nothing(),
    }
}

/// Takes a part of an upload, and keeps the whole only under its own digest.
fn take(held: &mut Held, method: &str, upload: &str, query: &str, body: Vec<u8>) -> Answer {
    if method == "POST" {
        held.uploads.push(vec![]);
        let location = format!("location: /v2/churn/blobs/uploads/{}\r\n", held.uploads.len() - 1);
        return Answer::of(202, &location, b"");
    }
    let number: usize = upload.parse().unwrap();
    held.uploads[number].extend(body);
    if method == "PATCH" {
        return Answer::of(202, &format!("location: /v2/churn/blobs/uploads/{number}\r\n"), b"");
    }
    let digest = query.rsplit_once("digest=").unwrap().1.replace("%3A", ":");
    let bytes = std::mem::take(&mut held.uploads[number]);
    if digest_of(&bytes).to_string() != digest {
        return Answer::of(400, "", br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#);
    }
    held.blobs.insert(digest.parse().unwrap(), bytes);
    Answer::of(201, "", b"")
}

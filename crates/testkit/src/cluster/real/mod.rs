//! A real API server behind the door of the tests: it keeps and judges every object of the kinds that it serves. The
//! door still counts requests, plays failures and rights, and answers for pods, which no API server does by itself.
//!
//! Namespaces are of one test each, and go with it. Kinds that the server does not serve stay in the double; a whole
//! server leaves none.

mod definitions;
#[cfg(feature = "real")]
mod link;
#[cfg(not(feature = "real"))]
#[path = "no_link.rs"]
mod link;
mod names;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};

use self::{link::Link, names::Ending};
use super::{
    kinds::Resource,
    store::{Key, Store},
    write::Answered,
};
use crate::github::http::Request;

/// Names a kubeconfig: the tests then run against the API server that it leads to, with an account that may do all.
const KUBECONFIG: &str = "TAGSHIP_TEST_KUBECONFIG";
/// Names a folder with definitions of the projects themselves.
const DEFINITIONS: &str = "TAGSHIP_CRDS";

/// The server, as one test sees it.
#[derive(Debug)]
pub(super) struct Real {
    link: Link,
    ending: Ending,
    /// Groups and versions that it serves: `apps/v1`.
    served: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    /// Whether others make the namespaces, and keep what is in them.
    of_others: bool,
    /// The last resource version of each object that was written, by its path.
    versions: BTreeMap<String, String>,
}

impl Real {
    /// Connects where a server is named.
    pub(super) fn connect() -> Option<Self> {
        Self::with(Ending::new(number()), &[])
    }

    /// Connects to namespaces of others, which go by the same names there, and stay.
    pub(super) fn among(namespaces: &[&str]) -> Option<Self> {
        Self::with(Ending::none(), namespaces)
    }

    fn with(ending: Ending, namespaces: &[&str]) -> Option<Self> {
        let link = Link::open(&named(KUBECONFIG)?);
        definitions::demand(&link, named(DEFINITIONS).as_deref());
        let mut served = BTreeSet::new();
        let versions = asked(&link, "/api");
        served.extend(
            versions["versions"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned),
        );
        let groups = asked(&link, "/apis");
        let all = groups["groups"].as_array().into_iter().flatten();
        let all = all.flat_map(|group| group["versions"].as_array().into_iter().flatten());
        served.extend(all.filter_map(|version| version["groupVersion"].as_str()).map(str::to_owned));
        Some(Self {
            link,
            ending,
            served,
            of_others: !namespaces.is_empty(),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            versions: BTreeMap::new(),
        })
    }

    /// Whether the server serves what a path is about.
    pub(super) fn serves(&self, path: &str) -> bool {
        let mut parts = path.split(['/', '?']).filter(|part| !part.is_empty());
        match (parts.next(), parts.next(), parts.next()) {
            (Some("api"), Some(version), _) => self.served.contains(version),
            (Some("apis"), Some(group), Some(version)) => self.served.contains(&format!("{group}/{version}")),
            _ => true,
        }
    }

    fn serves_kind(&self, kind: &Resource) -> bool {
        self.served.contains(&kind.api_version())
    }

    pub(super) fn define(&self, file: &Path) {
        let text = std::fs::read_to_string(file);
        definitions::define(&self.link, &text.unwrap_or_else(|error| panic!("{}: {error}", file.display())));
    }

    /// Passes a request on. Answers also whether it changed an object.
    pub(super) fn pass(&mut self, request: &Request) -> (Answered, bool) {
        if let Some(namespace) = Ending::namespace(&request.target) {
            self.demand(namespace);
        }
        let target = self.ending.target(&request.target);
        let header = |name: &str, other| request.header(name).unwrap_or(other).to_owned();
        let headers = [
            ("content-type", header("content-type", "application/json")),
            // The owner of what is written is named after the program, where nobody says another name.
            ("user-agent", header("user-agent", "tests")),
        ];
        let body = self.ending.outward(&request.body);
        let (status, answer) = self.link.ask(&request.method, &target, &headers, body);
        let answer = self.ending.inward(&answer);
        let answer: Value = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
        let is_done = status < 300 && is_write(&request.method) && !target.contains("dryRun=All");
        let changed = is_done && self.note(request, &answer);
        ((status, answer), changed)
    }

    /// Whether a write that was done changed its object.
    fn note(&mut self, request: &Request, answer: &Value) -> bool {
        let mut path = request.target.split('?').next().unwrap_or_default().to_owned();
        if request.method == "POST" {
            path = format!("{path}/{}", answer["metadata"]["name"].as_str().unwrap_or_default());
        }
        let path = path.trim_end_matches("/status").to_owned();
        if request.method == "DELETE" {
            self.versions.remove(&path);
            return true;
        }
        let version = answer["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
        // What is only asked, such as whether something may be done, is kept nowhere.
        if version.is_empty() {
            return false;
        }
        self.versions.insert(path, version.clone()) != Some(version)
    }

    /// Whether the server serves an object's kind.
    pub(super) fn keeps(&self, store: &Store, key: &Key) -> bool {
        self.kind(store, key).is_some()
    }

    fn kind<'s>(&self, store: &'s Store, key: &Key) -> Option<&'s Resource> {
        store.kinds.iter().find(|kind| kind.qualified() == key.kind && self.serves_kind(kind))
    }

    pub(super) fn object(&self, store: &Store, key: &Key) -> Option<Value> {
        let kind = self.kind(store, key)?;
        let path = format!("{}/{}", self.collection(kind, &key.namespace), key.name);
        let (status, answer) = self.link.ask("GET", &path, &[], Vec::new());
        (status == 200).then(|| self.read(&answer))
    }

    /// Everything that the server keeps for this test.
    pub(super) fn objects(&self, store: &Store) -> BTreeMap<Key, Value> {
        let mut all = BTreeMap::new();
        for kind in store.kinds.iter().filter(|kind| self.serves_kind(kind)) {
            for namespace in &self.namespaces {
                let (status, answer) =
                    self.link.ask("GET", &self.collection(kind, namespace), &[], Vec::new());
                let mut answer = if status == 200 { self.read(&answer) } else { Value::Null };
                for object in answer["items"].as_array_mut().into_iter().flatten() {
                    // Items of a list do not say what they are.
                    object["apiVersion"] = json!(kind.api_version());
                    object["kind"] = json!(kind.kind);
                    let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                    all.insert(Key::of(kind, Some(namespace), &name), object.take());
                }
            }
        }
        all
    }

    fn collection(&self, kind: &Resource, namespace: &str) -> String {
        let base = if kind.group.is_empty() { "/api" } else { "/apis" };
        format!("{base}/{}/namespaces/{}/{}", kind.api_version(), self.ending.full(namespace), kind.plural)
    }

    fn read(&self, answer: &[u8]) -> Value {
        serde_json::from_str(&self.ending.inward(answer)).unwrap_or_default()
    }

    /// Makes a namespace. A server that knows no namespaces needs none.
    fn demand(&mut self, namespace: &str) {
        let is_new = !self.of_others && self.namespaces.insert(namespace.to_owned());
        if is_new && self.served.contains("v1") {
            let body =
                json!({ "metadata": { "name": self.ending.full(namespace) } }).to_string().into_bytes();
            let headers = [("content-type", "application/json".to_owned())];
            let (status, answer) = self.link.ask("POST", "/api/v1/namespaces", &headers, body);
            assert!(status == 201, "{}", String::from_utf8_lossy(&answer));
        }
    }

    /// Deletes everything that this test made.
    pub(super) fn clean(&self, store: &Store) {
        if self.of_others {
            return;
        }
        for namespace in &self.namespaces {
            for kind in store.kinds.iter().filter(|kind| self.serves_kind(kind)) {
                self.link.ask("DELETE", &self.collection(kind, namespace), &[], Vec::new());
            }
            let path = format!("/api/v1/namespaces/{}", self.ending.full(namespace));
            self.link.ask("DELETE", &path, &[], Vec::new());
        }
    }
}

fn asked(link: &Link, path: &str) -> Value {
    let (_, answer) = link.ask("GET", path, &[], Vec::new());
    serde_json::from_slice(&answer).unwrap_or_default()
}

fn is_write(method: &str) -> bool {
    method != "GET"
}

#[allow(clippy::disallowed_methods, reason = "whoever runs the tests says where")]
fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A number that no other test has on that server.
#[allow(clippy::disallowed_methods, reason = "another run on the same server began at another time")]
fn number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let began = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let began = u64::try_from(began.as_micros()).unwrap_or_default();
    (began << 10) + NEXT.fetch_add(1, Ordering::SeqCst)
}

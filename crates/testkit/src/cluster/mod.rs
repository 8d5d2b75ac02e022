//! A Kubernetes API server on this machine: real HTTP, with the machinery that clients meet. It reads definitions of
//! kinds and keeps resource versions, generations and managed fields; it merges server-side applies by ownership,
//! fills in defaults, drops or refuses unknown fields, watches, and fails on demand.
//!
//! Not here: rules in CEL, webhooks, patterns, garbage collection, namespaces as objects, and controllers; those are
//! played by [`actors`], step by step, as a test wants. What it does was measured at Kubernetes 1.36.2.

pub mod actors;
mod ask;
mod check;
mod failure;
mod fault;
mod fields;
mod grants;
mod kinds;
mod look;
mod managers;
mod merge;
mod patch;
mod real;
mod schema;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod workloads;
mod write;

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value, json};

pub use fault::Fault;

use crate::github::http::{Parts, Reply, Request, Server};
use actors::{Actor, Deed, Scene};
use ask::Ask;
use failure::Failure;
use fault::Faults;
use look::Filter;
use real::Real;
use store::{Denial, Key, Store};
use write::Answered;

/// The token that is accepted.
const TOKEN: &str = "tokenOfTheTest";

/// The running cluster; it stops when it is dropped.
#[derive(Debug)]
pub struct FakeCluster {
    server: Server,
    shared: Arc<Shared>,
}

/// What the threads of all connections work on.
#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    /// Something was written, time went on, or the cluster stops.
    changed: Condvar,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    faults: Faults,
    received: Vec<String>,
    /// What pods answer, by the name of their Service.
    endpoints: BTreeMap<String, (u16, Value)>,
    stopped: bool,
    /// Keeps the objects instead, where somebody named a server.
    real: Option<Real>,
}

impl FakeCluster {
    /// Starts an empty one that knows the built-in kinds and small definitions of the kinds that Tagship writes. Where
    /// `TAGSHIP_TEST_KUBECONFIG` names a kubeconfig, the API server there keeps the objects, in namespaces of their own.
    pub fn start() -> Self {
        Self::keeping_objects_in(Real::connect())
    }

    /// Stands beside the server that `TAGSHIP_TEST_KUBECONFIG` names, in namespaces that others make there and keep: their
    /// objects are those that actors see. Absent where no server is named.
    pub fn beside(namespaces: &[&str]) -> Option<Self> {
        Real::among(namespaces).map(|real| Self::keeping_objects_in(Some(real)))
    }

    fn keeping_objects_in(real: Option<Real>) -> Self {
        let inner = Inner {
            store: Store::new(),
            faults: Faults::default(),
            received: Vec::new(),
            endpoints: BTreeMap::new(),
            stopped: false,
            real,
        };
        let shared = Arc::new(Shared { inner: Mutex::new(inner), changed: Condvar::new() });
        let door = Arc::clone(&shared);
        let server = Server::start(move |request| door.answer(request));
        Self { server, shared }
    }

    /// Adds the kinds of a file of custom resource definitions; they replace those of the same name.
    pub fn define(&self, file: &Path) {
        let kinds = kinds::of_file(file);
        let mut inner = self.shared.locked();
        inner.store.define(kinds);
        if let Some(real) = &inner.real {
            real.define(file);
        }
    }

    /// Where it listens: `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// A kubeconfig that leads to it.
    pub fn kubeconfig(&self) -> String {
        let named = |name: &str, what: &str, value: Value| json!([{ "name": name, what: value }]);
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "clusters": named("test", "cluster", json!({ "server": self.url() })),
            "users": named("test", "user", json!({ "token": TOKEN })),
            "contexts": named("test", "context", json!({ "cluster": "test", "user": "test", "namespace": "default" })),
        })
        .to_string()
    }

    /// The next request with this method (`*` for any) and this text in its path fails so.
    pub fn fail_next(&self, method: &str, path: &str, fault: Fault) {
        self.shared.locked().faults.plan(method, path, fault, false);
    }

    /// The same, after so many such requests have passed.
    pub fn fail_after(&self, method: &str, path: &str, spared: usize, fault: Fault) {
        self.shared.locked().faults.plan_later(method, path, spared, fault);
    }

    /// Every such request fails so from now on.
    pub fn fail_always(&self, method: &str, path: &str, fault: Fault) {
        self.shared.locked().faults.plan(method, path, fault, true);
    }

    /// Forgets every planned failure.
    pub fn recover(&self) {
        self.shared.locked().faults = Faults::default();
    }

    /// Denies a verb on a kind, e.g. `patch` on `deployments.apps` or `httproutes.gateway.networking.k8s.io`.
    pub fn deny(&self, verb: &str, kind: &str) {
        let denial = Denial { verb: verb.to_owned(), kind: kind.to_owned() };
        self.shared.locked().store.denied.push(denial);
    }

    /// Lets clients do what a Role grants, and nothing else; people and controllers whom a test plays may do all.
    pub fn grant(&self, role: &Value) {
        self.shared.locked().store.grants.set(role);
    }

    /// Reviews of access come to no answer, for this reason; what may be done stays the same.
    pub fn puzzle(&self, why: &str) {
        self.shared.locked().store.puzzled = Some(why.to_owned());
    }

    /// What clients have asked for so far: verbs and kinds, e.g. `create` and `services/proxy`.
    pub fn uses(&self) -> Vec<(String, String)> {
        self.shared.locked().store.grants.used()
    }

    /// What the pods behind a Service answer to every request that comes through the API server.
    pub fn serve(&self, service: &str, status: u16, body: Value) {
        self.shared.locked().endpoints.insert(service.to_owned(), (status, body));
    }

    /// Lets the cluster's clock go on.
    pub fn advance(&self, seconds: u32) {
        self.shared.locked().store.now += i64::from(seconds);
        self.shared.changed.notify_all();
    }

    /// Method and target of everything that was received over HTTP, the oldest first.
    pub fn requests(&self) -> Vec<String> {
        self.shared.locked().received.clone()
    }

    /// Forgets what was received.
    pub fn forget_requests(&self) {
        self.shared.locked().received.clear();
    }

    /// The newest resource version: it grows with every write that changes something.
    pub fn version(&self) -> u64 {
        self.shared.locked().store.version
    }

    /// An object by its kind (`deployments.apps`), namespace and name.
    pub fn object(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let key = Key { kind: kind.to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        self.shared.locked().object(&key)
    }

    /// Writes as somebody else does: method, path with query, content type, body. Answers status and document, and is
    /// neither counted nor made to fail.
    pub fn act(&self, method: &str, target: &str, content_type: &str, body: &Value) -> (u16, Value) {
        let headers = vec![
            ("content-type".to_owned(), content_type.to_owned()),
            ("user-agent".to_owned(), "somebody/1.0".to_owned()),
        ];
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = Request { method: method.to_owned(), target: target.to_owned(), headers, body };
        let answer = self.shared.locked().respond(&request);
        self.shared.changed.notify_all();
        answer
    }

    /// Lets the actors look at the cluster once, one after the other, and do what follows from it.
    pub fn step(&self, actors: &mut [Box<dyn Actor>]) {
        let refused = self.step_beside_others(actors);
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }

    /// The same while others write, so that an object may be gone when its turn comes. Answers what was refused.
    pub fn step_beside_others(&self, actors: &mut [Box<dyn Actor>]) -> Vec<String> {
        let mut refused = Vec::new();
        for actor in actors {
            let deeds = {
                let inner = self.shared.locked();
                actor.react(&Scene { objects: &inner.objects(), now: inner.now() })
            };
            let done = deeds.iter().map(|deed| self.perform(actor.name(), deed));
            refused.extend(done.filter_map(Result::err));
        }
        refused
    }

    /// What pods answer, by the name of their Service, as actors and [`serve`](Self::serve) said it last.
    pub fn served(&self) -> BTreeMap<String, (u16, Value)> {
        self.shared.locked().endpoints.clone()
    }

    /// Does what an actor has decided, by the same ways as anybody.
    fn perform(&self, actor: &str, deed: &Deed) -> Result<(), String> {
        let (method, object, subresource) = match deed {
            Deed::Status(object) => ("PATCH", object, "/status"),
            Deed::Change(object) => ("PATCH", object, ""),
            Deed::Create(object) => ("POST", object, ""),
            Deed::Delete(object) => ("DELETE", object, ""),
            Deed::Answer { service, status, body } => {
                self.serve(service, *status, body.clone());
                return Ok(());
            }
        };
        let resource = self.shared.locked().store.resource_of(object);
        let resource = resource.expect("actors write known kinds");
        let base = if resource.group.is_empty() { "/api" } else { "/apis" };
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let collection =
            format!("{base}/{}/namespaces/{}/{}", resource.api_version(), text("namespace"), resource.plural);
        let target = match method {
            "POST" => format!("{collection}?fieldManager={actor}"),
            _ => format!("{collection}/{}{subresource}?fieldManager={actor}", text("name")),
        };
        let body = if method == "DELETE" { &Value::Null } else { object };
        let kind = if method == "PATCH" { "application/merge-patch+json" } else { "application/json" };
        let (status, answer) = self.act(method, &target, kind, body);
        if status < 400 { Ok(()) } else { Err(format!("{actor}: {method} {target}: {answer}")) }
    }
}

impl Drop for FakeCluster {
    fn drop(&mut self) {
        let mut inner = self.shared.locked();
        inner.stopped = true;
        if let Some(real) = &inner.real {
            real.clean(&inner.store);
        }
        drop(inner);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, waits: impl Fn(&mut Inner) -> bool) -> MutexGuard<'_, Inner> {
        let held = self.changed.wait_while(self.locked(), |inner| !inner.stopped && waits(inner));
        held.unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(self: &Arc<Self>, request: &Request) -> Reply {
        let fault = {
            let mut inner = self.locked();
            inner.received.push(format!("{} {}", request.method, request.target));
            inner.faults.take(&request.method, &request.target)
        };
        match fault {
            Some(Fault::Silence) => return Reply::Silence,
            Some(Fault::CutBefore) => return Reply::Cut,
            Some(Fault::Status(code)) => {
                return reply(code, &Failure::new(code, "InternalError", "planned by the test").body(), &[]);
            }
            Some(Fault::TooMany(seconds)) => {
                return reply(
                    429,
                    &Failure::too_many(seconds).body(),
                    &[("retry-after", seconds.to_string())],
                );
            }
            Some(Fault::Slow(seconds)) => {
                let until = self.locked().store.now + i64::try_from(seconds).unwrap_or(i64::MAX);
                drop(self.wait_while(|inner| inner.store.now < until));
            }
            Some(Fault::CutAfter) | None => {}
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return reply(401, &Failure::new(401, "Unauthorized", "Unauthorized").body(), &[]);
        }
        if let Some(ask) = Ask::of(request).filter(Ask::is_watch) {
            return self.watch(&ask);
        }
        let (code, body) = self.locked().respond(request);
        self.changed.notify_all();
        if fault == Some(Fault::CutAfter) { Reply::Cut } else { reply(code, &body, &[]) }
    }

    /// Everything that happens to the objects that are asked for, as it happens.
    fn watch(self: &Arc<Self>, ask: &Ask) -> Reply {
        let inner = self.locked();
        let begun = inner.store.resource(ask).and_then(|resource| {
            inner.store.permit("watch", &resource, ask)?;
            Filter::of(ask, &resource)
        });
        let filter = match begun {
            Ok(filter) => filter,
            Err(failure) => return reply(failure.code, &failure.body(), &[]),
        };
        let asked =
            ask.query("resourceVersion").and_then(|version| version.parse().ok()).filter(|after| *after > 0);
        let mut after = asked.unwrap_or(inner.store.version);
        // Without a version a watch begins with what is there.
        let mut there = if asked.is_none() { filter.present(&inner.store) } else { VecDeque::new() };
        drop(inner);
        let shared = Arc::clone(self);
        Reply::Parts(Parts(Box::new(move || {
            if let Some(event) = there.pop_front() {
                return Some(format!("{event}\n").into_bytes());
            }
            let inner = shared.wait_while(|inner| filter.next(&inner.store, after).is_none());
            let (version, event) = filter.next(&inner.store, after).filter(|_| !inner.stopped)?;
            after = version;
            Some(format!("{event}\n").into_bytes())
        })))
    }
}

impl Inner {
    fn respond(&mut self, request: &Request) -> (u16, Value) {
        let path = request.target.split('?').next().unwrap_or_default();
        if let Some((service, _)) = path.split_once("/proxy/") {
            return self
                .forward(&request.method, service)
                .unwrap_or_else(|failure| (failure.code, failure.body()));
        }
        let ask = Ask::of(request);
        if let Some(ask) = ask.as_ref().filter(|ask| ask.is_account) {
            let kind = grants::qualified(&ask.plural, &ask.group);
            self.store.grants.note(ask.verb(), &kind);
        }
        let answered = match ask {
            // What a test takes away, the server does not know of.
            Some(ask) if ask.is_review() && (self.real.is_none() || self.store.restricts()) => {
                look::review(&self.store, &ask)
            }
            ask if self.real.as_ref().is_some_and(|real| real.serves(path)) => {
                self.pass(request, ask.as_ref())
            }
            Some(Ask { group, name: Some(name), .. }) if group == "apiextensions.k8s.io" => {
                look::definition(&self.store, &name)
            }
            Some(ask) if ask.method == "GET" => look::read(&self.store, &ask),
            Some(ask) => write::write(&mut self.store, &ask),
            None => look::discover(&self.store, path).ok_or_else(Failure::no_such_path),
        };
        answered.unwrap_or_else(|failure| (failure.code, failure.body()))
    }
}

impl Inner {
    /// Has a real server answer, within the rights that the test grants.
    fn pass(&mut self, request: &Request, ask: Option<&Ask>) -> Result<Answered, Failure> {
        if let Some((ask, resource)) = ask.and_then(|ask| Some((ask, self.store.resource(ask).ok()?))) {
            self.store.permit(ask.verb(), &resource, ask)?;
        }
        let Some(real) = &mut self.real else { return Err(Failure::no_such_path()) };
        let (answered, changed) = real.pass(request);
        self.store.version += u64::from(changed);
        Ok(answered)
    }

    fn object(&self, key: &Key) -> Option<Value> {
        match &self.real {
            Some(real) if real.keeps(&self.store, key) => real.object(&self.store, key),
            _ => self.store.objects.get(key).cloned(),
        }
    }

    fn objects(&self) -> Cow<'_, BTreeMap<Key, Value>> {
        let Some(real) = &self.real else { return Cow::Borrowed(&self.store.objects) };
        let mut all = real.objects(&self.store);
        all.extend(self.store.objects.clone());
        Cow::Owned(all)
    }

    /// The time of the cluster: where a real one keeps the objects, that of the newest write.
    fn now(&self) -> String {
        if self.real.is_none() {
            return self.store.time();
        }
        let objects = self.objects();
        let writers = objects.values().filter_map(|object| object["metadata"]["managedFields"].as_array());
        let times = writers.flatten().filter_map(|writer| writer["time"].as_str());
        times.max().unwrap_or_default().to_owned()
    }

    /// A request to the pods behind a Service: `.../namespaces/ml/services/http:name:port`.
    fn forward(&mut self, method: &str, service: &str) -> Result<(u16, Value), Failure> {
        let (collection, address) = service.rsplit_once('/').unwrap_or_default();
        let namespace = collection.rsplit('/').nth(1).unwrap_or_default();
        let mut parts = address.rsplit(':');
        let (port, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let verb = if method == "GET" { "get" } else { "create" };
        self.store.grants.note(verb, "services/proxy");
        let may = self.store.allows(verb, "services/proxy")
            && self.store.grants.allow(verb, "services/proxy", Some(address));
        if !may {
            let message = format!(
                "services {address:?} is forbidden: User \"tagship\" cannot {verb} resource \"services/proxy\""
            );
            return Err(Failure::new(403, "Forbidden", message));
        }
        let missing = |what: String| Failure::new(503, "ServiceUnavailable", what);
        let key = Key { kind: "services".to_owned(), namespace: namespace.to_owned(), name: name.to_owned() };
        let object = self.object(&key).unwrap_or_default();
        let mut ports = object["spec"]["ports"].as_array().into_iter().flatten();
        if !ports.any(|there| there["port"].as_u64() == port.parse().ok()) {
            return Err(missing(format!("no service port {port:?} found for service {name:?}")));
        }
        let answer = self.endpoints.get(name).cloned();
        answer.ok_or_else(|| missing(format!("no endpoints available for service {name:?}")))
    }
}

fn reply(status: u16, body: &Value, headers: &[(&str, String)]) -> Reply {
    let mut all = vec![("content-type".to_owned(), "application/json".to_owned())];
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    Reply::Answer { status, headers: all, body: body.to_string().into_bytes() }
}

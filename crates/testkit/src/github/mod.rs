//! A GitHub of one repository on this machine: real HTTP, real state, pages, conditional reads, rate limits, and faults on demand.
//!
//! It behaves as the published description and the documentation say, the unpleasant parts included: a merge by
//! default when a deployment is made, a bare tag when a release is published without one, "not found" for what the
//! token may not see. Ids of git objects are by content but not git's own.

mod answer;
mod ask;
mod attestations;
mod commits;
mod debug;
mod fault;
mod graph;
pub(crate) mod http;
mod mirror;
mod moment;
mod objects;
mod releases;
mod runs;
mod shape;
mod talk;
mod world;

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;

pub use fault::Fault;
pub use world::World;

use answer::Answer;
use ask::Ask;
use fault::Faults;
use http::{Reply, Request, Server};
use mirror::Mirrored;
use moment::Moments;
use world::{REPOSITORY, hash};

/// The token that is accepted.
const TOKEN: &str = "ghs_thisIsTheTokenOfTheTest";
/// Requests per hour.
const HOURLY: u64 = 1000;

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Received {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Path and query as sent, without the base of the API.
    pub target: String,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body where it is JSON, else null.
    pub body: Value,
    /// The status that was answered; 0 where the connection ended without an answer.
    pub status: u16,
}

/// The running host; it stops when it is dropped.
#[derive(Debug)]
pub struct FakeGitHub {
    server: Server,
    inner: Arc<Mutex<Inner>>,
    moments: Arc<Moments>,
}

#[derive(Debug)]
struct Inner {
    world: World,
    /// The world before the last write, for reads that lag behind.
    before: World,
    faults: Faults,
    received: Vec<Received>,
    used: u64,
    follows: Option<Mirrored>,
    moments: Arc<Moments>,
}

impl FakeGitHub {
    /// Starts one with an empty repository `acme/shop`, whose branch `main` has one commit.
    pub fn start() -> Self {
        let (world, moments) = (World::new(String::new()), Arc::new(Moments::default()));
        let inner = Inner {
            before: world.clone(),
            world,
            faults: Faults::default(),
            received: Vec::new(),
            used: 0,
            follows: None,
            moments: Arc::clone(&moments),
        };
        let inner = Arc::new(Mutex::new(inner));
        let (shared, door) = (Arc::clone(&inner), Arc::clone(&moments));
        let server = Server::start(move |request| {
            door.pass(&request.method, &request.target);
            locked(&shared).handle(request)
        });
        let fake = Self { server, inner, moments };
        locked(&fake.inner).world.base = fake.api_url();
        fake
    }

    /// `GITHUB_API_URL`, in the form of a server of one's own.
    pub fn api_url(&self) -> String {
        format!("{}/api/v3", self.server_url())
    }

    /// `GITHUB_SERVER_URL`.
    pub fn server_url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// `GITHUB_GRAPHQL_URL`.
    pub fn graphql_url(&self) -> String {
        format!("{}/api/graphql", self.server_url())
    }

    /// `GITHUB_REPOSITORY`.
    pub fn repository(&self) -> &'static str {
        REPOSITORY
    }

    /// The token that it accepts.
    pub fn token(&self) -> &'static str {
        TOKEN
    }

    /// From now on shows what git pushes to a repository.
    pub fn follow(&self, repository: &crate::Repository) {
        self.follow_path(repository.path());
    }

    /// The same, for a repository at a path.
    pub fn follow_path(&self, repository: &Path) {
        let mut inner = locked(&self.inner);
        inner.follows = Some(Mirrored::of(repository));
        inner.catch_up();
    }

    /// Looks at the repository, or changes it.
    pub fn world<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        look(&mut locked(&self.inner).world)
    }

    /// The request with this number, counted from 0 since the last [`FakeGitHub::forget_requests`], fails.
    pub fn fail_at(&self, number: usize, fault: Fault) {
        locked(&self.inner).faults.at(number, fault);
    }

    /// The next request of this method (`*` for any) whose target holds `path` fails.
    pub fn fail_next(&self, method: &str, path: &str, fault: Fault) {
        locked(&self.inner).faults.next(method, path, fault);
    }

    /// Every such request fails, until [`FakeGitHub::recover`].
    pub fn fail_always(&self, method: &str, path: &str, fault: Fault) {
        locked(&self.inner).faults.always(method, path, fault);
    }

    /// Says which process [`Fault::KillBefore`] and [`Fault::KillAfter`] kill; a fault that strikes before this is said
    /// waits for it.
    pub fn point_at(&self, process: u32) {
        self.moments.point_at(Some(process));
    }

    /// Kills whoever makes the request with this number, counted as by [`FakeGitHub::fail_at`]. The process is named once
    /// it has started.
    pub fn kill_at(&self, number: usize, fault: Fault) {
        self.moments.point_at(None);
        self.fail_at(number, fault);
    }

    /// From now on so many requests of a method whose target holds `path` wait until they are all there.
    pub fn arrange_meeting(&self, method: &str, path: &str, requests: usize) {
        self.moments.arrange(method, path, requests);
    }

    /// Whether they all stood there at once.
    pub fn have_met(&self) -> bool {
        self.moments.have_met()
    }

    /// Forgets every planned failure.
    pub fn recover(&self) {
        locked(&self.inner).faults.clear();
    }

    /// Everything that was received, the oldest first.
    pub fn received(&self) -> Vec<Received> {
        locked(&self.inner).received.clone()
    }

    /// Method and target of everything that was received: `GET /repos/acme/shop`.
    pub fn requests(&self) -> Vec<String> {
        let received = self.received();
        received.iter().map(|request| format!("{} {}", request.method, request.target)).collect()
    }

    /// Forgets what was received and counts from 0 again.
    pub fn forget_requests(&self) {
        locked(&self.inner).received.clear();
    }
}

fn locked(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn catch_up(&mut self) {
        if let Some(follows) = &mut self.follows {
            follows.follow(&mut self.world);
        }
    }

    fn handle(&mut self, request: &Request) -> Reply {
        self.catch_up();
        if let Some(debug) = request.target.strip_prefix("/debug/") {
            return self.debug(request, debug);
        }
        let number = self.received.len();
        let prefixes = ["/api/v3", "/api/uploads", "/api"];
        let target = prefixes.iter().find_map(|prefix| request.target.strip_prefix(prefix));
        self.received.push(Received {
            method: request.method.clone(),
            target: target.unwrap_or(&request.target).to_owned(),
            headers: request.headers.clone(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            status: 0,
        });
        let fault = self.faults.take(number, &request.method, &request.target);
        let reply = self.reply(request, fault.as_ref());
        if let Reply::Answer { status, .. } = &reply {
            self.received[number].status = *status;
        }
        reply
    }

    /// Neither a fault nor a count touches what is not the host's.
    fn debug(&mut self, request: &Request, path: &str) -> Reply {
        let ask = Ask::of(request, "");
        let segments: Vec<&str> = path.split('/').collect();
        let Answer { status, headers, body, .. } = debug::answer(self, &ask, &segments);
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Reply::Answer { status, headers, body }
    }

    fn reply(&mut self, request: &Request, fault: Option<&Fault>) -> Reply {
        match fault {
            Some(Fault::Silence) => Reply::Silence,
            Some(Fault::CutBefore) => Reply::Cut,
            Some(Fault::Status(status)) => self.send(request, Answer::error(*status, "Server Error")),
            Some(Fault::Forbidden(permission)) => self.send(request, Answer::forbidden(permission)),
            Some(Fault::Garbage) => Reply::Answer { status: 200, headers: vec![], body: b"<html>".to_vec() },
            Some(Fault::TooMany(after)) => self.limited(request, 429, "Too many requests", *after),
            Some(Fault::Secondary(after)) => {
                let message = "You have exceeded a secondary rate limit. Please wait a few minutes.";
                self.limited(request, 403, message, *after)
            }
            Some(Fault::Exhausted(reset)) => {
                let mut answer = Answer::error(403, "API rate limit exceeded for installation ID 1.");
                for (name, value) in [("x-ratelimit-remaining", 0), ("x-ratelimit-reset", *reset)] {
                    answer.headers.push((name.to_owned(), value.to_string()));
                }
                self.send(request, answer)
            }
            Some(Fault::StatusAfter(status)) => {
                self.act(request);
                self.send(request, Answer::error(*status, "Bad Gateway"))
            }
            Some(Fault::KillBefore) => {
                self.moments.kill();
                Reply::Silence
            }
            Some(Fault::KillAfter) => {
                self.act(request);
                self.moments.kill();
                Reply::Silence
            }
            Some(Fault::CutAfter) => {
                self.act(request);
                Reply::Cut
            }
            Some(Fault::HalfAnswer) => {
                let mut body = self.act(request).bytes();
                if body.is_empty() {
                    // There has to be something that does not come.
                    body = b"null".to_vec();
                }
                Reply::Half { body }
            }
            Some(Fault::Stale) => {
                let answer = Self::look(request, &mut self.before.clone());
                self.send(request, answer)
            }
            None => {
                let answer = self.act(request);
                self.send(request, answer)
            }
        }
    }

    fn limited(&mut self, request: &Request, status: u16, message: &str, after: Option<u64>) -> Reply {
        let mut answer = Answer::error(status, message);
        answer.headers.extend(after.map(|seconds| ("retry-after".to_owned(), seconds.to_string())));
        self.send(request, answer)
    }

    fn act(&mut self, request: &Request) -> Answer {
        let mut world = self.world.clone();
        let answer = Self::look(request, &mut world);
        if request.method != "GET" {
            self.before = std::mem::replace(&mut self.world, world);
        }
        answer
    }

    /// Puts the answer on the wire, with its `ETag` and the rate limit.
    fn send(&mut self, request: &Request, answer: Answer) -> Reply {
        let mut bytes = answer.bytes();
        let Answer { mut status, mut headers, body, file } = answer;
        if file.is_some() {
            return Reply::Answer { status, headers, body: bytes };
        }
        if request.method == "GET" && status == 200 {
            let etag = format!("W/\"{}\"", hash("etag", format!("{headers:?}{body}").as_bytes()));
            if request.header("if-none-match") == Some(etag.as_str()) {
                (status, bytes) = (304, Vec::new());
            }
            headers.push(("etag".to_owned(), etag));
        }
        if status != 304 {
            self.used += 1;
        }
        if !bytes.is_empty() {
            headers.push(("content-type".to_owned(), "application/json; charset=utf-8".to_owned()));
        }
        for (name, value) in
            [("limit", HOURLY), ("remaining", HOURLY.saturating_sub(self.used)), ("used", self.used)]
        {
            let name = format!("x-ratelimit-{name}");
            if !headers.iter().any(|(there, _)| *there == name) {
                headers.push((name, value.to_string()));
            }
        }
        Reply::Answer { status, headers, body: bytes }
    }

    /// Answers from a world.
    fn look(request: &Request, world: &mut World) -> Answer {
        let ask = Ask::of(request, "http://elsewhere.example");
        let segments: Vec<&str> = ask.segments.iter().map(String::as_str).collect();
        if let ["storage", id] = segments.as_slice() {
            return releases::stored(world, &ask, id, request.header("authorization").is_some());
        }
        if request.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return Answer::error(401, "Bad credentials");
        }
        if request.header("user-agent").is_none() {
            return Answer::error(
                403,
                "Request forbidden by administrative rules. Please send a User-Agent.",
            );
        }
        let (owner, name) = REPOSITORY.split_once('/').unwrap_or_default();
        match segments.as_slice() {
            ["api", "graphql"] => graph::answer(world, &ask),
            ["api", server @ ("v3" | "uploads"), "repos", there, repository, rest @ ..] => {
                if *there != owner || *repository != name || !world.visible {
                    return Answer::not_found();
                }
                if let Some(refusal) = refusal(world, &ask, rest) {
                    return refusal;
                }
                match (*server, rest) {
                    ("uploads", ["releases", id, "assets"]) => {
                        releases::upload(world, &ask, id, request.header("content-type").unwrap_or_default())
                    }
                    ("v3", ["releases", "assets", id]) if ask.method == "GET" => {
                        releases::asset(world, id, request.header("accept").unwrap_or_default())
                    }
                    ("v3", rest) => route(world, &ask, rest),
                    _ => Answer::not_found(),
                }
            }
            _ => Answer::not_found(),
        }
    }
}

fn route(world: &mut World, ask: &Ask, segments: &[&str]) -> Answer {
    match (ask.method.as_str(), segments) {
        ("GET", []) => Answer::ok(shape::repository(world)),
        (_, ["git", rest @ ..]) => objects::answer(world, ask, rest),
        (_, ["issues", rest @ ..]) => talk::issues(world, ask, rest),
        ("GET", ["pulls", number]) => talk::pull(world, number),
        ("GET", ["collaborators", login, "permission"]) => talk::permission(world, login),
        ("POST", ["dispatches"]) => talk::dispatch(world, ask, None),
        ("GET", ["actions", "runs"]) => commits::waiting(world, ask),
        ("GET", ["actions", "runs", id, "pending_deployments"]) => commits::pending(world, id),
        ("GET", ["actions", "runs", id, "artifacts"]) => runs::artifacts(world, ask, id),
        ("GET", ["actions", "runs", id]) => runs::run(world, id, None),
        ("GET", ["actions", "runs", id, "attempts", attempt]) => runs::run(world, id, Some(attempt)),
        ("GET", ["actions", "artifacts", id, "zip"]) => runs::archive(world, id),
        ("POST", ["actions", "workflows", file, "dispatches"]) => talk::dispatch(world, ask, Some(file)),
        ("GET", ["commits", rest @ ..]) => commits::commits(world, ask, rest),
        ("POST", ["check-runs"]) => commits::add_check_run(world, ask),
        ("PATCH", ["check-runs", id]) => commits::change_check_run(world, ask, id),
        ("POST", ["statuses", sha]) => commits::add_status(world, ask, sha),
        ("GET", ["attestations", digest]) => attestations::of(world, ask, digest),
        ("GET", ["contents", path @ ..]) => commits::contents(world, ask, path),
        (_, ["deployments", rest @ ..]) => commits::deployments(world, ask, rest),
        (_, ["releases", rest @ ..]) => releases::answer(world, ask, rest),
        _ => Answer::not_found(),
    }
}

/// What the repository's state or the token's permissions forbid.
fn refusal(world: &World, ask: &Ask, segments: &[&str]) -> Option<Answer> {
    let writes = ask.method != "GET";
    if writes && world.archived {
        return Some(Answer::error(403, "Repository was archived so is read-only."));
    }
    let area = match segments.first().copied().unwrap_or_default() {
        "issues" => "issues",
        "pulls" => "pull_requests",
        "deployments" => "deployments",
        "check-runs" => "checks",
        "statuses" => "statuses",
        "actions" => "actions",
        "attestations" => "attestations",
        _ => "contents",
    };
    let needed = format!("{area}={}", if writes { "write" } else { "read" });
    world.lacks.contains(&needed).then(|| Answer::forbidden(&needed))
}

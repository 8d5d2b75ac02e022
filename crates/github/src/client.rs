//! Sending requests well: paced, repeated where that is safe, conditional, counted, and with errors that people
//! can act on.

use std::{
    collections::BTreeSet,
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value;
use tagship_domain::{Duration, Timestamp};
use tagship_ports::{Clock, PortError, Problem};
use tokio::sync::{Mutex, MutexGuard};

use crate::{
    answer::Answer,
    cache::Cache,
    call::{Call, Effect, Server, path},
    error::{CallError, Reason, refusal, unanswered},
    meter::Meter,
    retry::{self, Outcome},
    settings::{Addresses, Settings},
    transport::Transport,
};

/// Least time between two writes that people see.
const PACE: Duration = Duration::from_secs(1);
/// Most pages of one list: 100,000 things.
const MAX_PAGES: usize = 1000;
/// How often a thing is made again when nobody knows what became of it.
const CREATIONS: u32 = 4;

/// How often a request was sent, and how long the host was waited for.
#[derive(Debug)]
pub(crate) struct Tries {
    pub(crate) attempt: u32,
    waited: Duration,
}

impl Default for Tries {
    fn default() -> Self {
        Self { attempt: 1, waited: Duration::default() }
    }
}

/// What became of a request in the end, and how long the host wants to be left alone where that is longer than
/// anyone waits.
pub(crate) type End = (Outcome, Option<Duration>);

/// The repository as the host has it.
#[derive(Debug, Deserialize)]
struct Seen {
    full_name: String,
}

/// A client of one repository.
pub(crate) struct Client {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) meter: Meter,
    addresses: Addresses,
    transport: OnceLock<Transport>,
    last_write: Mutex<Option<Timestamp>>,
    cache: Cache,
    /// Whether the repository has been seen, so that "not found" is about what was asked for.
    visible: AtomicBool,
}

impl Client {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        Ok(Self {
            addresses: Addresses::of(&settings)?,
            settings,
            clock,
            meter: Meter::default(),
            transport: OnceLock::new(),
            last_write: Mutex::new(None),
            cache: Cache::default(),
            visible: AtomicBool::new(false),
        })
    }

    /// A path below the repository.
    pub(crate) fn repo(&self, segments: &[&str]) -> String {
        path(&["repos", &self.addresses.owner, &self.addresses.name]) + &path(segments)
    }

    /// Sends a request until it is answered for good.
    ///
    /// # Errors
    /// Where the answer is an error, or none comes.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, CallError> {
        let end = self.exchange(call).await?;
        let answer = self.settle(call, end).await?;
        // Not every caller needs the answer to a write; it has to be one of the host all the same.
        if call.effect != Effect::Read && !answer.body.is_empty() {
            answer.json::<IgnoredAny>(call)?;
        }
        Ok(answer)
    }

    /// The answer where it is good, else what the refusal means.
    pub(crate) async fn settle(&self, call: &Call, (outcome, gave_up): End) -> Result<Answer, CallError> {
        match outcome {
            Outcome::Answered(answer) if (200..300).contains(&answer.status) => {
                if call.server == Server::Rest {
                    self.visible.store(true, Ordering::Relaxed);
                }
                Ok(answer)
            }
            Outcome::Answered(answer) => {
                if answer.status == 404 {
                    self.must_see_repository(call).await?;
                }
                Err(self.without_token(refusal(call, &answer, &self.settings, gave_up)))
            }
            lost @ Outcome::Lost { .. } => Err(self.without_token(unanswered(call, &lost))),
        }
    }

    /// Sends a request and reads the answer as data.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: &Call) -> Result<T, CallError> {
        Ok(self.send(call).await?.json(call)?)
    }

    /// As [`Client::fetch`], absent where there is nothing of that name.
    pub(crate) async fn find<T: DeserializeOwned>(&self, call: &Call) -> Result<Option<T>, CallError> {
        match self.fetch(call).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.reason == Reason::Missing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every item of a list, over all its pages. `key` names the list inside each page where it is not the page
    /// itself.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        call: Call,
        key: Option<&str>,
    ) -> Result<Vec<T>, CallError> {
        let mut call = call.query("per_page", "100");
        let (mut items, mut seen) = (Vec::new(), BTreeSet::new());
        loop {
            let answer = self.send(&call).await?;
            let page: Vec<T> = match key {
                None => answer.json(&call)?,
                Some(key) => {
                    let mut page: Value = answer.json(&call)?;
                    let list = page.get_mut(key).map(Value::take).unwrap_or_default();
                    serde_json::from_value(list).map_err(|error| {
                        PortError::new(Problem::Invalid, &call.about, format!("read {key:?}: {error}"))
                    })?
                }
            };
            items.extend(page);
            let Some(next) = answer.next else { return Ok(items) };
            seen.insert(std::mem::replace(&mut call.query, next));
            if seen.len() >= MAX_PAGES || seen.contains(&call.query) {
                let message = format!("the list does not end after {} pages", seen.len());
                return Err(PortError::new(Problem::Invalid, &call.about, message).into());
            }
        }
    }

    /// Makes a thing that must exist once. Where nobody knows what became of the request, `find` looks before it is
    /// sent again.
    pub(crate) async fn create<T, F, Fut>(&self, call: &Call, find: F) -> Result<T, CallError>
    where
        T: DeserializeOwned,
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<Option<T>, CallError>> + Send,
    {
        let mut creation = 1;
        loop {
            let error = match self.fetch(call).await {
                Ok(made) => return Ok(made),
                Err(error) if error.unsure => error,
                Err(error) => return Err(error),
            };
            self.clock.sleep(Duration::from_secs(1 << creation)).await;
            if let Some(found) = find().await? {
                return Ok(found);
            }
            if creation >= CREATIONS {
                return Err(error);
            }
            creation += 1;
        }
    }

    /// Sends a request, again and again while that is safe and may help.
    async fn exchange(&self, call: &Call) -> Result<End, PortError> {
        let address = self.address(call);
        let mut tries = Tries::default();
        loop {
            let outcome = self.attempt(call, &address, tries.attempt).await?;
            if let Some(end) = self.again(call.effect, outcome, &mut tries).await {
                return Ok(end);
            }
        }
    }

    /// Waits where the request is to be sent again; else this is the end.
    pub(crate) async fn again(&self, effect: Effect, outcome: Outcome, tries: &mut Tries) -> Option<End> {
        let Some(wait) = retry::wait(effect, &outcome, tries.attempt, self.clock.now()) else {
            return Some((outcome, None));
        };
        tries.waited = tries.waited.plus(wait);
        if tries.waited > self.settings.patience {
            return Some((outcome, Some(wait)));
        }
        self.clock.sleep(wait).await;
        tries.attempt += 1;
        None
    }

    async fn attempt(&self, call: &Call, address: &str, attempt: u32) -> Result<Outcome, PortError> {
        let transport = self.transport()?;
        let reads = call.effect == Effect::Read;
        let etag = if reads { self.cache.etag(address) } else { None };
        // Held until the answer is there: the host asks for writes one after the other.
        let turn = if call.effect.is_paced() { Some(self.turn().await) } else { None };
        let mut outcome = transport.send(call, address, etag.as_deref()).await?;
        drop(turn);
        let not_modified = matches!(&outcome, Outcome::Answered(answer) if answer.status == 304);
        self.meter.sent(not_modified, attempt);
        if let Outcome::Answered(answer) = &mut outcome
            && reads
        {
            if not_modified {
                if let Some(known) = self.cache.get(address) {
                    *answer = known;
                }
            } else if answer.status == 200 {
                self.cache.put(address, answer);
            }
        }
        Ok(outcome)
    }

    /// Waits until a write may be sent.
    async fn turn(&self) -> MutexGuard<'_, Option<Timestamp>> {
        let mut last = self.last_write.lock().await;
        while let Some(next) = last.map(|last| last.after(PACE)).filter(|next| *next > self.clock.now()) {
            self.clock.sleep(next.since(self.clock.now())).await;
        }
        *last = Some(self.clock.now());
        last
    }

    pub(crate) fn transport(&self) -> Result<&Transport, PortError> {
        if let Some(there) = self.transport.get() {
            return Ok(there);
        }
        let new = Transport::new(&self.settings, &self.addresses)?;
        Ok(self.transport.get_or_init(|| new))
    }

    pub(crate) fn address(&self, call: &Call) -> String {
        let base = match call.server {
            Server::Rest => &self.addresses.api,
            Server::Graphql => &self.addresses.graphql,
            Server::Uploads => &self.addresses.uploads,
        };
        let address = format!("{}{}", base.as_str().trim_end_matches('/'), call.path);
        if call.query.is_empty() { address } else { format!("{address}?{}", call.query) }
    }

    /// Tells "there is no such thing" from "this token sees nothing here", which the host answers alike.
    async fn must_see_repository(&self, call: &Call) -> Result<(), CallError> {
        if self.visible.load(Ordering::Relaxed) {
            return Ok(());
        }
        let probe = Call::get(call.about.clone(), self.repo(&[]));
        match self.exchange(&probe).await? {
            (Outcome::Answered(answer), _) if answer.status == 200 => {
                let seen: Seen = answer.json(&probe)?;
                if !seen.full_name.eq_ignore_ascii_case(&self.settings.repository) {
                    let message = format!("the host takes {} for it", seen.full_name);
                    return Err(PortError::new(Problem::Invalid, &call.about, message).into());
                }
                self.visible.store(true, Ordering::Relaxed);
                Ok(())
            }
            (Outcome::Answered(answer), gave_up) if answer.status != 404 => {
                Err(self.without_token(refusal(&probe, &answer, &self.settings, gave_up)))
            }
            (Outcome::Answered(_), _) => {
                let message = format!("the token cannot see {}, or there is none", self.settings.repository);
                Err(PortError::new(Problem::Denied, &call.about, message)
                    .hint("check GITHUB_REPOSITORY; in a private repository the job needs `permissions: contents: read`")
                    .into())
            }
            (lost, _) => Err(self.without_token(unanswered(&probe, &lost))),
        }
    }

    /// The host may repeat what it was sent; the token is never passed on.
    fn without_token(&self, mut error: CallError) -> CallError {
        let token = self.settings.token.expose();
        if error.port.message.contains(token.as_str()) {
            error.port.message = error.port.message.replace(token.as_str(), "***");
        }
        error
    }
}

//! Target `exec`: traffic lives wherever a program of the repository says.
//!
//! Every question is one run of the program, with one JSON document on its standard input and the answer on its standard
//! output. The exit code says what became of an order; `docs/guides/targets.md` describes the exchange.

mod check;
pub(crate) mod hook;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tagship_domain::{
    Digest, Duration, ModelName, Version,
    golden::GoldenCases,
    routing::{Matched, Routing},
    traffic::{Arm, Counters, TargetState, Weight},
    validation::{GoldenReport, Status},
};
use tagship_ports::{
    ModelRunner, PortError, Problem, Target,
    model_runner::{GoldenBounds, Subject},
    target::{Capabilities, Done, Needs, Order},
};
use tokio::sync::OnceCell;

use crate::{http, inference::Endpoint, settings};
pub use check::{HookPlan, Specimen};
use hook::{Answered, Hook, said};

/// Version of the exchange.
const SCHEMA: &str = "tagship/hook/v1";
/// What a hook's time is where nothing is said.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
/// Longest wait for an answer of a version's endpoint.
const ANSWER: std::time::Duration = std::time::Duration::from_secs(30);
/// What a program needs to run at all: where programs, its files and its language are.
pub const INHERITED: [&str; 8] = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "SYSTEMROOT"];
/// What stands for the version in `model-url`.
const PLACEHOLDER: &str = "{{version}}";
const WHAT: &str = "target exec";

/// Settings of target `exec`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExecSettings {
    /// The program and its arguments; a path is one from the repository's top.
    pub command: Vec<String>,
    /// How long one question may take.
    #[serde(default = "default_timeout")]
    pub timeout: Duration,
    /// Environment variables that the program gets, beside those that every program needs.
    #[serde(default)]
    pub env: Vec<String>,
    /// Address of a version's endpoint, with `{{version}}` in it, where the program names none.
    #[serde(default)]
    pub model_url: Option<String>,
}

fn default_timeout() -> Duration {
    DEFAULT_TIMEOUT
}

/// A program that moves traffic.
#[derive(Clone)]
pub struct ExecTarget {
    hook: Hook,
    client: Client,
    model_url: Option<String>,
    abilities: Arc<OnceCell<Abilities>>,
}

impl std::fmt::Debug for ExecTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecTarget").field("command", &self.hook.command).finish_non_exhaustive()
    }
}

/// What a program says it can do; what it does not say, it can't.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Abilities {
    #[serde(default)]
    weights: bool,
    #[serde(default)]
    counters: bool,
    #[serde(default)]
    endpoints: bool,
    /// Whether the requests that carry a header can be led to one version.
    #[serde(default)]
    matches: bool,
}

/// What is asked.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Question<'a> {
    schema: &'static str,
    verb: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a ModelName>,
    /// Grows with every decision: refuse lower ones than were seen, and take an equal one as a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    fence: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<&'a Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<&'a Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    /// Only of a rollback: the version that gets all traffic, `null` for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<Value>,
    /// Only of a route: the version that gets the requests with a header; absent where none does.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    matched: Option<&'a Matched>,
}

/// What a program serves.
#[derive(Debug, Deserialize)]
struct Observed {
    arms: Vec<ObservedArm>,
}

#[derive(Debug, Clone, Deserialize)]
struct ObservedArm {
    version: Version,
    digest: Digest,
    ready: bool,
    weight: Weight,
    #[serde(default)]
    counters: Option<Counters>,
    #[serde(default)]
    endpoint: Option<String>,
}

/// What may be said beside the exit code of an order.
#[derive(Debug, Default, Deserialize)]
struct Remark {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    owner: Option<String>,
}

impl ExecTarget {
    /// Reads the settings; a relative path of the program is one from `root`.
    ///
    /// # Errors
    /// For settings that it does not have, or a variable that is not set.
    pub fn from_settings(
        given: &Map<String, Value>,
        root: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: ExecSettings = settings::read(WHAT, given)?;
        if given.command.first().is_none_or(|program| program.trim().is_empty()) {
            return Err(settings::wrong(WHAT, "`command` names no program")
                .hint("write the program and its arguments, e.g. `command: [\"./deploy/hook.py\"]`"));
        }
        if given.timeout == Duration::default() {
            return Err(settings::wrong(WHAT, "a `timeout` of no time ends every call"));
        }
        if let Some(url) = &given.model_url {
            check_model_url(url)?;
        }
        let mut environment = BTreeMap::new();
        for name in INHERITED {
            environment.extend(variable(name).map(|value| (name.to_owned(), value)));
        }
        for name in &given.env {
            let value = settings::secret(WHAT, name, variable, "set it, or take it out of `env`")?;
            environment.insert(name.clone(), value.expose().clone());
        }
        let directory = std::path::absolute(root)
            .map_err(|error| PortError::new(Problem::Local, "find the repository", error.to_string()))?;
        let hook = Hook { command: given.command, directory, environment, timeout: given.timeout };
        let client = http::client(ANSWER)?;
        Ok(Self { hook, client, model_url: given.model_url, abilities: Arc::default() })
    }

    async fn ask(&self, operation: &str, question: Question<'_>) -> Result<Answered, PortError> {
        let question = Question { schema: SCHEMA, ..question };
        let text = serde_json::to_vec(&question)
            .map_err(|error| PortError::new(Problem::Invalid, operation, error.to_string()))?;
        self.hook.ask(operation, &text).await
    }

    /// A question whose answer is a document.
    async fn read<T: DeserializeOwned>(
        &self,
        operation: &str,
        question: Question<'_>,
    ) -> Result<T, PortError> {
        let answered = self.ask(operation, question).await?;
        if answered.code != 0 {
            return Err(self.failed(operation, &answered));
        }
        serde_json::from_slice(&answered.stdout).map_err(|error| {
            let message = format!("{} printed something else than the answer: {error}", self.hook.command[0]);
            PortError::new(Problem::Invalid, operation, message)
                .hint("print one JSON document on stdout, and everything else on stderr")
        })
    }

    async fn order(&self, operation: &str, question: Question<'_>) -> Result<Done, PortError> {
        let answered = self.ask(operation, question).await?;
        match answered.code {
            0 => Ok(Done::Applied),
            10 => Ok(Done::AlreadyThere),
            11 => Ok(Done::Pending),
            _ => Err(self.failed(operation, &answered)),
        }
    }

    /// What another exit code than success means.
    fn failed(&self, operation: &str, answered: &Answered) -> PortError {
        let remark: Remark = serde_json::from_slice(&answered.stdout).unwrap_or_default();
        let (problem, meaning) = match answered.code {
            12 => (Problem::Conflict, "is in conflict"),
            13 => (Problem::Unsupported, "cannot do it"),
            14 => (Problem::Fenced, "has seen a newer order"),
            15 => (Problem::NotFound, "does not have the version loaded"),
            _ => (Problem::Unreachable, "failed"),
        };
        let owner = remark.owner.map_or(String::new(), |owner| format!(" with {owner}"));
        let message = remark.message.map_or(String::new(), |message| format!(": {message}"));
        let (program, code, log) = (&self.hook.command[0], answered.code, said(&answered.log));
        let text = format!("{program} {meaning}{owner} (exit code {code}){message}{log}");
        PortError::new(problem, operation, text)
    }

    async fn abilities(&self) -> Result<Abilities, PortError> {
        let ask = || async {
            let question = Question { verb: "capabilities", ..Question::default() };
            self.read("ask what the target can do", question).await
        };
        self.abilities.get_or_try_init(ask).await.copied()
    }

    async fn arms(&self, model: &ModelName) -> Result<Vec<ObservedArm>, PortError> {
        let question = Question { verb: "observe", model: Some(model), ..Question::default() };
        self.read::<Observed>(&format!("observe {model}"), question).await.map(|observed| observed.arms)
    }

    /// Where a version answers; what the program says comes before what is configured.
    async fn endpoint(&self, model: &ModelName, version: &Version) -> Result<Option<String>, PortError> {
        let arms = self.arms(model).await?;
        let named = arms.into_iter().find(|arm| arm.version == *version).and_then(|arm| arm.endpoint);
        let configured = || self.model_url.as_ref().map(|url| url.replace(PLACEHOLDER, &version.to_string()));
        let Some(endpoint) = named.or_else(configured) else { return Ok(None) };
        match Url::parse(&endpoint) {
            Ok(url) if ["http", "https"].contains(&url.scheme()) => {
                Ok(Some(endpoint.trim_end_matches('/').to_owned()))
            }
            _ => {
                let message = format!("the endpoint {endpoint:?} is no http or https address");
                Err(PortError::new(Problem::Invalid, format!("ask {model} {version}"), message))
            }
        }
    }
}

fn check_model_url(url: &str) -> Result<(), PortError> {
    let example = "write e.g. `model-url: \"https://models.example/v2/models/churn/versions/{{version}}\"`";
    let filled = Url::parse(&url.replace(PLACEHOLDER, "v1.0.0"));
    if !filled.is_ok_and(|url| ["http", "https"].contains(&url.scheme())) {
        let message = format!("`model-url` is no http or https address: {url:?}");
        return Err(settings::wrong(WHAT, message).hint(example));
    }
    if !url.contains(PLACEHOLDER) {
        let message = "`model-url` has no `{{version}}`, so that every version would have one address";
        return Err(settings::wrong(WHAT, message).hint(example));
    }
    Ok(())
}

#[async_trait]
impl Target for ExecTarget {
    fn capabilities(&self) -> Capabilities {
        Capabilities { weights: true, sticky: false, shadow: false, matches: true }
    }

    async fn check(&self, needs: Needs) -> Result<(), PortError> {
        let able = self.abilities().await?;
        let program = &self.hook.command[0];
        let refuse = |message: String, hint: &str| {
            Err(PortError::new(Problem::Unsupported, format!("ask {program} what it can do"), message)
                .hint(hint))
        };
        if needs.weights && !able.weights {
            let hint = "choose `strategy: { blue-green: {} }` without hold-back";
            return refuse("it gives all traffic to one version and cannot share it".to_owned(), hint);
        }
        if needs.counters && !able.counters {
            let hint = "give each metric a `source` of its own, or take `analysis` out";
            return refuse("it does not count what the versions answer".to_owned(), hint);
        }
        if needs.endpoints && !able.endpoints && self.model_url.is_none() {
            let hint = "set `model-url`, have the program answer `endpoint` for each version, or release without golden \
                        cases";
            return refuse("it names no endpoint that golden cases could be run against".to_owned(), hint);
        }
        Capabilities { matches: able.matches, ..self.capabilities() }.check(needs)
    }

    async fn observe(&self, model: &ModelName) -> Result<TargetState, PortError> {
        let counts = self.abilities().await?.counters;
        let mut arms = vec![];
        for arm in self.arms(model).await? {
            if counts && arm.counters.is_none() {
                let message = format!(
                    "{} says that it counts, and has no `counters` of {}",
                    self.hook.command[0], arm.version
                );
                return Err(PortError::new(Problem::Invalid, format!("observe {model}"), message));
            }
            let counters = arm.counters.unwrap_or_default();
            let (version, digest, ready, weight) = (arm.version, arm.digest, arm.ready, arm.weight);
            arms.push(Arm { version, digest, ready, weight, counters });
        }
        Ok(TargetState { arms })
    }

    async fn prepare(
        &self,
        order: &Order,
        version: &Version,
        digest: &Digest,
        bytes: &Path,
    ) -> Result<Done, PortError> {
        let operation = format!("load {} {version}", order.model);
        let bytes = std::path::absolute(bytes)
            .map_err(|error| PortError::new(Problem::Local, &operation, error.to_string()))?;
        let question = Question {
            version: Some(version),
            digest: Some(digest),
            bytes: Some(&bytes),
            ..of("prepare", order)
        };
        self.order(&operation, question).await
    }

    async fn set_weight(&self, order: &Order, version: &Version, weight: Weight) -> Result<Done, PortError> {
        let operation = format!("give {} {version} {weight} of the traffic", order.model);
        let question = Question { version: Some(version), weight: Some(weight), ..of("set-weight", order) };
        self.order(&operation, question).await
    }

    async fn route(&self, order: &Order, routing: &Routing) -> Result<Done, PortError> {
        let operation = format!("route the requests of {}", order.model);
        let unable = |message: &str| Err(PortError::new(Problem::Unsupported, &operation, message));
        let Routing { sticky, shadow, matched } = routing;
        if sticky.is_some() || shadow.is_some() {
            return unable("target exec keeps no client on its side and copies no requests");
        }
        // A program that does not know the member would take the order for one that changes nothing.
        if matched.is_some() && !self.abilities().await?.matches {
            return unable("the program does not say that it matches headers");
        }
        // Without a match nothing may change; a late order is told by the program's own memory of fences.
        self.order(&operation, Question { matched: matched.as_ref(), ..of("route", order) }).await
    }

    async fn promote(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let question = Question { version: Some(version), ..of("promote", order) };
        self.order(&format!("promote {} {version}", order.model), question).await
    }

    async fn rollback(&self, order: &Order, to: Option<&Version>) -> Result<Done, PortError> {
        let back = to.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let question = Question { to: Some(serde_json::json!(to)), ..of("rollback", order) };
        self.order(&format!("roll {} back to {back}", order.model), question).await
    }

    async fn cleanup(&self, order: &Order, version: &Version) -> Result<Done, PortError> {
        let question = Question { version: Some(version), ..of("cleanup", order) };
        self.order(&format!("unload {} {version}", order.model), question).await
    }
}

fn of<'a>(verb: &'static str, order: &'a Order) -> Question<'a> {
    Question { verb, model: Some(&order.model), fence: Some(order.fence), ..Question::default() }
}

#[async_trait]
impl ModelRunner for ExecTarget {
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let unjudged =
            |status, message: String| GoldenReport { status, cases: vec![], message: Some(message) };
        let Subject::Endpoint { model, version } = subject else {
            let message = "target exec runs golden cases against loaded versions only".to_owned();
            return unjudged(Status::Incomplete, message);
        };
        match self.endpoint(model, version).await {
            Ok(Some(url)) => {
                let operation = format!("ask {model} {version}");
                Endpoint { client: &self.client, url: &url, operation }.run(cases, bounds).await
            }
            Ok(None) => {
                let message = format!("{} names no endpoint of {version}", self.hook.command[0]);
                unjudged(Status::Incomplete, message)
            }
            Err(error) => unjudged(Status::Error, error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;

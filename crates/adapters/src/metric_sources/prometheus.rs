//! Metric source `prometheus`: counts by version, or values, from a server with the Prometheus HTTP API.
//!
//! Every question says for which time it is meant, so that a look that nobody took can be taken later. Queries for counts
//! are instant and ask for counters as they are; differences are taken between looks, series by series. Whatever is no count of a
//! version is an error in a sentence: no series, series that are gone, a number that is none, an error of the server, a
//! partial answer. None of it is ever a zero. `or vector(0)` in a query says that no series means none, and only the
//! person who writes it knows that.

mod answer;
mod queries;
mod query;
mod ready;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use reqwest::{Url, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_domain::{
    Duration as Length, Timestamp, Version, analysis::MetricKind, tally::Tally, threshold::Point,
};
use tagship_ports::{Backend, Backends, PortError, Problem, Question, TallySource, ValueSource};

use super::{
    Opening,
    access::{self, Access},
    fetch::{self, Unusable},
};
use crate::settings;
use answer::Series;
pub use queries::{PrometheusQueries, prometheus_queries};
use query::{Arm, Query, has_backend};
pub use ready::{READY_QUERIES, ReadyQueries};

/// How far back series are looked for that are gone now.
const LOOKED_BACK: &str = "1h";
const WHAT: &str = "metric source prometheus";

/// Settings of metric source `prometheus`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PrometheusSettings {
    /// Address of the server; `/api/v1/query` is added.
    url: String,
    /// Ready-made queries, by name.
    #[serde(default)]
    queries: Option<String>,
    /// Query for one value.
    #[serde(default)]
    query: Option<String>,
    /// Time between two values of a look, which is asked for as a range then.
    #[serde(default)]
    step: Option<Length>,
    /// Counter of bad observations of a version.
    #[serde(default)]
    bad: Option<String>,
    /// Counter of all observations of a version.
    #[serde(default)]
    total: Option<String>,
    /// Cumulative buckets of a histogram of a version's answers.
    #[serde(default)]
    buckets: Option<String>,
    /// What the bounds of the buckets count.
    #[serde(default)]
    unit: Option<Unit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    fn millis(self) -> f64 {
        match self {
            Self::Seconds => 1000.0,
            Self::Milliseconds => 1.0,
        }
    }
}

/// A server and what it is asked about one metric.
#[derive(Clone)]
pub struct Prometheus {
    access: Access,
    url: Url,
    asked: Asked,
    /// Who knows the backends of versions; there where a query has a place for them.
    backends: Option<Arc<dyn Backends>>,
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prometheus")
            .field("url", &self.url)
            .field("asked", &self.asked)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
enum Asked {
    Shares { bad: Query, total: Query },
    Durations { buckets: Query, unit: f64 },
    Value { query: Query, step: Option<Length> },
}

impl Asked {
    fn needs_backend(&self) -> bool {
        match self {
            Self::Shares { bad, total } => bad.needs_backend() || total.needs_backend(),
            Self::Durations { buckets, .. } => buckets.needs_backend(),
            Self::Value { query, .. } => query.needs_backend(),
        }
    }
}

impl Prometheus {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let (given, keys): (PrometheusSettings, _) = access::read(WHAT, opening.settings)?;
        let url = query_url(&given.url)?;
        let access = Access::open(WHAT, keys, opening.root, opening.variable, &url)?;
        let asked = asked(&given, opening.kind)?;
        let backends = if asked.needs_backend() { Some(backends(opening)?) } else { None };
        Ok(Self { access, url, asked, backends })
    }

    /// The backend of a version, where a query has a place for it.
    async fn backend(&self, version: &Version, at: Timestamp) -> Result<Option<Backend>, PortError> {
        match &self.backends {
            Some(backends) => backends.backend(version, at).await.map(Some),
            None => Ok(None),
        }
    }

    /// The series that a query gives now; an answer without any is an error that says what is missing.
    async fn series(&self, query: &str, version: &Version, at: Timestamp) -> Result<Vec<Series>, PortError> {
        let found = self.query(query, version, at).await?;
        if !found.is_empty() {
            return Ok(found);
        }
        // Only to say why: an answer to this is no count, and none to it changes nothing.
        let history = format!("count_over_time(({query})[{LOOKED_BACK}:1m])");
        let was_there = self.query(&history, version, at).await.is_ok_and(|series| !series.is_empty());
        let (message, hint) = if was_there {
            (
                format!("the series that `{query}` gave within the last {LOOKED_BACK} are gone"),
                "the instance has stopped, or is no longer scraped: look at the targets of the server",
            )
        } else {
            (
                format!("no series matches `{query}`"),
                "check names and labels, and that the version has had traffic; where a program writes the series only \
                 when something went wrong, add `or vector(0)` to say that none means zero",
            )
        };
        Err(self.error(version, Problem::NotFound, message).hint(hint))
    }

    async fn query(&self, query: &str, version: &Version, at: Timestamp) -> Result<Vec<Series>, PortError> {
        let body = self.ask("", query, version, &[("time", at.to_string())]).await?;
        answer::series(&body).map_err(|unusable| self.with_query(version, query)(unusable))
    }

    /// The body of a good answer to a query of this form, `_range` or none.
    async fn ask(
        &self,
        form: &str,
        query: &str,
        version: &Version,
        when: &[(&str, String)],
    ) -> Result<Vec<u8>, PortError> {
        let wrong = self.with_query(version, query);
        let mut url = self.url.clone();
        url.set_path(&format!("{}{form}", self.url.path()));
        url.query_pairs_mut()
            .append_pair("query", query)
            .extend_pairs(when)
            .append_pair("timeout", &format!("{}ms", self.access.timeout.std().as_millis()));
        let request =
            self.access.login.sign(self.access.client.get(url).header(header::ACCEPT, "application/json"));
        let answer = fetch::fetch(request)
            .await
            .map_err(|unusable| self.error(version, unusable.problem, unusable.message))?;
        if !(200..300).contains(&answer.status) {
            return Err(wrong(answer::failure(answer.status, &answer.body)));
        }
        if !answer.kind.starts_with("application/json") {
            let message = format!("it answered {} and not JSON; a login page, perhaps", answer.kind);
            return Err(wrong(Unusable::invalid(message, answer::NO_API)));
        }
        Ok(answer.body)
    }

    /// An error with the query that led to it.
    fn with_query(&self, version: &Version, query: &str) -> impl Fn(Unusable) -> PortError {
        let (unusable, query) = (self.unusable(version), query.to_owned());
        move |wrong| unusable(Unusable { message: format!("{} (`{query}`)", wrong.message), ..wrong })
    }

    /// The values of the look that a question is about.
    async fn points(
        &self,
        query: &Query,
        step: Option<Length>,
        question: &Question<'_>,
    ) -> Result<Vec<Point>, PortError> {
        let version = question.version;
        let backend = self.backend(version, question.to).await?;
        let query = query.of(question, backend.as_ref()).map_err(|why| {
            self.error(version, Problem::Invalid, why).hint("take the place out of `query`")
        })?;
        let wrong = self.with_query(version, &query);
        let Some(step) = step else {
            let body = self.ask("", &query, version, &[("time", question.to.to_string())]).await?;
            return answer::value(&body, question.to).map_err(wrong);
        };
        // A range includes its first time, which the look before has had.
        let first = question.from.after(step).min(question.to);
        let when = [
            ("start", first.to_string()),
            ("end", question.to.to_string()),
            ("step", format!("{}", step.as_secs_f64())),
        ];
        let body = self.ask("_range", &query, version, &when).await?;
        answer::range(&body).map_err(wrong)
    }

    fn error(&self, version: &Version, problem: Problem, message: impl Into<String>) -> PortError {
        PortError::new(problem, format!("ask {} about {version}", fetch::shown(&self.url)), message)
    }

    fn unusable(&self, version: &Version) -> impl Fn(Unusable) -> PortError {
        let (this, version) = (self.clone(), version.clone());
        move |unusable| {
            let error = this.error(&version, unusable.problem, unusable.message);
            unusable.hint.map_or_else(|| error.clone(), |hint| error.clone().hint(hint))
        }
    }
}

#[async_trait]
impl TallySource for Prometheus {
    async fn tally(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError> {
        let unusable = self.unusable(version);
        let backend = self.backend(version, at).await?;
        let arm = Arm { version, backend: backend.as_ref() };
        let about =
            |query: &Query| query.about(&arm).map_err(|why| self.error(version, Problem::Invalid, why));
        match &self.asked {
            Asked::Shares { bad, total } => {
                let bad = self.series(&about(bad)?, version, at).await?;
                let bad = answer::counts(bad).map_err(&unusable)?;
                let total = self.series(&about(total)?, version, at).await?;
                let total = answer::counts(total).map_err(&unusable)?;
                Ok(Tally { bad, total, ..Tally::default() })
            }
            Asked::Value { .. } => {
                Err(self.error(version, Problem::Invalid, "it is asked for a value, which is no count"))
            }
            Asked::Durations { buckets, unit } => {
                let buckets = self.series(&about(buckets)?, version, at).await?;
                let latency = answer::histograms(buckets, *unit).map_err(&unusable)?;
                Ok(Tally { latency, ..Tally::default() })
            }
        }
    }

    fn knows_the_past(&self) -> bool {
        true
    }
}

#[async_trait]
impl ValueSource for Prometheus {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        match &self.asked {
            Asked::Value { query, step } => self.points(query, *step, question).await,
            _ => Err(self.error(
                question.version,
                Problem::Invalid,
                "it is asked for counts, which are no value",
            )),
        }
    }

    fn knows_the_past(&self) -> bool {
        true
    }
}

fn query_url(text: &str) -> Result<Url, PortError> {
    let example = "write e.g. `url: \"https://prometheus.example:9090\"`";
    let wrong = |message: String| settings::wrong(WHAT, message).hint(example);
    let mut url = Url::parse(text).map_err(|error| wrong(format!("`url` is no address: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong(format!("`url` is of the kind {:?}", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(settings::wrong(WHAT, "`url` holds credentials, which a file in git must not")
            .hint("name the variables that hold them in `user-env` and `password-env`"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("`url` has a query".to_owned()));
    }
    let path = format!("{}/api/v1/query", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// Whether settings ask by what the target calls a version.
pub(super) fn asks_for_backends(settings: &Map<String, Value>) -> bool {
    settings.contains_key("queries") || settings.values().any(|text| text.as_str().is_some_and(has_backend))
}

fn backends(opening: &Opening<'_>) -> Result<Arc<dyn Backends>, PortError> {
    opening.backends.clone().ok_or_else(|| {
        let message = "it asks by what the target calls a version, which is not known here";
        settings::wrong(WHAT, message).hint(
            "choose such queries for the analysis of a rollout to gateway-api, kserve or argo-rollouts; write queries with \
             {{arm}} elsewhere",
        )
    })
}

/// What ready-made queries ask; `given` has no queries of its own then.
fn ready(name: &str, kind: MetricKind) -> Result<Asked, PortError> {
    let names = |sets: &mut dyn Iterator<Item = &ReadyQueries>| {
        sets.map(|set| set.name).collect::<Vec<_>>().join(", ")
    };
    let Some(set) = ready::find(name) else {
        return Err(settings::wrong(WHAT, format!("`queries: {name}` names no ready-made queries"))
            .hint(format!("known names are {}", names(&mut READY_QUERIES.iter()))));
    };
    let wrong = |why: String| settings::wrong(WHAT, format!("`queries: {name}` {why}"));
    let checked = |text: &str| Query::new(text).map_err(wrong);
    match (kind, set.counts(), set.buckets()) {
        (MetricKind::ErrorRatio, Some((bad, total)), _) => {
            Ok(Asked::Shares { bad: checked(&bad)?, total: checked(&total)? })
        }
        (MetricKind::Latency, _, Some((buckets, unit))) => {
            Ok(Asked::Durations { buckets: checked(&buckets)?, unit: unit.millis() })
        }
        _ => {
            let have = names(&mut READY_QUERIES.iter().filter(|set| set.fits(kind)));
            let hint = if have.is_empty() {
                "ready-made queries are for error-ratio and latency; write queries of your own".to_owned()
            } else {
                format!("queries for {} have {have}", kind.as_str())
            };
            Err(wrong(format!("has no queries for {}", kind.as_str())).hint(hint))
        }
    }
}

fn asked(given: &PrometheusSettings, kind: MetricKind) -> Result<Asked, PortError> {
    let query = |key: &str, text: &Option<String>, example: &str| {
        let hint = format!("write e.g. {key}: '{example}'");
        let Some(text) = text else {
            let message = format!("the key `{key}` is missing, which {} needs", kind.as_str());
            return Err(settings::wrong(WHAT, message).hint(hint));
        };
        Query::new(text).map_err(|why| settings::wrong(WHAT, format!("`{key}` {why}")))
    };
    let unknown = |key: &str| {
        let message = format!("{} does not use the key `{key}`", kind.as_str());
        Err(settings::wrong(WHAT, message).hint("take it out"))
    };
    let is_value = kind == MetricKind::Value;
    let is_latency = kind == MetricKind::Latency;
    for (key, is_given, fits) in [
        ("query", given.query.is_some(), is_value),
        ("step", given.step.is_some(), is_value),
        ("bad", given.bad.is_some(), !is_value && !is_latency),
        ("total", given.total.is_some(), !is_value && !is_latency),
        ("buckets", given.buckets.is_some(), is_latency),
        ("unit", given.unit.is_some(), is_latency),
    ] {
        if is_given && given.queries.is_some() {
            let message = format!("`queries` is ready-made and stands without `{key}`");
            return Err(settings::wrong(WHAT, message).hint("take one of the two out"));
        }
        if is_given && !fits {
            return unknown(key);
        }
    }
    if let Some(name) = &given.queries {
        return ready(name, kind);
    }
    if is_value {
        let example = r#"sum(rate(errors_total{version="{{arm}}"}[{{interval}}]))"#;
        let Some(text) = &given.query else {
            return Err(settings::wrong(WHAT, "the key `query` is missing, which value needs")
                .hint(format!("write e.g. query: '{example}'")));
        };
        if given.step == Some(Length::default()) {
            return Err(settings::wrong(WHAT, "a `step` of no time has no end"));
        }
        let query = Query::of_value(text).map_err(|why| settings::wrong(WHAT, format!("`query` {why}")))?;
        return Ok(Asked::Value { query, step: given.step });
    }
    if is_latency {
        let example = r#"request_duration_seconds_bucket{version="{{arm}}"}"#;
        let unit = given.unit.unwrap_or(Unit::Seconds).millis();
        return Ok(Asked::Durations { buckets: query("buckets", &given.buckets, example)?, unit });
    }
    Ok(Asked::Shares {
        bad: query("bad", &given.bad, r#"errors_total{version="{{arm}}"}"#)?,
        total: query("total", &given.total, r#"requests_total{version="{{arm}}"}"#)?,
    })
}

#[cfg(test)]
mod tests;

//! Metric source `prometheus`: counts by version from a server with the Prometheus HTTP API, by instant queries.
//!
//! Queries ask for counters as they are; differences are taken between looks, series by series. Whatever is no count of a
//! version is an error in a sentence: no series, series that are gone, a number that is none, an error of the server, a
//! partial answer. None of it is ever a zero. `or vector(0)` in a query says that no series means none, and only the
//! person who writes it knows that.

mod answer;
mod query;

use async_trait::async_trait;
use reqwest::{Client, Url, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_domain::{Duration as Length, Redacted, Timestamp, Version, analysis::MetricKind, tally::Tally};
use tagship_ports::{PortError, Problem, TallySource};

use crate::{http, settings};
use answer::{Series, Unusable};
use query::Query;

/// Largest answer, in bytes.
const MAX_ANSWER: usize = 8 << 20;
/// Longest wait for an answer where nothing is said.
const ANSWER: Length = Length::from_secs(30);
/// How far back series are looked for that are gone now.
const LOOKED_BACK: &str = "1h";
const WHAT: &str = "metric source prometheus";

/// Settings of metric source `prometheus`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PrometheusSettings {
    /// Address of the server; `/api/v1/query` is added.
    url: String,
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
    /// Name of the environment variable that holds a bearer token.
    #[serde(default)]
    token_env: Option<String>,
    /// Names of the environment variables that hold a user and a password.
    #[serde(default)]
    user_env: Option<String>,
    #[serde(default)]
    password_env: Option<String>,
    /// Longest wait for an answer.
    #[serde(default)]
    timeout: Option<Length>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unit {
    Seconds,
    Milliseconds,
}

/// A server and what it is asked about one metric.
#[derive(Debug, Clone)]
pub struct Prometheus {
    client: Client,
    url: Url,
    timeout: Length,
    login: Login,
    asked: Asked,
}

#[derive(Debug, Clone)]
enum Login {
    None,
    Token(Redacted<String>),
    Basic { user: Redacted<String>, password: Redacted<String> },
}

#[derive(Debug, Clone)]
enum Asked {
    Shares { bad: Query, total: Query },
    Durations { buckets: Query, unit: f64 },
}

impl Prometheus {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        kind: MetricKind,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: PrometheusSettings = settings::read(WHAT, given)?;
        let timeout = given.timeout.unwrap_or(ANSWER);
        if timeout == Length::default() {
            return Err(settings::wrong(WHAT, "a `timeout` of no time ends every query"));
        }
        Ok(Self {
            client: http::client(timeout.std())?,
            url: query_url(&given.url)?,
            timeout,
            login: login(&given, variable)?,
            asked: asked(&given, kind)?,
        })
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
        let lost = |error: reqwest::Error| self.error(version, Problem::Unreachable, http::cause(&error));
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("query", query)
            .append_pair("time", &at.to_string())
            .append_pair("timeout", &format!("{}ms", self.timeout.std().as_millis()));
        let request = self.client.get(url).header(header::ACCEPT, "application/json");
        let request = match &self.login {
            Login::None => request,
            Login::Token(token) => request.bearer_auth(token.expose()),
            Login::Basic { user, password } => request.basic_auth(user.expose(), Some(password.expose())),
        };
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("no content type").to_owned();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > MAX_ANSWER {
                let message = format!("its answer is larger than {MAX_ANSWER} bytes");
                return Err(self.error(version, Problem::Invalid, message));
            }
            body.extend_from_slice(&chunk);
        }
        let wrong = |unusable: Unusable| {
            let error = self.error(version, unusable.problem, format!("{} (`{query}`)", unusable.message));
            unusable.hint.map_or_else(|| error.clone(), |hint| error.clone().hint(hint))
        };
        if !status.is_success() {
            return Err(wrong(answer::failure(status.as_u16(), &body)));
        }
        if !kind.starts_with("application/json") {
            let message = format!("it answered {kind} and not JSON; a login page, perhaps");
            return Err(self
                .error(version, Problem::Invalid, message)
                .hint("`url` must name the address below which /api/v1/query is"));
        }
        answer::series(&body).map_err(wrong)
    }

    fn error(&self, version: &Version, problem: Problem, message: impl Into<String>) -> PortError {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        let port = self.url.port().map_or(String::new(), |port| format!(":{port}"));
        PortError::new(problem, format!("count {version} at {scheme}://{host}{port}"), message)
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
        match &self.asked {
            Asked::Shares { bad, total } => {
                let bad = self.series(&bad.about(version), version, at).await?;
                let bad = answer::counts(bad).map_err(&unusable)?;
                let total = self.series(&total.about(version), version, at).await?;
                let total = answer::counts(total).map_err(&unusable)?;
                Ok(Tally { bad, total, ..Tally::default() })
            }
            Asked::Durations { buckets, unit } => {
                let buckets = self.series(&buckets.about(version), version, at).await?;
                let latency = answer::histograms(buckets, *unit).map_err(&unusable)?;
                Ok(Tally { latency, ..Tally::default() })
            }
        }
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

fn login(given: &PrometheusSettings, variable: &dyn Fn(&str) -> Option<String>) -> Result<Login, PortError> {
    let value =
        |name: &str, what: &str| settings::secret(WHAT, name, variable, &format!("set it to the {what}"));
    match (&given.token_env, &given.user_env, &given.password_env) {
        (None, None, None) => Ok(Login::None),
        (Some(token), None, None) => value(token, "bearer token").map(Login::Token),
        (None, Some(user), Some(password)) => {
            Ok(Login::Basic { user: value(user, "user")?, password: value(password, "password")? })
        }
        _ => Err(settings::wrong(WHAT, "credentials are half said, or twice")
            .hint("give `token-env` alone, or `user-env` and `password-env` together")),
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
    if kind == MetricKind::Latency {
        for (key, value) in [("bad", &given.bad), ("total", &given.total)] {
            if value.is_some() {
                return unknown(key);
            }
        }
        let example = r#"request_duration_seconds_bucket{version="{{arm}}"}"#;
        let unit = match given.unit {
            None | Some(Unit::Seconds) => 1000.0,
            Some(Unit::Milliseconds) => 1.0,
        };
        return Ok(Asked::Durations { buckets: query("buckets", &given.buckets, example)?, unit });
    }
    if given.buckets.is_some() {
        return unknown("buckets");
    }
    if given.unit.is_some() {
        return unknown("unit");
    }
    Ok(Asked::Shares {
        bad: query("bad", &given.bad, r#"errors_total{version="{{arm}}"}"#)?,
        total: query("total", &given.total, r#"requests_total{version="{{arm}}"}"#)?,
    })
}

#[cfg(test)]
mod tests;

//! Metric source `http`: a value, or counts, from any address that answers JSON.
//!
//! What a look is about is put into the address and the body, escaped as each needs. Headers with secrets are named by
//! their variables, and go to the configured address only.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::{
    Method, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use tagship_domain::{Timestamp, Version, analysis::MetricKind, tally::Tally, threshold::Point};
use tagship_ports::{PortError, Question, TallySource, ValueSource};

use super::{
    Opening,
    access::{self, Access},
    document::{Extract, Keys},
    fetch::{self, Unusable},
    template::{self, Template},
};
use crate::settings;

const WHAT: &str = "metric source http";
const EXAMPLE: &str = "write e.g. `url: \"https://metrics.example/{{arm}}\"`";

/// Settings of metric source `http`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct HttpSettings {
    /// The address, with places for what the look is about.
    url: String,
    /// Where the value is in the answer.
    #[serde(default)]
    path: Option<String>,
    /// Where the count of bad observations is.
    #[serde(default)]
    bad: Option<String>,
    /// Where the count of all observations is.
    #[serde(default)]
    total: Option<String>,
    /// What is sent; the request is a POST then.
    #[serde(default)]
    body: Option<String>,
    /// Headers as they are.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Headers whose values are secrets: the names of the variables that hold them.
    #[serde(default)]
    headers_env: BTreeMap<String, String>,
}

/// An address that answers JSON.
#[derive(Debug, Clone)]
pub struct HttpJson {
    access: Access,
    place: String,
    url: Template,
    body: Option<Template>,
    headers: HeaderMap,
    extract: Extract,
}

impl HttpJson {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let (given, reach): (HttpSettings, _) = access::read(WHAT, opening.settings)?;
        let server = server(&given.url)?;
        if !given.headers_env.is_empty() {
            access::keep_secret(WHAT, &server)?;
        }
        let keys =
            Keys { path: given.path.as_deref(), bad: given.bad.as_deref(), total: given.total.as_deref() };
        let of = |key: &str, text: &str| {
            Template::new(text).map_err(|why| settings::wrong(WHAT, format!("`{key}` {why}")))
        };
        let source = Self {
            access: Access::open(WHAT, reach, opening.root, opening.variable, &server)?,
            place: fetch::shown(&server),
            url: of("url", &given.url)?,
            body: given.body.as_deref().map(|body| of("body", body)).transpose()?,
            headers: headers(&given, opening.variable)?,
            extract: Extract::of(WHAT, keys, opening.kind)?,
        };
        if opening.kind != MetricKind::Value && !given.url.contains("{{arm}}") && !asks(given.body.as_deref())
        {
            return Err(settings::wrong(
                WHAT,
                "it is asked without {{arm}}, so that it would count both versions together",
            )
            .hint("write {{arm}} into `url` or `body` where the version stands"));
        }
        Ok(source)
    }

    async fn document(&self, question: &Question<'_>) -> Result<Value, Unusable> {
        let unfit = |why: String| Unusable::invalid(why, "take the place out of `url` and `body`");
        let url = self.url.fill(question, template::in_url).map_err(unfit)?;
        let url = Url::parse(&url).map_err(|error| Unusable::invalid(error.to_string(), EXAMPLE))?;
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        let mut request = self.access.client.request(method, url).header(header::ACCEPT, "application/json");
        if let Some(body) = &self.body {
            let body = body.fill(question, template::in_json).map_err(unfit)?;
            request = request.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let request = self.access.login.sign(request.headers(self.headers.clone()));
        fetch::fetch(request).await?.json(said)
    }
}

fn asks(body: Option<&str>) -> bool {
    body.is_some_and(|body| body.contains("{{arm}}"))
}

/// The reason in an answer that is no success, where it is in one of the usual places.
pub(super) fn said(document: &Value) -> Option<String> {
    let of = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => object.get("message").and_then(Value::as_str).map(str::to_owned),
        Value::Array(list) => list.first().and_then(|first| first.as_str().map(str::to_owned)),
        _ => None,
    };
    ["message", "error", "errors", "detail", "title"].into_iter().find_map(|key| of(document.get(key)?))
}

/// The server of an address: it stands there as it is, so that secrets go to the one that a person wrote.
fn server(text: &str) -> Result<Url, PortError> {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let end = text[begin..].find(['/', '?', '#']).map_or(text.len(), |at| begin + at);
    if text[begin..end].contains("{{") {
        return Err(settings::wrong(WHAT, "`url` has a place in the name of the server").hint(EXAMPLE));
    }
    fetch::address(WHAT, &text[..end], EXAMPLE)
}

fn headers(given: &HttpSettings, variable: &dyn Fn(&str) -> Option<String>) -> Result<HeaderMap, PortError> {
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str, secret: bool| {
        let wrong = || settings::wrong(WHAT, format!("`{name}` is no header, or its value cannot be one"));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_invalid| wrong())?;
        value.set_sensitive(secret);
        headers.insert(name, value);
        Ok::<(), PortError>(())
    };
    for (name, value) in &given.headers {
        add(name, value, false)?;
    }
    for (name, env) in &given.headers_env {
        let value =
            settings::secret(WHAT, env, variable, &format!("set it to the value of the header {name}"))?;
        add(name, value.expose(), true)?;
    }
    Ok(headers)
}

#[async_trait]
impl ValueSource for HttpJson {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let wrong = |unusable: Unusable| unusable.about(question.version, &self.place);
        let document = self.document(question).await.map_err(wrong)?;
        let value = self.extract.value(&document).map_err(wrong)?;
        Ok(vec![Point { at: question.to, value }])
    }

    fn knows_the_past(&self) -> bool {
        self.url.says_when() || self.body.as_ref().is_some_and(Template::says_when)
    }
}

#[async_trait]
impl TallySource for HttpJson {
    async fn tally(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError> {
        let wrong = |unusable: Unusable| unusable.about(version, &self.place);
        let question = Question { version, candidate: version, stable: None, from: at, to: at };
        let document = self.document(&question).await.map_err(wrong)?;
        self.extract.tally(&document).map_err(wrong)
    }

    fn knows_the_past(&self) -> bool {
        ValueSource::knows_the_past(self)
    }
}

#[cfg(test)]
mod tests;

//! One call to a metrics API: bounded, without redirects, and with a sentence for everything that is no answer.

use reqwest::{Client, RequestBuilder, Response, Url, header};
use serde_json::Value;
use tagship_domain::{Duration as Length, Version};
use tagship_ports::{PortError, Problem};

use crate::{http, settings};

/// Largest answer, in bytes.
pub(crate) const MAX_ANSWER: usize = 8 << 20;
/// Longest wait for an answer where nothing is said.
const ANSWER: Length = Length::from_secs(30);

/// Why an answer cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unusable {
    pub(crate) problem: Problem,
    pub(crate) message: String,
    pub(crate) hint: Option<&'static str>,
}

impl Unusable {
    pub(crate) fn new(problem: Problem, message: impl Into<String>) -> Self {
        Self { problem, message: message.into(), hint: None }
    }

    pub(crate) fn invalid(message: impl Into<String>, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..Self::new(Problem::Invalid, message) }
    }

    /// As the error of a question about a version.
    pub(crate) fn about(self, version: &Version, place: &str) -> PortError {
        let error = PortError::new(self.problem, format!("ask {place} about {version}"), self.message);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: Vec<u8>,
}

/// Sends a request and reads the answer up to the limit.
pub(crate) async fn fetch(request: RequestBuilder) -> Result<Answer, Unusable> {
    let lost = |error: reqwest::Error| Unusable::new(Problem::Unreachable, http::cause(&error));
    let mut response: Response = request.send().await.map_err(lost)?;
    let status = response.status().as_u16();
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or("no content type").to_owned();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(lost)? {
        if body.len() + chunk.len() > MAX_ANSWER {
            let message = format!("its answer is larger than {MAX_ANSWER} bytes");
            return Err(Unusable::invalid(message, "ask for less"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, kind, body })
}

impl Answer {
    /// The document of a good answer. `said` finds the reason in the document of a bad one.
    pub(crate) fn json(&self, said: impl Fn(&Value) -> Option<String>) -> Result<Value, Unusable> {
        let document = serde_json::from_slice::<Value>(&self.body);
        if !(200..300).contains(&self.status) {
            let reason = document.ok().and_then(|document| said(&document));
            return Err(refused(self.status, reason.as_deref()));
        }
        document.map_err(|error| {
            let hint = "the address must answer JSON; a login page or a proxy may stand before it";
            Unusable::invalid(format!("it answered {}, which is no JSON: {error}", self.kind), hint)
        })
    }
}

/// What a status means that is no success.
pub(crate) fn refused(status: u16, said: Option<&str>) -> Unusable {
    let said = said.map(|said| format!(": {}", cleaned(said))).unwrap_or_default();
    match status {
        300..=399 => Unusable::invalid(
            format!("it sends on to another address (HTTP {status}), where credentials do not follow"),
            "name the address itself in the settings",
        ),
        401 | 403 => Unusable {
            problem: Problem::Denied,
            message: format!("it lets nobody in with these credentials (HTTP {status}){said}"),
            hint: Some("set the variables that the settings name to valid ones"),
        },
        404 => Unusable::invalid(
            format!("there is nothing at this address (HTTP 404){said}"),
            "check the address of the source",
        ),
        429 => Unusable::new(Problem::Unreachable, format!("it is asked too often (HTTP 429){said}")),
        500.. => Unusable::new(Problem::Unreachable, format!("it failed (HTTP {status}){said}")),
        _ => Unusable::invalid(format!("it answered HTTP {status}{said}"), "mend the query of the source"),
    }
}

/// Foreign words on one line, not too many of them.
pub(crate) fn cleaned(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(400).collect()
}

/// A client for an address that waits as long as the settings say.
pub(crate) fn client(
    what: &str,
    timeout: Option<Length>,
    ca: Option<&[u8]>,
    url: &Url,
) -> Result<Client, PortError> {
    let timeout = timeout.unwrap_or(ANSWER);
    if timeout == Length::default() {
        return Err(settings::wrong(what, "a `timeout` of no time ends every query"));
    }
    http::client_for(timeout.std(), ca, url).map_err(|why| settings::wrong(what, why))
}

/// The longest wait that the settings say.
pub(crate) fn waits(timeout: Option<Length>) -> Length {
    timeout.unwrap_or(ANSWER)
}

/// An address from the settings: of a server, without credentials in it.
pub(crate) fn address(what: &str, text: &str, example: &str) -> Result<Url, PortError> {
    let wrong = |message: String| settings::wrong(what, message).hint(example.to_owned());
    let url = Url::parse(text).map_err(|error| wrong(format!("`url` is no address: {error}")))?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err(wrong(format!("`url` is of the kind {:?}", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(settings::wrong(what, "`url` holds credentials, which a file in git must not")
            .hint("name the variables that hold them"));
    }
    Ok(url)
}

/// An address as it is shown: without what it may carry that is nobody's business.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

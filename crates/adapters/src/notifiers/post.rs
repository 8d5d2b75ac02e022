//! Sending one JSON document to an address that is a secret.

use std::time::Duration;

use reqwest::{Client, Url, header};
use tagship_domain::Redacted;
use tagship_ports::{PortError, Problem};

use crate::{http, settings};

/// Longest wait for an answer.
const ANSWER: Duration = Duration::from_secs(15);
/// Most characters of an answer that an error shows.
const SHOWN: usize = 200;

/// An address that is a secret: whoever knows it may write there.
#[derive(Debug, Clone)]
pub(super) struct Post {
    what: &'static str,
    variable: String,
    /// The address as it was given.
    given: Redacted<Url>,
    /// Where documents are sent.
    url: Redacted<Url>,
    client: Client,
}

impl Post {
    /// The address in an environment variable; `what` names the notifier for errors.
    pub(super) fn new(
        what: &'static str,
        variable: &str,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let address = settings::secret(what, variable, secret, "set it to the webhook's address")?;
        let url = Url::parse(address.expose().trim()).ok();
        let Some(url) = url.filter(|url| ["http", "https"].contains(&url.scheme())) else {
            let message = format!("environment variable {variable} holds no http or https address");
            return Err(PortError::new(Problem::Denied, format!("open {what}"), message)
                .hint("set it to the webhook's address, without quotes"));
        };
        Ok(Self {
            what,
            variable: variable.to_owned(),
            given: Redacted::new(url.clone()),
            url: Redacted::new(url),
            client: http::client(ANSWER)?,
        })
    }

    /// The same server, at a path below the address.
    pub(super) fn below(mut self, path: &str) -> Self {
        let mut url = self.url.expose().clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        self.url = Redacted::new(url);
        self
    }

    /// Sends a document, and nothing a second time: a notice that may have arrived is not repeated.
    pub(super) async fn send(
        &self,
        body: String,
        headers: &[(&'static str, String)],
    ) -> Result<(), PortError> {
        let error = |problem, message: String| {
            PortError::new(
                problem,
                format!("send a notice with {} (address in {})", self.what, self.variable),
                message,
            )
        };
        let lost = |failed: reqwest::Error| error(Problem::Unreachable, http::cause(&failed.without_url()));
        let mut request =
            self.client.post(self.url.expose().clone()).header(header::CONTENT_TYPE, "application/json");
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = request.body(body).send().await.map_err(lost)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let said = self.shown(&response.bytes().await.unwrap_or_default());
        let problem = match status.as_u16() {
            401 | 403 | 404 | 410 => Problem::Denied,
            429 | 500.. => Problem::Unreachable,
            _ => Problem::Invalid,
        };
        let failed = error(problem, format!("the receiver answered {status}{said}"));
        Err(match problem {
            Problem::Denied => {
                failed.hint("the webhook was removed or its address is another one: make a new one")
            }
            _ => failed,
        })
    }

    /// The beginning of an answer, without the address that it may repeat.
    fn shown(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let urls = [self.url.expose(), self.given.expose()];
        let parts = urls
            .into_iter()
            .flat_map(|url| [url.as_str(), url.path().trim_matches('/'), url.query().unwrap_or_default()]);
        let text = parts
            .filter(|part| !part.is_empty())
            .fold(text.into_owned(), |text, part| text.replace(part, "[redacted]"));
        let words = text.split(|c: char| c.is_control() || c.is_whitespace()).filter(|word| !word.is_empty());
        let text: String = words.collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        if text.is_empty() { text } else { format!(": {text}") }
    }
}

/// The address of a run, where it is one that may be linked to.
pub(super) fn link(run: Option<&String>) -> Option<String> {
    let url = Url::parse(run?).ok()?;
    ["http", "https"].contains(&url.scheme()).then(|| url.to_string())
}

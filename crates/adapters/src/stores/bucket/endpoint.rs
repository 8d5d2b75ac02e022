//! Where a service answers, when it is not the provider's own address; and what all clients have in common.

use std::time::Duration;

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    client::{HttpClient, HttpConnector},
};
use reqwest::Url;
use tagship_ports::PortError;

use crate::{http, settings};

/// Longest wait for an answer: a part may take minutes.
const PART: Duration = Duration::from_mins(5);

/// A checked address.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Without a final `/`.
    pub(super) url: String,
    /// Whether it is reached without encryption.
    pub(super) is_plain: bool,
}

impl Endpoint {
    /// Checks an address: with a host, without credentials, and encrypted unless it is on this machine or `plain` allows it.
    pub(super) fn read(what: &str, text: &str, plain: bool) -> Result<Self, PortError> {
        let wrong = |why: String| settings::wrong(what, format!("endpoint {text:?} {why}"));
        let url = Url::parse(text).map_err(|error| wrong(format!("is no address: {error}")))?;
        let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !bare {
            return Err(wrong("must be http(s)://HOST[:PORT][/PATH] without credentials".to_owned()));
        }
        let is_plain = url.scheme() == "http";
        if is_plain && !plain && !http::is_loopback(&url) {
            return Err(wrong("would send everything unencrypted".to_owned())
                .hint("use https, or allow it with `plain-http: true`"));
        }
        Ok(Self { url: text.trim_end_matches('/').to_owned(), is_plain })
    }
}

/// What the builders check; how connections are made is for [`Connector`] to say.
pub(super) fn options(is_plain: bool) -> ClientOptions {
    ClientOptions::new().with_allow_http(is_plain)
}

/// Makes the clients' connections: like every client of ours they follow no redirect. A library that follows one takes the
/// headers along, and of those only `Authorization` is known to be a secret; a session token and what Azure calls its own are not.
#[derive(Debug)]
pub(super) struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = http::client(PART)
            .map_err(|error| object_store::Error::Generic { store: "HTTP", source: Box::new(error) })?;
        Ok(HttpClient::new(client))
    }
}

/// How often a request is sent again that was not answered, or with "later".
pub(super) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(8), ..BackoffConfig::default() },
        max_retries: 6,
        retry_timeout: Duration::from_mins(3),
    }
}

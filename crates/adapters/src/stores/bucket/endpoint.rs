//! Where a service answers, when it is not the provider's own address; and what all clients have in common.

use std::time::Duration;

use object_store::{BackoffConfig, ClientOptions, RetryConfig};
use reqwest::Url;
use tagship_ports::PortError;

use crate::{http, settings};

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

/// How patient a client is: a part may take minutes, and a service that is busy is asked again.
pub(super) fn options(is_plain: bool) -> ClientOptions {
    http::provide_tls();
    ClientOptions::new()
        .with_allow_http(is_plain)
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_mins(5))
}

/// How often a request is sent again that was not answered, or with "later".
pub(super) fn retry() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig { max_backoff: Duration::from_secs(8), ..BackoffConfig::default() },
        max_retries: 6,
        retry_timeout: Duration::from_mins(3),
    }
}

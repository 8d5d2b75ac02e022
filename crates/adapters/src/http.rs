//! The HTTP client of all adapters: one TLS provider, bounded waits, and no redirects, so that a secret never follows one;
//! and what went wrong with a call, in words.

use std::{error::Error, time::Duration};

use reqwest::{Client, redirect};
use tagship_ports::{PortError, Problem};

/// A client that follows no redirect: what a request carries goes to the configured address only. `answer` is the
/// longest wait for an answer, unless a request says otherwise.
pub(crate) fn client(answer: Duration) -> Result<Client, PortError> {
    // One process-wide TLS provider; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(answer)
        .build()
        .map_err(|error| PortError::new(Problem::Local, "set up the HTTP client", error.to_string()))
}

/// The innermost reason of a failed call; the outer ones repeat the address.
pub(crate) fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

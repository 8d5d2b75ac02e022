//! The HTTP client of all adapters: one TLS provider, bounded waits, and no redirects, so that a secret never follows one.

use std::time::Duration;

use reqwest::{Client, redirect};
use tagship_ports::{PortError, Problem};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// A client that waits this long for a whole answer.
pub(crate) fn client(answer: Duration) -> Result<Client, PortError> {
    // One process-wide TLS provider; a second installation is refused and harmless.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .timeout(answer)
        .build()
        .map_err(|error| PortError::new(Problem::Local, "set up the HTTP client", error.to_string()))
}

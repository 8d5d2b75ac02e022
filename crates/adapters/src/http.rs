//! The HTTP client of all adapters: one TLS provider, bounded waits, and no redirects, so that a secret never follows one;
//! and what went wrong with a call, in words.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Certificate, Client, redirect};
use tagship_ports::{PortError, Problem};

/// How long a client waits for an answer, the certificates that it trusts beside the system's, and whether it goes past proxies.
type Manner = (Duration, Option<Vec<u8>>, bool);

/// Clients by how long they wait and whom they trust. Each reads every certificate of the system when it is made, which
/// takes longer than most calls, and a run by schedule has a target for each of hundreds of rollouts.
static CLIENTS: Mutex<BTreeMap<Manner, Client>> = Mutex::new(BTreeMap::new());

/// A client that follows no redirect: what a request carries goes to the configured address only. `answer` is the
/// longest wait for an answer, unless a request says otherwise.
pub(crate) fn client(answer: Duration) -> Result<Client, PortError> {
    shared((answer, None, false)).map_err(unmade)
}

/// The same for one address.
pub(crate) fn client_to(answer: Duration, address: &str) -> Result<Client, PortError> {
    let direct = reqwest::Url::parse(address).is_ok_and(|url| is_loopback(&url));
    shared((answer, None, direct)).map_err(unmade)
}

fn unmade(why: String) -> PortError {
    PortError::new(Problem::Local, "set up the HTTP client", why)
}

/// The same for one address, which trusts the certificates of a file in PEM beside the system's. Says why it cannot.
///
/// This machine is reached directly: a proxy of the environment would get what is sent there, secrets too, and asks itself.
pub(crate) fn client_for(answer: Duration, ca: Option<&[u8]>, url: &reqwest::Url) -> Result<Client, String> {
    shared((answer, ca.map(<[u8]>::to_vec), is_loopback(url)))
}

fn shared(manner: Manner) -> Result<Client, String> {
    let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&manner) {
        return Ok(client.clone());
    }
    let client = made(&manner)?;
    clients.insert(manner, client.clone());
    Ok(client)
}

fn made((answer, ca, direct): &Manner) -> Result<Client, String> {
    provide_tls();
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(*answer);
    if *direct {
        builder = builder.no_proxy();
    }
    if let Some(pem) = ca {
        let unreadable =
            |error: reqwest::Error| format!("the certificates cannot be read: {}", cause(&error));
        let certificates = Certificate::from_pem_bundle(pem).map_err(unreadable)?;
        if certificates.is_empty() {
            return Err("there is no certificate in the file".to_owned());
        }
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| cause(&error))
}

/// Makes ring the TLS provider of the process, for clients that others build; a second time is harmless.
pub(crate) fn provide_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Whether an address is on this machine, where nobody else listens on the way.
pub(crate) fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
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

//! The wire: octocrab's service stack over an HTTP client that honours proxies and follows no redirect.

use std::{
    error::Error as _,
    io::{self, SeekFrom},
    path::Path,
    sync::Arc,
    time::Duration,
};

use http::{HeaderValue, Request, Uri, header};
use http_body_util::{BodyExt, Limited};
use octocrab::{
    AuthState, OctoBody, Octocrab, OctocrabBuilder,
    service::middleware::{auth_header::AuthHeaderLayer, reqwest_connector::ReqwestConnector},
};
use reqwest::{Client, Url, redirect};
use tagship_ports::{PortError, Problem};
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncSeekExt as _, Take},
    time,
};

use crate::{
    answer::{Answer, next_page},
    call::{Body, Call},
    retry::Outcome,
    settings::{Addresses, Settings},
};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// Longest answer that is read: a blob of the host's largest size, as base64 in JSON.
const LARGEST: usize = 160 << 20;
/// The slowest transfer that is waited for, in bytes per second.
pub(crate) const SLOWEST: u64 = 256 << 10;
/// Bytes of a file that are read at a time.
const CHUNK: usize = 256 << 10;
/// Version of the REST API that the requests are written for.
const API_VERSION: &str = "2022-11-28";

/// Sends requests. Nothing is repeated here.
pub(crate) struct Transport {
    pub(crate) octocrab: Octocrab,
    /// For addresses outside the API: it never sends the token.
    pub(crate) plain: Client,
    pub(crate) timeout: Duration,
}

impl Transport {
    /// Must be called inside the runtime that the requests are sent in: octocrab starts a task.
    pub(crate) fn new(settings: &Settings, addresses: &Addresses) -> Result<Self, PortError> {
        let failed = |message: String| PortError::new(Problem::Invalid, "set up the forge's client", message);
        // One TLS provider in the whole program; whoever comes first installs it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().connect_timeout(CONNECT).redirect(redirect::Policy::none());
        // What runs on this machine is not reached through a proxy.
        let client = if is_loopback(&addresses.api) { client.no_proxy() } else { client };
        let client = client.build().map_err(|error| failed(error.to_string()))?;
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", settings.token.expose()))
            .map_err(|_not_a_header| failed("the token holds characters that cannot be sent".to_owned()))?;
        bearer.set_sensitive(true);
        let uri = |url: &Url| url.as_str().parse::<Uri>().map_err(|error| failed(error.to_string()));
        // octocrab's own set-up would send its own user agent beside ours and panic on a token with a line end.
        let octocrab = OctocrabBuilder::new_empty()
            .with_service(ReqwestConnector::new(client.clone()))
            .with_layer(&AuthHeaderLayer::new(Some(bearer), uri(&addresses.api)?, uri(&addresses.uploads)?))
            .with_auth(AuthState::None)
            .build()
            .unwrap_or_else(|never| match never {});
        Ok(Self { octocrab, plain: client, timeout: settings.timeout.std() })
    }

    /// Sends a request once and reads the whole answer.
    pub(crate) async fn send(
        &self,
        call: &Call,
        address: &str,
        etag: Option<&str>,
    ) -> Result<Outcome, PortError> {
        let (request, size) = request(call, address, etag).await?;
        let limit = self.timeout + Duration::from_secs(size / SLOWEST);
        let exchange = async {
            let response = self.octocrab.execute(request).await.map_err(|error| lost(&error))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, LARGEST).collect().await;
            let body = body.map_err(|error| Outcome::Lost { sent: true, message: error.to_string() })?;
            Ok(Answer {
                status: parts.status.as_u16(),
                next: next_page(&parts.headers),
                headers: parts.headers,
                body: Arc::from(body.to_bytes().as_ref()),
            })
        };
        Ok(match time::timeout(limit, exchange).await {
            Ok(Ok(answer)) => Outcome::Answered(answer),
            Ok(Err(lost)) => lost,
            Err(_elapsed) => {
                Outcome::Lost { sent: true, message: format!("no answer within {} s", limit.as_secs_f64()) }
            }
        })
    }
}

/// The request on the wire, and how many bytes it uploads.
pub(crate) async fn request(
    call: &Call,
    address: &str,
    etag: Option<&str>,
) -> Result<(Request<OctoBody>, u64), PortError> {
    let mut builder = Request::builder()
        .method(call.method.clone())
        .uri(address)
        .header(header::USER_AGENT, concat!("tagship/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "application/vnd.github+json")
        .header("x-github-api-version", API_VERSION);
    if let Some(etag) = etag {
        builder = builder.header(header::IF_NONE_MATCH, etag);
    }
    let (body, media, size) = match &call.body {
        Body::Empty => (OctoBody::empty(), None, 0),
        Body::Json(json) => (OctoBody::from(json.to_string()), Some("application/json"), 0),
        Body::Bytes { bytes, media } => (OctoBody::from(bytes.clone()), Some(*media), bytes.len() as u64),
        Body::File { path, from, size, media } => {
            (open(call, path, *from, *size).await?, Some(*media), *size)
        }
    };
    if let Some(media) = media {
        builder = builder.header(header::CONTENT_TYPE, media);
    }
    if matches!(call.body, Body::File { .. }) {
        // A stream does not know its length, and the host takes no upload without one.
        builder = builder.header(header::CONTENT_LENGTH, size);
    }
    let request = builder.body(body).map_err(|error| {
        PortError::new(Problem::Invalid, &call.about, format!("it makes no request: {error}"))
    })?;
    Ok((request, size))
}

/// The bytes of a file from one on, and no more than asked for.
async fn open(call: &Call, path: &Path, from: u64, size: u64) -> Result<OctoBody, PortError> {
    let failed = |error: io::Error| {
        PortError::new(Problem::Local, &call.about, format!("read {}: {error}", path.display()))
    };
    let mut file = File::open(path).await.map_err(failed)?;
    file.seek(SeekFrom::Start(from)).await.map_err(failed)?;
    let next = async |mut rest: Take<File>| {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = rest.read_buf(&mut chunk).await?;
        Ok::<_, io::Error>((read > 0).then_some((chunk, rest)))
    };
    let chunks = futures_util::stream::try_unfold(file.take(size), next);
    Ok(OctoBody::new(reqwest::Body::wrap_stream(chunks)))
}

/// What an error of the stack means. octocrab wraps the HTTP client's error in boxes.
pub(crate) fn lost(error: &octocrab::Error) -> Outcome {
    let (mut sent, mut message) = (true, error.to_string());
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<reqwest::Error>() {
            sent = !error.is_connect() && !error.is_builder();
        }
        message = inner.to_string();
        source = inner.source();
    }
    Outcome::Lost { sent, message }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

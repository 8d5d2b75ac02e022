//! Metric source `page`: counters from a page in the Prometheus text format that has the shape of a model server's own
//! `/metrics`, at an address or in a file.
//!
//! The page is foreign text: bounded, parsed strictly, and an error names the line. What a page does not say stays
//! unknown: a version without series is left out, a histogram without series is absent, and neither is ever a zero.

mod counters;
mod text;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::{Client, StatusCode, Url};
use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_domain::{ModelName, Version, traffic::Counters};
use tagship_ports::{MetricSource, PortError, Problem};

use crate::{
    disk::{blocking, read_bounded},
    http,
};

/// Largest page, in bytes.
const MAX_PAGE: usize = 8 << 20;
/// Longest wait for a page.
const ANSWER: Duration = Duration::from_secs(30);

/// Settings of metric source `page`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PageSettings {
    /// Where the page is.
    location: String,
}

/// A page of counters.
#[derive(Debug, Clone)]
pub struct MetricsPage {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Address { client: Client, url: Url },
    File(PathBuf),
}

impl MetricsPage {
    /// The page at `location`: an `http` or `https` address, or the path of a file.
    ///
    /// # Errors
    /// For another kind of address, or when the HTTP client can't be set up.
    pub fn new(location: &str) -> Result<Self, PortError> {
        let operation = "open the metrics page";
        let Some((scheme, _)) = location.split_once("://") else {
            return Ok(Self { place: Place::File(location.into()) });
        };
        if !["http", "https"].contains(&scheme) {
            let message = format!("an address of the kind {scheme:?} can't be read");
            return Err(PortError::new(Problem::Unsupported, operation, message)
                .hint("name an http or https address, or the path of a file"));
        }
        let url = Url::parse(location)
            .map_err(|error| PortError::new(Problem::Invalid, operation, format!("{location:?}: {error}")))?;
        Ok(Self { place: Place::Address { client: http::client(ANSWER)?, url } })
    }

    pub(super) fn from_settings(settings: &Map<String, Value>, root: &Path) -> Result<Self, PortError> {
        let settings: PageSettings =
            serde_json::from_value(Value::Object(settings.clone())).map_err(|error| {
                PortError::new(Problem::Invalid, "read the settings of metric source page", error.to_string())
            })?;
        let mut source = Self::new(&settings.location)?;
        if let Place::File(path) = &mut source.place {
            *path = root.join(&*path);
        }
        Ok(source)
    }

    async fn text(&self) -> Result<String, PortError> {
        let bytes = match &self.place {
            Place::Address { client, url } => self.fetch(client, url).await?,
            Place::File(path) => {
                let path = path.clone();
                let read = blocking(move || read_bounded(&path, MAX_PAGE as u64)).await?;
                read.ok_or_else(|| self.error(Problem::NotFound, "there is no such file"))?
            }
        };
        String::from_utf8(bytes).map_err(|error| {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = good.split(|byte| *byte == b'\n').count();
            self.error(Problem::Invalid, format!("line {line}: it is not UTF-8"))
        })
    }

    async fn fetch(&self, client: &Client, url: &Url) -> Result<Vec<u8>, PortError> {
        let lost = |error: reqwest::Error| self.error(Problem::Unreachable, http::cause(&error));
        let request = client.get(url.clone()).header(reqwest::header::ACCEPT, "text/plain;version=0.0.4");
        let mut response = request.send().await.map_err(lost)?;
        let status = response.status();
        if status != StatusCode::OK {
            let problem = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Problem::Denied,
                StatusCode::NOT_FOUND => Problem::NotFound,
                StatusCode::TOO_MANY_REQUESTS => Problem::Unreachable,
                _ if status.is_server_error() => Problem::Unreachable,
                _ => Problem::Invalid,
            };
            return Err(self.error(problem, format!("the server answered {status}")));
        }
        let mut page = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if page.len() + chunk.len() > MAX_PAGE {
                return Err(self.error(Problem::Invalid, format!("it is larger than {MAX_PAGE} bytes")));
            }
            page.extend_from_slice(&chunk);
        }
        Ok(page)
    }

    fn error(&self, problem: Problem, message: impl Into<String>) -> PortError {
        PortError::new(problem, format!("read the metrics page {}", self.place), message)
    }
}

impl fmt::Display for Place {
    /// Without what an address may carry that is nobody's business: names, passwords, queries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Address { url, .. } => {
                write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
                url.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
                f.write_str(url.path())
            }
        }
    }
}

#[async_trait]
impl MetricSource for MetricsPage {
    async fn counters(&self, model: &ModelName) -> Result<BTreeMap<Version, Counters>, PortError> {
        let text = self.text().await?;
        let counters = text::parse(&text).and_then(|page| counters::of(&page, model));
        counters.map_err(|error| {
            self.error(Problem::Invalid, error.to_string())
                .hint("the page must be the whole `/metrics` of a `tagship serve`, or have its series")
        })
    }
}

#[cfg(test)]
mod tests;

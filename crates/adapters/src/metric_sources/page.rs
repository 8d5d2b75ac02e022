//! Metric source `page`: a page of metrics of the shape that `tagship serve` has under `/metrics`, by address or as a
//! file.
//!
//! | series | labels besides `model` and `version` |
//! |---|---|
//! | `tagship_requests_total` | `outcome` |
//! | `tagship_errors_total` | |
//! | `tagship_request_duration_seconds_bucket` | `le` |
//! | `tagship_feedback_total` | `outcome`: `correct` or `incorrect` |
//! | `tagship_predicted_labels_total` | `label` |
//!
//! Series with a `route` other than `weighted` are probes, not traffic, and do not count.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use async_trait::async_trait;
use reqwest::{Client, Url};
use tagship_domain::{
    ModelName, Version,
    traffic::{Counters, Histogram},
};
use tagship_ports::{MetricSource, PortError, Problem};

use super::exposition::{Sample, samples};
use crate::{
    disk::{blocking, read_bounded},
    http::client,
};

/// Longest wait for a page.
const ANSWER: Duration = Duration::from_secs(10);
/// Largest page that is read.
const LIMIT: u64 = 16 << 20;
const READ: &str = "read metrics";

/// A page of metrics.
#[derive(Debug, Clone)]
pub struct MetricsPage {
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Address(Client, Url),
    File(PathBuf),
}

impl MetricsPage {
    /// A page at an `http` or `https` address, else in a file.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(location: &str) -> Result<Self, PortError> {
        if !location.starts_with("http://") && !location.starts_with("https://") {
            return Ok(Self { place: Place::File(location.into()) });
        }
        let address = Url::parse(location).map_err(|error| {
            PortError::new(Problem::Invalid, READ, format!("{location} is no address: {error}"))
        })?;
        Ok(Self { place: Place::Address(client(ANSWER)?, address) })
    }

    async fn text(&self) -> Result<String, PortError> {
        match &self.place {
            Place::Address(client, address) => fetch(client, address).await,
            Place::File(path) => {
                let path = path.clone();
                let bytes = blocking(move || {
                    read_bounded(&path, LIMIT)?.ok_or_else(|| {
                        PortError::new(
                            Problem::NotFound,
                            READ,
                            format!("there is no file {}", path.display()),
                        )
                    })
                })
                .await?;
                String::from_utf8(bytes)
                    .map_err(|_binary| PortError::new(Problem::Invalid, READ, "the file is no text"))
            }
        }
    }
}

async fn fetch(client: &Client, address: &Url) -> Result<String, PortError> {
    let unreachable = |error: reqwest::Error| {
        let reason =
            if error.is_timeout() { "it gave no answer in time".to_owned() } else { error.to_string() };
        PortError::new(Problem::Unreachable, READ, format!("{address}: {reason}"))
    };
    let mut answer = client.get(address.clone()).send().await.map_err(unreachable)?;
    if !answer.status().is_success() {
        let message = format!("{address} answered {}", answer.status());
        return Err(PortError::new(Problem::Unreachable, READ, message));
    }
    let mut bytes = vec![];
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() as u64 > LIMIT {
            let message = format!("{address} answered more than {} MiB", LIMIT >> 20);
            return Err(PortError::new(Problem::Invalid, READ, message));
        }
    }
    String::from_utf8(bytes)
        .map_err(|_binary| PortError::new(Problem::Invalid, READ, format!("{address} answered no text")))
}

#[async_trait]
impl MetricSource for MetricsPage {
    async fn counters(&self, model: &ModelName) -> Result<BTreeMap<Version, Counters>, PortError> {
        counters(&self.text().await?, model)
            .map_err(|message| PortError::new(Problem::Invalid, READ, message))
    }
}

/// Counters by version of one model. A page without any series of the model has nothing to say about it.
fn counters(page: &str, model: &ModelName) -> Result<BTreeMap<Version, Counters>, String> {
    let mut found: BTreeMap<Version, Found> = BTreeMap::new();
    for read in samples(page) {
        let (line, sample) = read?;
        let is_traffic = sample.labels.get("route").is_none_or(|route| route == "weighted");
        if sample.labels.get("model").is_none_or(|named| named != model.as_str()) || !is_traffic {
            continue;
        }
        let at = |message: String| format!("line {line}: {message}");
        let Some(version) = sample.labels.get("version") else { continue };
        let version = version.parse().map_err(|_other| at(format!("{version:?} is no version")))?;
        found.entry(version).or_default().add(&sample).map_err(at)?;
    }
    let complete = |(version, found): (Version, Found)| {
        let counters = found.counters().map_err(|message| format!("{version}: {message}"))?;
        Ok(counters.map(|counters| (version, counters)))
    };
    found.into_iter().map(complete).filter_map(Result::transpose).collect()
}

/// What a page says about one version.
#[derive(Debug, Default)]
struct Found {
    requests: Option<u64>,
    errors: Option<u64>,
    labels: BTreeMap<String, u64>,
    classes: Option<BTreeMap<String, u64>>,
    /// Cumulated counts by upper bound in seconds.
    buckets: Vec<(f64, u64)>,
}

impl Found {
    fn add(&mut self, sample: &Sample<'_>) -> Result<(), String> {
        let label = |name: &str| {
            sample.labels.get(name).ok_or_else(|| format!("{} has no label {name}", sample.name))
        };
        match sample.name {
            "tagship_requests_total" => *self.requests.get_or_insert(0) += count(sample)?,
            "tagship_errors_total" => *self.errors.get_or_insert(0) += count(sample)?,
            "tagship_feedback_total" => {
                *self.labels.entry(label("outcome")?.clone()).or_default() += count(sample)?;
            }
            "tagship_predicted_labels_total" => {
                let classes = self.classes.get_or_insert_default();
                *classes.entry(label("label")?.clone()).or_default() += count(sample)?;
            }
            "tagship_request_duration_seconds_bucket" => {
                let bound = label("le")?;
                let bound = bound.parse().map_err(|_other| format!("{bound:?} is no bound"))?;
                self.buckets.push((bound, count(sample)?));
            }
            _ => {}
        }
        Ok(())
    }

    /// Absent where the page does not count the version's requests, which is something else than none.
    fn counters(self) -> Result<Option<Counters>, String> {
        let Some(requests) = self.requests else { return Ok(None) };
        let errors =
            self.errors.ok_or("there is no tagship_errors_total beside its tagship_requests_total")?;
        let labels = |outcome: &str| self.labels.get(outcome).copied().unwrap_or(0);
        Ok(Some(Counters {
            requests,
            errors,
            latency: histogram(&self.buckets)?,
            correct: labels("correct"),
            incorrect: labels("incorrect"),
            classes: self.classes,
            shadow: None,
        }))
    }
}

/// A counter as a whole number.
fn count(sample: &Sample<'_>) -> Result<u64, String> {
    let value = sample.value;
    if value.is_finite() && value >= 0.0 && value.fract() == 0.0 && value <= 2_f64.powi(53) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked in the line above"
        )]
        return Ok(value as u64);
    }
    Err(format!("{} is {value}, which counts nothing", sample.name))
}

/// From cumulated counts by seconds to counts by milliseconds.
fn histogram(buckets: &[(f64, u64)]) -> Result<Option<Histogram>, String> {
    let Some(((last, total), bounded)) = buckets.split_last() else { return Ok(None) };
    if *last != f64::INFINITY || bounded.iter().any(|(bound, _)| !bound.is_finite()) {
        return Err("the last bucket of its latency must be le=\"+Inf\", and no other".to_owned());
    }
    let ascends = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    if !ascends || bounded.is_empty() {
        return Err("the buckets of its latency do not ascend".to_owned());
    }
    let mut before = 0;
    let mut counts = vec![];
    for count in bounded.iter().map(|(_, count)| *count).chain([*total]) {
        counts.push(count - before);
        before = count;
    }
    Ok(Some(Histogram { bounds: bounded.iter().map(|(bound, _)| bound * 1000.0).collect(), counts }))
}

#[cfg(test)]
mod tests;

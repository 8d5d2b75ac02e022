//! Metric sink `pushgateway`: a page is put into the group of its model and environment on a Prometheus Pushgateway, which a server
//! scrapes after the run has ended.
//!
//! A group is a path: `/metrics/job/tagship/model/churn/environment/production`. PUT replaces all of the group and nothing else. A
//! value with a `/` travels as `LABEL@base64/VALUE`.

use std::path::Path;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Url, header};
use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_ports::{MetricSink, PortError, metric_sink::MetricPage};

use crate::{
    metric_sources::{
        access::{self, Access},
        fetch::{self, Answer, Unusable},
    },
    settings,
};

const WHAT: &str = "metric sink pushgateway";
/// The `job` of every group.
const JOB: &str = "tagship";
/// The type of the text format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Settings of metric sink `pushgateway`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PushgatewaySettings {
    /// Address of the gateway; `/metrics/job/...` is added.
    url: String,
}

/// A gateway.
#[derive(Debug, Clone)]
pub struct Pushgateway {
    access: Access,
    url: Url,
}

impl Pushgateway {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        root: &Path,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let (given, keys): (PushgatewaySettings, _) = access::read(WHAT, given)?;
        let url = fetch::address(WHAT, &given.url, "write e.g. `url: \"https://pushgateway.example:9091\"`")?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(settings::wrong(WHAT, "`url` has a query").hint("write its address alone"));
        }
        Ok(Self { access: Access::open(WHAT, keys, root, secret, &url)?, url })
    }

    /// The address of the group of a page.
    fn group(&self, page: &MetricPage) -> Url {
        let mut path = format!("{}/metrics/job/{JOB}", self.url.path().trim_end_matches('/'));
        for (label, value) in [("model", page.model.as_str()), ("environment", page.environment.as_str())] {
            path.push_str(&part(label, value));
        }
        let mut url = self.url.clone();
        url.set_path(&path);
        url
    }
}

/// A label of a group as a part of a path. Names hold no characters that a path cannot, but for a `/`.
fn part(label: &str, value: &str) -> String {
    if value.contains('/') {
        return format!("/{label}@base64/{}", URL_SAFE_NO_PAD.encode(value));
    }
    format!("/{label}/{value}")
}

#[async_trait]
impl MetricSink for Pushgateway {
    async fn put(&self, page: &MetricPage) -> Result<(), PortError> {
        let operation = format!("leave metrics of {} at {}", page.model, fetch::shown(&self.url));
        let request = self.access.client.put(self.group(page)).header(header::CONTENT_TYPE, FORMAT);
        let answer = fetch::fetch(self.access.login.sign(request.body(page.text.clone())))
            .await
            .map_err(|lost| PortError::new(lost.problem, operation.clone(), lost.message))?;
        judged(&answer, &operation)
    }
}

/// What an answer means.
fn judged(answer: &Answer, operation: &str) -> Result<(), PortError> {
    let said = fetch::cleaned(&String::from_utf8_lossy(&answer.body));
    let said = if said.is_empty() { None } else { Some(said.as_str()) };
    let unusable = match answer.status {
        200..=299 => return Ok(()),
        status @ (404 | 405) => Unusable::invalid(
            format!("there is no gateway at this address (HTTP {status})"),
            "check `url`: /metrics/job/... is added to it",
        ),
        status @ (400 | 402 | 406..=428) => Unusable::invalid(
            format!("it did not take the metrics (HTTP {status}): {}", said.unwrap_or("it does not say why")),
            "another program may push series of the same name with other labels or help",
        ),
        status => fetch::refused(status, said),
    };
    let error = PortError::new(unusable.problem, operation, unusable.message);
    Err(error.hint(unusable.hint.unwrap_or("look at the gateway's log")))
}

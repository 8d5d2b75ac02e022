//! Metric source `datadog`: values of a query to Datadog's timeseries interface.

use async_trait::async_trait;
use reqwest::{Client, Url, header::ACCEPT};
use serde::Deserialize;
use serde_json::Value;
use tagship_domain::{Duration as Length, Redacted, Timestamp, threshold::Point};
use tagship_ports::{PortError, Question, ValueSource};

use super::{
    Opening,
    access::keep_secret,
    document::finite,
    fetch::{self, Unusable},
    http::said,
    template::{self, Template},
};
use crate::settings;

const WHAT: &str = "metric source datadog";
const EXAMPLE: &str = "leave it out, or write e.g. `url: \"https://api.datadoghq.eu\"`";

/// Settings of metric source `datadog`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DatadogSettings {
    /// The query, with places for what the look is about.
    query: String,
    /// Address of the site's interface.
    #[serde(default = "site")]
    url: String,
    #[serde(default = "api_key")]
    api_key_env: String,
    #[serde(default = "application_key")]
    application_key_env: String,
    #[serde(default)]
    timeout: Option<Length>,
}

fn site() -> String {
    "https://api.datadoghq.com".to_owned()
}

fn api_key() -> String {
    "DD_API_KEY".to_owned()
}

fn application_key() -> String {
    "DD_APP_KEY".to_owned()
}

/// A query to Datadog.
#[derive(Debug, Clone)]
pub struct Datadog {
    client: Client,
    url: Url,
    query: Template,
    api_key: Redacted<String>,
    application_key: Redacted<String>,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(default)]
    status: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    series: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    pointlist: Vec<(f64, Option<f64>)>,
}

impl Datadog {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let given: DatadogSettings = settings::read(WHAT, opening.settings)?;
        let secret = |name: &str| {
            settings::secret(WHAT, name, opening.variable, "set it to a key that may query timeseries")
        };
        let mut url = fetch::address(WHAT, &given.url, EXAMPLE)?;
        keep_secret(WHAT, &url)?;
        url.set_path("/api/v1/query");
        let query = Template::new(&given.query);
        Ok(Self {
            client: fetch::client(WHAT, given.timeout, None, &url)?,
            url,
            query: query.map_err(|why| settings::wrong(WHAT, format!("`query` {why}")))?,
            api_key: secret(&given.api_key_env)?,
            application_key: secret(&given.application_key_env)?,
        })
    }

    async fn points(&self, question: &Question<'_>) -> Result<Vec<Point>, Unusable> {
        let unfit = |why: String| Unusable::invalid(why, "take the place out of `query`");
        let query = self.query.fill(question, template::plain).map_err(unfit)?;
        let mut url = self.url.clone();
        url.query_pairs_mut()
            .append_pair("from", &question.from.as_seconds().to_string())
            .append_pair("to", &question.to.as_seconds().to_string())
            .append_pair("query", &query);
        let request = self
            .client
            .get(url)
            .header(ACCEPT, "application/json")
            .header("DD-API-KEY", self.api_key.expose())
            .header("DD-APPLICATION-KEY", self.application_key.expose());
        let document = fetch::fetch(request).await?.json(said)?;
        points(document, question.to)
    }
}

fn points(document: Value, end: Timestamp) -> Result<Vec<Point>, Unusable> {
    let no_answer = "`url` must name the interface of the site, e.g. https://api.datadoghq.eu";
    let reply: Reply = serde_json::from_value(document).map_err(|_other| {
        Unusable::invalid("it answered something else than its interface does", no_answer)
    })?;
    if reply.status != "ok" {
        let why = reply.error.unwrap_or_else(|| format!("the status {:?}", reply.status));
        return Err(Unusable::invalid(
            format!("it answered an error: {}", fetch::cleaned(&why)),
            "mend the query of the source",
        ));
    }
    let series = match reply.series.as_slice() {
        [] => return Ok(vec![]),
        [one] => one,
        several => {
            let message = format!("the query gives {} series", several.len());
            return Err(Unusable::invalid(
                message,
                "add them up in the query, e.g. with `avg:` and without `by`",
            ));
        }
    };
    let mut points = vec![];
    for (millis, value) in &series.pointlist {
        #[expect(clippy::cast_possible_truncation, reason = "a time of our days; another one is refused")]
        let at = Timestamp::from_millis(*millis as i64)
            .map_err(|error| Unusable::invalid(error.to_string(), no_answer))?;
        if at <= end {
            points.push(Point { at, value: value.map_or(Ok(Value::Null), finite)? });
        }
    }
    points.sort_by_key(|point| point.at);
    Ok(points)
}

#[async_trait]
impl ValueSource for Datadog {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let place = fetch::shown(&self.url);
        self.points(question).await.map_err(|unusable| unusable.about(question.version, &place))
    }

    fn knows_the_past(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;

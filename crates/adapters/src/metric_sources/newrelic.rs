//! Metric source `newrelic`: values of an NRQL query, through New Relic's `NerdGraph`.

use async_trait::async_trait;
use reqwest::{Client, Url};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tagship_domain::{Duration as Length, Redacted, Timestamp, threshold::Point};
use tagship_ports::{PortError, Question, ValueSource};

use super::{
    Opening,
    access::keep_secret,
    document::Path,
    fetch::{self, Unusable},
    http::said,
    template::{self, Template},
};
use crate::settings;

const WHAT: &str = "metric source newrelic";
const EXAMPLE: &str = "leave it out, or write e.g. `url: \"https://api.eu.newrelic.com\"`";
const GRAPHQL: &str = "query($account: Int!, $nrql: Nrql!) { actor { account(id: $account) { nrql(query: $nrql) { results } } } }";
/// Members of a row that say when, not what.
const TIMES: [&str; 3] = ["beginTimeSeconds", "endTimeSeconds", "timestamp"];

/// Settings of metric source `newrelic`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NewRelicSettings {
    /// The account that is asked.
    account: u64,
    /// The NRQL query, with places for what the look is about; without `SINCE` it is asked about the look.
    query: String,
    /// Where the value is in a row.
    #[serde(default)]
    path: Option<String>,
    /// Address of the region's interface.
    #[serde(default = "region")]
    url: String,
    #[serde(default = "key")]
    api_key_env: String,
    #[serde(default)]
    timeout: Option<Length>,
}

fn region() -> String {
    "https://api.newrelic.com".to_owned()
}

fn key() -> String {
    "NEW_RELIC_API_KEY".to_owned()
}

/// A query to New Relic.
#[derive(Debug, Clone)]
pub struct NewRelic {
    client: Client,
    url: Url,
    account: u64,
    query: Template,
    has_time: bool,
    path: Option<Path>,
    key: Redacted<String>,
}

impl NewRelic {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let given: NewRelicSettings = settings::read(WHAT, opening.settings)?;
        let mut url = fetch::address(WHAT, &given.url, EXAMPLE)?;
        keep_secret(WHAT, &url)?;
        url.set_path("/graphql");
        let query = Template::new(&given.query);
        let path = given.path.as_deref().map(Path::new).transpose();
        let words: Vec<String> = given.query.split_whitespace().map(str::to_ascii_lowercase).collect();
        Ok(Self {
            client: fetch::client(WHAT, given.timeout, None, &url)?,
            url,
            account: given.account,
            query: query.map_err(|why| settings::wrong(WHAT, format!("`query` {why}")))?,
            has_time: words.iter().any(|word| word == "since"),
            path: path.map_err(|why| settings::wrong(WHAT, format!("`path` is no JSONPath: {why}")))?,
            key: settings::secret(WHAT, &given.api_key_env, opening.variable, "set it to a user key")?,
        })
    }

    async fn points(&self, question: &Question<'_>) -> Result<Vec<Point>, Unusable> {
        let unfit = |why: String| Unusable::invalid(why, "take the place out of `query`");
        let mut nrql = self.query.fill(question, template::in_quotes).map_err(unfit)?;
        if !self.has_time {
            nrql = format!("{nrql} SINCE {} UNTIL {}", question.from.as_millis(), question.to.as_millis());
        }
        let variables = json!({ "account": self.account, "nrql": nrql });
        let request = self
            .client
            .post(self.url.clone())
            .header("API-Key", self.key.expose())
            .json(&json!({ "query": GRAPHQL, "variables": variables }));
        let document = fetch::fetch(request).await?.json(said)?;
        if let Some(error) = document.pointer("/errors/0") {
            let why = error.get("message").and_then(Value::as_str).unwrap_or("no reason was given");
            let message = format!("it answered an error: {}", fetch::cleaned(why));
            return Err(Unusable::invalid(message, "mend the query of the source"));
        }
        let Some(rows) = document.pointer("/data/actor/account/nrql/results").and_then(Value::as_array)
        else {
            let hint = "check `account`, and that the key may query it";
            return Err(Unusable::invalid("it answered without results", hint));
        };
        self.of_rows(rows, question.to)
    }

    fn of_rows(&self, rows: &[Value], end: Timestamp) -> Result<Vec<Point>, Unusable> {
        let ends = |row: &Value| row.get("endTimeSeconds").and_then(Value::as_i64);
        if rows.len() > 1 && rows.iter().any(|row| ends(row).is_none()) {
            let message = format!("the query gives {} rows", rows.len());
            return Err(Unusable::invalid(message, "ask for one number, without `FACET`"));
        }
        let mut points = vec![];
        for row in rows {
            let at = ends(row).and_then(|seconds| Timestamp::from_seconds(seconds).ok());
            points.push(Point { at: at.unwrap_or(end).min(end), value: self.value(row)? });
        }
        points.sort_by_key(|point| point.at);
        Ok(points)
    }

    /// The value of a row: at the path, else the only one that there is.
    fn value(&self, row: &Value) -> Result<Value, Unusable> {
        if let Some(path) = &self.path {
            return path.find(row);
        }
        let mut value = row.clone();
        while let Value::Object(members) = &value {
            let others: Vec<&Value> = without_times(members).collect();
            value = match others.as_slice() {
                [] => Value::Null,
                [one] => (*one).clone(),
                several => {
                    let message = format!("a row of the answer holds {} values", several.len());
                    return Err(Unusable::invalid(
                        message,
                        "say which in `path`, e.g. `path: \"$['average.duration']\"`",
                    ));
                }
            };
        }
        Ok(value)
    }
}

fn without_times(members: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    members.iter().filter(|(name, _)| !TIMES.contains(&name.as_str())).map(|(_, value)| value)
}

#[async_trait]
impl ValueSource for NewRelic {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let place = fetch::shown(&self.url);
        self.points(question).await.map_err(|unusable| unusable.about(question.version, &place))
    }

    fn knows_the_past(&self) -> bool {
        !self.has_time || self.query.says_when()
    }
}

#[cfg(test)]
mod tests;

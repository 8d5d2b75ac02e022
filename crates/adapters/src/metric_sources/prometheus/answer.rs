//! From the text of an answer to an instant query to counts by series, or to a sentence that says why there are none.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tagship_domain::{Digest, Timestamp, threshold::Point, traffic::Histogram};
use tagship_ports::Problem;

use super::super::{document::finite, fetch::Unusable};

/// Most series of one query; a journal keeps what was counted in each.
const MOST_SERIES: usize = 1000;
/// Longest name of a series in bytes; a longer one is named by its digest.
const LONGEST_NAME: usize = 160;
/// The largest whole number below which a double holds all of them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// One series with its value.
#[derive(Debug)]
pub(super) struct Series {
    labels: BTreeMap<String, String>,
    value: f64,
}

#[derive(Deserialize)]
struct Reply {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    result_type: String,
    result: Value,
}

#[derive(Deserialize)]
struct Row {
    values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
struct Element {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    histogram: Option<Value>,
}

fn unusable<T>(problem: Problem, message: String, hint: Option<&'static str>) -> Result<T, Unusable> {
    Err(Unusable { problem, message, hint })
}

fn invalid<T>(message: String, hint: &'static str) -> Result<T, Unusable> {
    unusable(Problem::Invalid, message, Some(hint))
}

/// The data of a successful answer.
fn data(body: &[u8]) -> Result<Data, Unusable> {
    let Ok(reply) = serde_json::from_slice::<Reply>(body) else {
        return invalid("it answered something else than its API does".to_owned(), NO_API);
    };
    if let Some(warning) = reply.warnings.first() {
        let message = format!("it answered with a warning, so that counts may be partial: {warning}");
        return unusable(Problem::Unreachable, message, None);
    }
    reply.data.filter(|_| reply.status == "success").ok_or_else(|| {
        let message = said(reply.error_type.as_deref(), reply.error.as_deref());
        Unusable::new(Problem::Invalid, format!("it answered an error: {message}"))
    })
}

/// The series of a successful answer; none where nothing matches.
pub(super) fn series(body: &[u8]) -> Result<Vec<Series>, Unusable> {
    let data = data(body)?;
    match data.result_type.as_str() {
        "vector" => {}
        "scalar" => {
            let hint = "ask for series; write `vector(0)` for a number where there are none";
            return invalid("the query gives one number and no series".to_owned(), hint);
        }
        "matrix" => {
            let hint = "take the range in brackets out of the query";
            return invalid("the query gives ranges and not the newest counts".to_owned(), hint);
        }
        other => return invalid(format!("the query gives a result of the kind {other:?}"), "ask for series"),
    }
    let Ok(elements) = serde_json::from_value::<Vec<Element>>(data.result) else {
        return invalid("it answered something else than its API does".to_owned(), NO_API);
    };
    if elements.len() > MOST_SERIES {
        let hint = "add them up in the query, e.g. `sum by (instance) (...)`";
        return invalid(format!("the query gives {} series, {MOST_SERIES} at most", elements.len()), hint);
    }
    elements.into_iter().map(element).collect()
}

/// The one value of a successful answer to an instant query; none where nothing matches.
pub(super) fn value(body: &[u8], at: Timestamp) -> Result<Vec<Point>, Unusable> {
    let data = data(body)?;
    let text = match data.result_type.as_str() {
        "scalar" => {
            let (_, text): (f64, String) = serde_json::from_value(data.result).map_err(|_other| no_api())?;
            Some(text)
        }
        "vector" => {
            let elements = serde_json::from_value::<Vec<Element>>(data.result).map_err(|_other| no_api())?;
            one(elements)?.map(number).transpose()?
        }
        "matrix" => {
            let hint = "ask for a number, e.g. with `rate(...)` around the range";
            return invalid("the query gives ranges and no value".to_owned(), hint);
        }
        other => {
            let message = format!("the query gives a result of the kind {other:?}");
            return invalid(message, "ask for a number");
        }
    };
    text.map(|text| Ok(Point { at, value: as_value(&text)? })).into_iter().collect()
}

/// The number of a series, as it is written.
fn number(element: Element) -> Result<String, Unusable> {
    let histogram = || Unusable::invalid("the query gives a native histogram", "ask for a quantile of it");
    element.value.map(|(_, text)| text).ok_or_else(histogram)
}

/// The values of a successful answer to a query over a range; none where nothing matches.
pub(super) fn range(body: &[u8]) -> Result<Vec<Point>, Unusable> {
    let data = data(body)?;
    if data.result_type != "matrix" {
        return Err(no_api());
    }
    let rows = serde_json::from_value::<Vec<Row>>(data.result).map_err(|_other| no_api())?;
    let Some(row) = one(rows)? else { return Ok(vec![]) };
    let point = |(seconds, text): (f64, String)| {
        #[expect(clippy::cast_possible_truncation, reason = "a time that was asked for")]
        let at = Timestamp::from_millis((seconds * 1000.0).round() as i64).map_err(|_other| no_api())?;
        Ok(Point { at, value: as_value(&text)? })
    };
    row.values.into_iter().map(point).collect()
}

/// The one series of an answer.
fn one<T>(series: Vec<T>) -> Result<Option<T>, Unusable> {
    if series.len() > 1 {
        let message = format!("the query gives {} series and not one value", series.len());
        return invalid(message, "add them up, e.g. with `sum(...)`");
    }
    Ok(series.into_iter().next())
}

/// What is no number, as of a division by no requests, is no value.
fn as_value(text: &str) -> Result<Value, Unusable> {
    finite(text.parse().map_err(|_other| no_api())?)
}

fn no_api() -> Unusable {
    Unusable::invalid("it answered something else than its API does", NO_API)
}

pub(super) const NO_API: &str = "`url` must name the address below which /api/v1/query is";

fn element(element: Element) -> Result<Series, Unusable> {
    let name = name(&element.metric);
    if element.histogram.is_some() {
        let hint = "ask for the classic `_bucket` series";
        return invalid(format!("{name} is a native histogram, which is not read"), hint);
    }
    let Some((_, text)) = element.value else {
        return invalid(format!("{name} has no value"), NO_API);
    };
    // The API writes `NaN`, `+Inf` and `-Inf`.
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Series { labels: element.metric, value }),
        Ok(_) => {
            let hint = "a division by zero, or a gauge; ask for the counter itself";
            invalid(format!("{name} is {text}, which is no count"), hint)
        }
        Err(_) => invalid(format!("{name} has the value {text:?}, which is no number"), NO_API),
    }
}

/// What went wrong where the status says that something did.
pub(super) fn failure(status: u16, body: &[u8]) -> Unusable {
    let reply = serde_json::from_slice::<Reply>(body).ok();
    let text = reply.as_ref().map(|reply| said(reply.error_type.as_deref(), reply.error.as_deref()));
    let text = text.map_or(String::new(), |text| format!(": {text}"));
    let (problem, message, hint) = match status {
        400 => (
            Problem::Invalid,
            format!("it does not understand the query{text}"),
            Some("mend the query in `source`"),
        ),
        401 | 403 => (
            Problem::Denied,
            format!("it lets nobody in with these credentials (HTTP {status}){text}"),
            Some("set `token-env`, or `user-env` and `password-env`, to variables that hold valid ones"),
        ),
        404 | 405 => (Problem::Invalid, format!("there is no query API (HTTP {status})"), Some(NO_API)),
        422 => (
            Problem::Invalid,
            format!("it cannot carry the query out{text}"),
            Some(
                "the query is well-formed and asks for something impossible or too much; try it in the console",
            ),
        ),
        429 => (Problem::Unreachable, format!("it is asked too often{text}"), None),
        503 => (Problem::Unreachable, format!("it gave the query up, or is not ready{text}"), None),
        300..=399 => (
            Problem::Invalid,
            format!("it sends on to another address (HTTP {status}), where credentials do not follow"),
            Some("name the address itself in `url`"),
        ),
        500.. => (Problem::Unreachable, format!("it failed (HTTP {status}){text}"), None),
        _ => (Problem::Invalid, format!("it answered HTTP {status}{text}"), Some(NO_API)),
    };
    Unusable { problem, message, hint }
}

fn said(kind: Option<&str>, error: Option<&str>) -> String {
    let clean = |text: &str| {
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect::<String>()
    };
    match (kind, error) {
        (Some(kind), Some(error)) => format!("{}: {}", clean(kind), clean(error)),
        (_, Some(error)) => clean(error),
        _ => "no reason was given".to_owned(),
    }
}

/// Counts by series.
pub(super) fn counts(series: Vec<Series>) -> Result<BTreeMap<String, u64>, Unusable> {
    let mut counts = BTreeMap::new();
    for one in series {
        let name = name(&one.labels);
        counts.insert(name.clone(), count(&name, one.value)?);
    }
    Ok(counts)
}

/// Histograms by series, in milliseconds: the labels but `le`; `unit` is how many milliseconds the bounds count.
pub(super) fn histograms(series: Vec<Series>, unit: f64) -> Result<BTreeMap<String, Histogram>, Unusable> {
    let mut buckets: BTreeMap<String, Vec<(f64, u64)>> = BTreeMap::new();
    for mut one in series {
        let full = name(&one.labels);
        let Some(le) = one.labels.remove("le") else {
            let hint =
                "ask for `_bucket` series, and keep `le` where you add up: `sum by (le, instance) (...)`";
            return invalid(format!("{full} has no label `le`"), hint);
        };
        let Some(bound) = le.parse::<f64>().ok().filter(|bound| !bound.is_nan()) else {
            return invalid(format!("{full}: {le:?} is no bound"), "ask for `_bucket` series");
        };
        let count = count(&full, one.value)?;
        buckets.entry(name(&one.labels)).or_default().push((bound, count));
    }
    buckets.into_iter().map(|(name, buckets)| Ok((name.clone(), histogram(&name, buckets, unit)?))).collect()
}

fn histogram(name: &str, mut buckets: Vec<(f64, u64)>, unit: f64) -> Result<Histogram, Unusable> {
    buckets.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    if buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
        let hint = "keep the labels that tell series apart where you add up: `sum by (le, instance) (...)`";
        return invalid(format!("{name} has a bound twice"), hint);
    }
    if buckets.last().is_none_or(|(bound, _)| *bound != f64::INFINITY) {
        return invalid(format!("{name} has no bucket le=\"+Inf\""), "ask for all `_bucket` series");
    }
    let (mut bounds, mut counts, mut below) = (vec![], vec![], 0);
    for (bound, cumulative) in buckets {
        let Some(here) = cumulative.checked_sub(below) else {
            // Buckets of one scrape agree; a rule that adds them up may be caught in between.
            let message = format!("{name}: the bucket le={bound} holds less than the one below it");
            return unusable(Problem::Unreachable, message, None);
        };
        counts.push(here);
        below = cumulative;
        if bound.is_finite() {
            bounds.push(bound * unit);
        }
    }
    Ok(Histogram { bounds, counts })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
fn count(name: &str, value: f64) -> Result<u64, Unusable> {
    if (0.0..=EXACT).contains(&value) && value.fract() == 0.0 {
        return Ok(value as u64);
    }
    invalid(
        format!("{name} is {value}, which is no count"),
        "ask for the counter itself, without a function over time",
    )
}

/// What a series is called: its labels, as the query language writes them.
fn name(labels: &BTreeMap<String, String>) -> String {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}={value:?}")).collect();
    let name = format!("{{{}}}", labels.join(","));
    if name.len() <= LONGEST_NAME {
        return name;
    }
    Digest::from_bytes(Sha256::digest(&name).into()).to_string()
}

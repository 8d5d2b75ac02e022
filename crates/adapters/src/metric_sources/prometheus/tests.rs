//! A server that gives written answers: each of them is a count, or a sentence of its own.

use std::path::Path;

use serde_json::{Value, json};
use tagship_domain::traffic::Histogram;

use super::*;
use crate::{
    canned::Server,
    metric_sources::tests::{ask, conforms, from, open_tally, open_value, to},
};

const BAD: &str = "errors_total{version=\"{{arm}}\"}";
const TOTAL: &str = "requests_total{version=\"{{arm}}\"}";
const BUCKETS: &str = "seconds_bucket{version=\"{{arm}}\"}";
const JSON: &str = "application/json";

fn open(kind: MetricKind, settings: Value) -> Result<Box<dyn TallySource>, PortError> {
    open_tally("prometheus", kind, settings, Path::new("."))
}

fn vector(series: &[(&str, &str)]) -> String {
    let element = |(labels, value): &(&str, &str)| {
        let labels: Value = serde_json::from_str(labels).unwrap();
        json!({ "metric": labels, "value": [1_764_000_000.123, value] })
    };
    let result: Vec<Value> = series.iter().map(element).collect();
    json!({ "status": "success", "data": { "resultType": "vector", "result": result } }).to_string()
}

fn at() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn version() -> Version {
    "v1.1.0".parse().unwrap()
}

async fn errors(answers: Vec<(u16, &str, String)>) -> (Result<Tally, PortError>, Vec<String>) {
    let server = Server::typed(answers).await;
    let source =
        open(MetricKind::ErrorRatio, json!({ "url": server.url, "bad": BAD, "total": TOTAL })).unwrap();
    let tally = source.tally(&version(), at()).await;
    (tally, server.seen().into_iter().map(|request| request.line).collect())
}

#[tokio::test]
async fn counts_are_read_series_by_series() {
    let bad = vector(&[(r#"{"instance":"a","code":"500"}"#, "3"), (r#"{"instance":"b","code":"500"}"#, "4")]);
    let total = vector(&[(r#"{"instance":"a"}"#, "1000"), (r#"{"instance":"b"}"#, "2e3")]);
    let (tally, asked) =
        errors(vec![(200, JSON, bad), (200, "application/json; charset=utf-8", total)]).await;
    let tally = tally.unwrap();
    assert_eq!((tally.all_bad(), tally.all()), (7, 3000));
    assert_eq!(tally.total.keys().next().unwrap(), "{instance=\"a\"}");
    assert!(
        asked[0].starts_with(
            "GET /api/v1/query?query=errors_total%7Bversion%3D%22v1.1.0%22%7D&time=2026-11-24T12"
        ),
        "{asked:?}"
    );
    assert!(asked[0].ends_with("&timeout=30000ms"), "{asked:?}");
}

#[tokio::test]
async fn buckets_become_histograms_in_milliseconds() {
    let bucket = |instance: &str, le: &str, count: &str| {
        (json!({ "instance": instance, "le": le }).to_string(), count.to_owned())
    };
    let buckets = [
        bucket("a", "+Inf", "12"),
        bucket("a", "0.1", "10"),
        bucket("a", "0.05", "4"),
        bucket("b", "0.05", "1"),
        bucket("b", "0.1", "1"),
        bucket("b", "+Inf", "1"),
    ];
    let buckets: Vec<(&str, &str)> =
        buckets.iter().map(|(labels, count)| (labels.as_str(), count.as_str())).collect();
    let server = Server::typed(vec![(200, JSON, vector(&buckets))]).await;
    let source = open(MetricKind::Latency, json!({ "url": server.url, "buckets": BUCKETS })).unwrap();
    let tally = source.tally(&version(), at()).await.unwrap();
    assert_eq!(
        tally.latency["{instance=\"a\"}"],
        Histogram { bounds: vec![50.0, 100.0], counts: vec![4, 6, 2] }
    );
    assert_eq!(tally.all_durations().unwrap().counts, [5, 6, 2]);
}

#[tokio::test]
async fn every_answer_that_is_no_count_has_its_sentence() {
    let one = |labels: &str, value: &str| vector(&[(labels, value)]);
    let kind = |kind: &str, result: Value| {
        (
            200,
            JSON,
            json!({ "status": "success", "data": { "resultType": kind, "result": result } }).to_string(),
        )
    };
    let failed =
        |kind: &str, error: &str| json!({ "status": "error", "errorType": kind, "error": error }).to_string();
    let partial = json!({
        "status": "success", "warnings": ["store b is down"],
        "data": { "resultType": "vector", "result": [{ "metric": {}, "value": [1, "7"] }] },
    });
    let native = json!([{ "metric": { "pod": "a" }, "histogram": [1, { "count": "3", "sum": "1" }] }]);
    for (answer, problem, words) in [
        ((200, JSON, one("{}", "NaN")), Problem::Invalid, "is NaN, which is no count"),
        ((200, JSON, one(r#"{"a":"b"}"#, "+Inf")), Problem::Invalid, "{a=\"b\"} is +Inf, which is no count"),
        ((200, JSON, one("{}", "0.25")), Problem::Invalid, "without a function over time"),
        ((200, JSON, one("{}", "-1")), Problem::Invalid, "is -1, which is no count"),
        ((200, JSON, one("{}", "many")), Problem::Invalid, "\"many\", which is no number"),
        (kind("scalar", json!([1, "7"])), Problem::Invalid, "one number and no series"),
        (kind("matrix", json!([])), Problem::Invalid, "take the range in brackets out"),
        (kind("string", json!([1, "x"])), Problem::Invalid, "of the kind \"string\""),
        (kind("vector", native), Problem::Invalid, "native histogram"),
        ((200, JSON, partial.to_string()), Problem::Unreachable, "counts may be partial: store b is down"),
        ((200, JSON, failed("internal", "odd")), Problem::Invalid, "answered an error: internal: odd"),
        ((200, JSON, "{}".to_owned()), Problem::Invalid, "something else than its API"),
        ((200, "text/html", "<html>".to_owned()), Problem::Invalid, "answered text/html and not JSON"),
        ((200, "", vector(&[])), Problem::Invalid, "no content type"),
        (
            (400, JSON, failed("bad_data", "parse error at char 3")),
            Problem::Invalid,
            "bad_data: parse error at char 3",
        ),
        ((401, "text/plain", "no".to_owned()), Problem::Denied, "set `token-env`"),
        ((404, "text/plain", "no".to_owned()), Problem::Invalid, "there is no query API"),
        (
            (422, JSON, failed("execution", "too many samples")),
            Problem::Invalid,
            "execution: too many samples",
        ),
        ((429, "text/plain", String::new()), Problem::Unreachable, "asked too often"),
        ((503, JSON, failed("timeout", "query timed out")), Problem::Unreachable, "timeout: query timed out"),
        ((500, "text/plain", String::new()), Problem::Unreachable, "HTTP 500"),
    ] {
        let shown = format!("{answer:?}");
        let (tally, _) = errors(vec![answer]).await;
        let error = tally.expect_err(&shown);
        assert_eq!(error.problem, problem, "{error}");
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}

#[tokio::test]
async fn no_series_is_no_zero_and_tells_never_there_from_gone() {
    let empty = || (200, JSON, vector(&[]));
    let (never, asked) = errors(vec![empty(), empty()]).await;
    let error = never.unwrap_err();
    assert_eq!(error.problem, Problem::NotFound);
    assert!(error.to_string().contains("no series matches `errors_total{version=\"v1.1.0\"}`"), "{error}");
    assert!(error.to_string().contains("or vector(0)"), "{error}");
    assert!(asked[1].contains("count_over_time"), "{asked:?}");

    let (gone, _) = errors(vec![empty(), (200, JSON, vector(&[("{}", "12")]))]).await;
    assert!(gone.unwrap_err().to_string().contains("within the last 1h are gone"));
}

#[tokio::test]
async fn credentials_go_to_the_server_alone() {
    let elsewhere = Server::typed(vec![(200, JSON, vector(&[("{}", "1")]))]).await;
    let server = Server::redirecting(&elsewhere.url).await;
    let settings = json!({ "url": server.url, "bad": BAD, "total": TOTAL, "token-env": "TOKEN" });
    let error = open(MetricKind::ErrorRatio, settings).unwrap().tally(&version(), at()).await.unwrap_err();
    assert!(error.to_string().contains("credentials do not follow"), "{error}");
    assert_eq!(server.seen()[0].authorization, "Bearer value of TOKEN");
    assert_eq!(elsewhere.seen().len(), 0);
    let basic =
        json!({ "url": elsewhere.url, "bad": BAD, "total": TOTAL, "user-env": "U", "password-env": "P" });
    let source = open(MetricKind::LabelledAccuracy, basic).unwrap();
    let _ = source.tally(&version(), at()).await;
    assert_eq!(elsewhere.seen()[0].authorization, "Basic dmFsdWUgb2YgVTp2YWx1ZSBvZiBQ");
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let server = Server::typed(vec![]).await;
    let source =
        open(MetricKind::ErrorRatio, json!({ "url": server.url, "bad": BAD, "total": TOTAL })).unwrap();
    server.close().await;
    assert_eq!(source.tally(&version(), at()).await.unwrap_err().problem, Problem::Unreachable);
}

#[tokio::test]
async fn buckets_that_make_no_histogram_are_refused() {
    let bucket = |le: &str, count: &str| (json!({ "le": le }).to_string(), count.to_owned());
    for (buckets, words) in [
        (vec![("{}".to_owned(), "3".to_owned())], "has no label `le`"),
        (vec![bucket("0.1", "3")], "no bucket le=\"+Inf\""),
        (vec![bucket("0.1", "3"), bucket("0.10", "3"), bucket("+Inf", "3")], "a bound twice"),
        (vec![bucket("0.1", "5"), bucket("+Inf", "3")], "holds less than the one below it"),
        (vec![bucket("soon", "5")], "is no bound"),
    ] {
        let pairs: Vec<(&str, &str)> =
            buckets.iter().map(|(labels, count)| (labels.as_str(), count.as_str())).collect();
        let server = Server::typed(vec![(200, JSON, vector(&pairs))]).await;
        let source = open(MetricKind::Latency, json!({ "url": server.url, "buckets": BUCKETS })).unwrap();
        let error = source.tally(&version(), at()).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}

#[test]
fn mistakes_in_settings_are_told_where_they_are() {
    let url = "http://prometheus.example:9090";
    for (kind, settings, words) in [
        (MetricKind::ErrorRatio, json!({ "bad": BAD, "total": TOTAL }), "missing field `url`"),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD }),
            "`total` is missing, which error-ratio needs",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": "requests_total" }),
            "`total` has no {{arm}}",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "buckets": BUCKETS }),
            "does not use the key `buckets`",
        ),
        (
            MetricKind::Latency,
            json!({ "url": url, "buckets": BUCKETS, "bad": BAD }),
            "does not use the key `bad`",
        ),
        (MetricKind::Latency, json!({ "url": url, "buckets": BUCKETS, "unit": "minutes" }), "minutes"),
        (MetricKind::ErrorRatio, json!({ "url": url, "bad": BAD, "totl": TOTAL }), "totl"),
        (
            MetricKind::ErrorRatio,
            json!({ "url": "prometheus:9090", "bad": BAD, "total": TOTAL }),
            "of the kind \"prometheus\"",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": "http://u:p@x", "bad": BAD, "total": TOTAL }),
            "holds credentials",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "token-evn": "T" }),
            "`token-env`",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "user-env": "U" }),
            "half said",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "token-env": "UNSET" }),
            "UNSET is not set",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "timeout": "0s" }),
            "no time",
        ),
        (
            MetricKind::ErrorRatio,
            json!({ "url": url, "bad": BAD, "total": TOTAL, "query": "x" }),
            "does not use the key `query`",
        ),
    ] {
        let error = open(kind, settings).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}

const QUERY: &str = "sum(rate(errors_total{version=\"{{arm}}\"}[{{interval}}]))";

fn valued(url: &str) -> Value {
    json!({ "url": url, "query": QUERY })
}

#[tokio::test]
async fn values_keep_the_contract() {
    conforms("prometheus", &vector(&[("{}", "0.25")]), &vector(&[]), 0.25, valued).await;
}

#[tokio::test]
async fn a_value_is_asked_for_the_end_of_the_look() {
    let server = Server::typed(vec![(200, JSON, vector(&[("{}", "0.25")]))]).await;
    let source = open_value("prometheus", valued(&server.url)).unwrap();
    assert!(source.knows_the_past());
    let points = ask(source.as_ref()).await.unwrap();
    assert_eq!((points[0].at, &points[0].value), (to(), &json!(0.25)));
    let asked = &server.seen()[0].line;
    assert!(
        asked.contains("version%3D%22v1.1.0%22%7D%5B60s%5D%29%29&time=2026-11-24T12%3A01%3A00Z"),
        "{asked}"
    );
}

#[tokio::test]
async fn a_range_is_asked_for_all_values_of_the_look() {
    let start = from().as_seconds();
    let values = json!([[start + 20, "1"], [start + 40, "NaN"], [start + 60, "3"]]);
    let body = json!({ "status": "success",
                       "data": { "resultType": "matrix", "result": [{ "metric": {}, "values": values }] } });
    let server = Server::typed(vec![(200, JSON, body.to_string())]).await;
    let mut settings = valued(&server.url);
    settings["step"] = json!("20s");
    let points = ask(open_value("prometheus", settings).unwrap().as_ref()).await.unwrap();
    let values: Vec<Value> = points.iter().map(|point| point.value.clone()).collect();
    assert_eq!(values, [json!(1.0), json!(null), json!(3.0)]);
    assert_eq!(points[2].at, to());
    let asked = &server.seen()[0].line;
    assert!(asked.starts_with("GET /api/v1/query_range?query="), "{asked}");
    assert!(
        asked.contains("&start=2026-11-24T12%3A00%3A20Z&end=2026-11-24T12%3A01%3A00Z&step=20&"),
        "{asked}"
    );
}

#[tokio::test]
async fn what_is_no_value_is_nothing_or_has_its_sentence() {
    let answered = async |body: String| {
        let server = Server::typed(vec![(200, JSON, body)]).await;
        let points = ask(open_value("prometheus", valued(&server.url)).unwrap().as_ref()).await;
        points.map(|points| points.into_iter().map(|point| point.value).collect::<Vec<_>>())
    };
    let kind = |kind: &str, result: Value| {
        json!({ "status": "success", "data": { "resultType": kind, "result": result } }).to_string()
    };
    assert_eq!(answered(vector(&[("{}", "NaN")])).await.unwrap(), [json!(null)], "a division by no requests");
    assert_eq!(answered(vector(&[])).await.unwrap(), [] as [Value; 0]);
    assert_eq!(answered(kind("scalar", json!([1, "7"]))).await.unwrap(), [json!(7.0)]);
    for (body, words) in [
        (vector(&[("{}", "+Inf")]), "its value is inf"),
        (vector(&[(r#"{"a":"1"}"#, "1"), (r#"{"a":"2"}"#, "1")]), "gives 2 series"),
        (kind("matrix", json!([])), "gives ranges and no value"),
        (kind("string", json!([1, "x"])), "of the kind \"string\""),
        (kind("vector", json!([{ "metric": {}, "histogram": [1, {}] }])), "native histogram"),
    ] {
        let error = answered(body).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
}

#[test]
fn mistakes_in_queries_for_values_are_told() {
    let url = "https://prometheus.example";
    for (settings, words) in [
        (json!({ "url": url }), "`query` is missing, which value needs"),
        (json!({ "url": url, "query": "x{v={{arm}}}" }), "has {{arm}} outside of a quoted label value"),
        (json!({ "url": url, "query": "x{v=\"{{version}}\"}" }), "which is not known; there is {{arm}}"),
        (json!({ "url": url, "query": "x", "bad": "y" }), "does not use the key `bad`"),
        (json!({ "url": url, "query": "x", "step": "0s" }), "no time"),
    ] {
        let error = open_value("prometheus", settings).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
    assert!(open_value("prometheus", json!({ "url": url, "query": "1 - sum(x) / sum(y)" })).is_ok());
}

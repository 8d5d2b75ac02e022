//! Answers in the shape that Datadog documents.

use serde_json::{Value, json};
use tagship_domain::analysis::MetricKind;

use crate::{
    canned::Server,
    metric_sources::tests::{JSON, ask, conforms, from, open, open_value, refuses, to},
};

fn settings(url: &str) -> Value {
    json!({ "url": url, "query": "avg:model.latency.p99{version:{{arm}}}" })
}

fn reply(points: &Value) -> String {
    json!({ "status": "ok", "res_type": "time_series", "resp_version": 1, "query": "q", "message": "", "group_by": [],
            "from_date": 1_795_521_600_000_i64, "to_date": 1_795_521_660_000_i64,
            "series": [{ "metric": "model.latency.p99", "scope": "version:v1.1.0", "interval": 20, "length": 3,
                         "unit": null, "pointlist": points }] })
    .to_string()
}

fn points() -> Value {
    json!([[1_795_521_600_000.0, 0.5], [1_795_521_620_000.0, 0.25], [1_795_521_640_000.0, null]])
}

const EMPTY: &str = r#"{"status":"ok","series":[],"query":"q","message":""}"#;

#[tokio::test]
async fn it_keeps_the_contract() {
    conforms("datadog", &reply(&points()), EMPTY, 0.25, settings).await;
    refuses("datadog", settings).await;
}

#[tokio::test]
async fn points_are_read_and_keys_are_headers() {
    let server = Server::typed(vec![(200, JSON, reply(&points()))]).await;
    let source = open_value("datadog", settings(&server.url)).unwrap();
    let found: Vec<Value> =
        ask(source.as_ref()).await.unwrap().into_iter().map(|point| point.value).collect();
    assert_eq!(found, [json!(0.5), json!(0.25), json!(null)]);
    assert!(source.knows_the_past());
    let asked = &server.seen()[0];
    let (from, to) = (from().as_seconds(), to().as_seconds());
    assert_eq!(
        asked.line,
        format!("GET /api/v1/query?from={from}&to={to}&query=avg%3Amodel.latency.p99%7Bversion%3Av1.1.0%7D")
    );
    assert_eq!(asked.headers["dd-api-key"], "value of DD_API_KEY");
    assert_eq!(asked.headers["dd-application-key"], "value of DD_APP_KEY");
}

#[tokio::test]
async fn what_is_no_value_has_its_sentence() {
    let two = json!({ "status": "ok", "series": [{ "pointlist": [] }, { "pointlist": [] }] }).to_string();
    let failed = json!({ "status": "error", "error": "Error parsing query: x" }).to_string();
    for (body, words) in [
        (two, "gives 2 series"),
        (failed, "answered an error: Error parsing query: x"),
        ("7".to_owned(), "something else than its interface"),
        ("{}".to_owned(), "answered an error"),
    ] {
        let server = Server::typed(vec![(200, JSON, body)]).await;
        let error = ask(open_value("datadog", settings(&server.url)).unwrap().as_ref()).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
    let unset = json!({ "query": "q", "api-key-env": "UNSET" });
    let error = open("datadog", MetricKind::Value, unset, std::path::Path::new(".")).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("UNSET is not set"), "{error}");
}

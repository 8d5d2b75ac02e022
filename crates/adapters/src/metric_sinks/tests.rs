//! What a gateway is sent, and what its answers mean.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tagship_ports::{conformance, metric_sink::MetricPage};

use super::*;
use crate::canned::Server;

fn spec(settings: Value) -> AdapterSpec {
    let Value::Object(settings) = settings else { panic!("settings are an object") };
    AdapterSpec { settings, ..AdapterSpec::of_kind("pushgateway") }
}

fn sink(settings: Value) -> Box<dyn MetricSink> {
    open(&spec(settings), Path::new("."), &|name| Some(format!("the-{name}"))).unwrap()
}

fn page(environment: &str) -> MetricPage {
    MetricPage {
        model: "churn".parse().unwrap(),
        environment: environment.parse().unwrap(),
        text: "tagship_monitor_good 1\n".to_owned(),
    }
}

/// What a gateway holds that was sent these requests: model and environment out of the path.
fn held(server: &Server) -> BTreeMap<(String, String), String> {
    let decoded = |label: &str, value: &str| match label {
        // The one environment of the tests that is encoded.
        "environment@base64" => {
            assert_eq!(value, "cHJvZHVjdGlvbi9ldQ");
            "production/eu".to_owned()
        }
        _ => value.to_owned(),
    };
    let of = |line: &str| {
        let words: Vec<&str> = line.split('/').collect();
        let [method, "metrics", "job", "tagship", "model", model, label, value] = words[..] else {
            panic!("{line}")
        };
        assert_eq!(method, "PUT ", "the group is replaced");
        (model.to_owned(), decoded(label, value))
    };
    server.seen().iter().map(|seen| (of(&seen.line), String::from_utf8(seen.body.clone()).unwrap())).collect()
}

#[tokio::test]
async fn keeps_the_promises_of_the_port() {
    let server = Server::with(vec![(200, String::new()); 4]).await;
    let sink = sink(json!({ "url": server.url }));
    conformance::metric_sink(sink.as_ref(), || held(&server)).await;
}

#[tokio::test]
async fn a_page_is_sent_with_its_format_and_credentials_below_the_path_of_a_proxy() {
    let server = Server::with(vec![(202, String::new())]).await;
    let url = format!("{}/push/", server.url);
    sink(json!({ "url": url, "token-env": "GATEWAY" })).put(&page("production")).await.unwrap();
    let request = server.seen().remove(0);
    assert_eq!(request.line, "PUT /push/metrics/job/tagship/model/churn/environment/production");
    assert_eq!(request.authorization, "Bearer the-GATEWAY");
    assert_eq!(request.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
}

#[tokio::test]
async fn whatever_is_no_success_is_an_error_with_its_words() {
    for (status, problem, words) in [
        (400, Problem::Invalid, "it did not take the metrics (HTTP 400): inconsistent help"),
        (401, Problem::Denied, "lets nobody in"),
        (404, Problem::Invalid, "there is no gateway"),
        (302, Problem::Invalid, "sends on to another address"),
        (503, Problem::Unreachable, "it failed (HTTP 503)"),
    ] {
        let server = Server::with(vec![(status, "inconsistent\nhelp".to_owned())]).await;
        let error = sink(json!({ "url": server.url })).put(&page("production")).await.unwrap_err();
        assert_eq!(error.problem, problem, "{error}");
        assert!(error.to_string().contains(words) && error.hint.is_some(), "{error}");
    }
    let gone = sink(json!({ "url": "http://127.0.0.1:9" })).put(&page("production")).await.unwrap_err();
    assert_eq!(gone.problem, Problem::Unreachable, "{gone}");
}

#[test]
fn settings_that_cannot_be_right_are_refused() {
    let opened = |spec: &AdapterSpec| open(spec, Path::new("."), &|_| None).err().unwrap();
    for (settings, words) in [
        (json!({}), "missing field `url`"),
        (json!({ "url": "gateway:9091" }), "`url` is of the kind \"gateway\""),
        (json!({ "url": "https://a:b@gateway" }), "`url` holds credentials"),
        (json!({ "url": "https://gateway?job=a" }), "`url` has a query"),
        (json!({ "url": "https://gateway", "user-env": "A" }), "half said"),
        (json!({ "url": "https://gateway", "jobs": "a" }), "unknown field `jobs`"),
    ] {
        let error = opened(&spec(settings));
        assert_eq!(error.problem, Problem::Invalid, "{error}");
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    assert_eq!(opened(&AdapterSpec::of_kind("statsd")).problem, Problem::Unsupported);
    let secret = opened(&spec(json!({ "url": "https://gateway", "token-env": "A" })));
    assert_eq!(secret.problem, Problem::Denied);
}

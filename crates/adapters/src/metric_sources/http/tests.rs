//! A server that gives written answers to any query.

use std::path::Path;

use serde_json::json;
use tagship_domain::analysis::MetricKind;

use crate::{
    canned::Server,
    metric_sources::tests::{JSON, ask, conforms, open, open_tally, open_value, refuses, to, version},
};

fn p99(url: &str) -> serde_json::Value {
    json!({ "url": format!("{url}/v/{{{{arm}}}}"), "path": "$.latency.p99" })
}

async fn value(body: &str, path: &str) -> Result<serde_json::Value, String> {
    let server = Server::typed(vec![(200, JSON, body.to_owned())]).await;
    let source = open_value("http", json!({ "url": server.url, "path": path })).unwrap();
    ask(source.as_ref()).await.map(|mut points| points.remove(0).value).map_err(|error| error.to_string())
}

#[tokio::test]
async fn it_keeps_the_contract() {
    conforms("http", r#"{"latency":{"p99":0.25}}"#, r#"{"latency":{}}"#, 0.25, p99).await;
    refuses("http", p99).await;
}

#[tokio::test]
async fn the_value_is_at_the_path_or_is_nothing() {
    assert_eq!(value(r#"{"rows":[{"v":3},{"v":4}]}"#, "$.rows[-1].v").await, Ok(json!(4)));
    assert_eq!(value(r#"{"v":"0.5"}"#, "$.v").await, Ok(json!(0.5)), "numbers in quotes are numbers");
    assert_eq!(
        value(r#"{"v":{"a":1}}"#, "$.v").await,
        Ok(json!({ "a": 1 })),
        "conditions may read a document"
    );
    for nothing in [r#"{"v":null}"#, "{}", r#"{"v":"NaN"}"#] {
        assert_eq!(value(nothing, "$.v").await, Ok(json!(null)), "{nothing}");
    }
    assert!(value(r#"{"v":"+Inf"}"#, "$.v").await.unwrap_err().contains("inf"));
    assert!(value(r#"{"v":[1,2]}"#, "$.v[*]").await.unwrap_err().contains("leads to 2 values"));
}

#[tokio::test]
async fn places_are_escaped_and_secrets_are_headers() {
    let server = Server::typed(vec![(200, JSON, "1".to_owned()), (200, JSON, "2".to_owned())]).await;
    let settings = json!({ "url": format!("{}/q?v={{{{arm}}}}&to={{{{to}}}}", server.url), "token-env": "TOKEN",
                           "headers": { "x-scope": "team" }, "headers-env": { "x-key": "KEY" } });
    let source = open_value("http", settings).unwrap();
    assert!(source.knows_the_past());
    assert_eq!(ask(source.as_ref()).await.unwrap()[0].value, json!(1));
    let body = r#"{"query":"v = '{{arm}}'","last":"{{interval}}"}"#;
    let posting = open_value("http", json!({ "url": server.url, "body": body })).unwrap();
    assert!(!posting.knows_the_past());
    ask(posting.as_ref()).await.unwrap();
    let [get, post] = server.seen().try_into().ok().unwrap();
    assert_eq!(get.line, format!("GET /q?v=v1.1.0&to={}", to().as_seconds()));
    assert_eq!(get.authorization, "Bearer value of TOKEN");
    assert_eq!((get.headers["x-scope"].as_str(), get.headers["x-key"].as_str()), ("team", "value of KEY"));
    assert_eq!(post.json(), json!({ "query": "v = 'v1.1.0'", "last": "60s" }));
    assert_eq!(post.authorization, "");
}

#[tokio::test]
async fn counts_are_whole_numbers_since_the_beginning() {
    let count = async |body: &str| {
        let server = Server::typed(vec![(200, JSON, body.to_owned())]).await;
        let settings =
            json!({ "url": format!("{}/{{{{arm}}}}", server.url), "bad": "$.bad", "total": "$.n" });
        let source = open_tally("http", MetricKind::ErrorRatio, settings, Path::new(".")).unwrap();
        source.tally(&version(), to()).await.map(|tally| (tally.all_bad(), tally.all()))
    };
    assert_eq!(count(r#"{"bad":3,"n":100}"#).await, Ok((3, 100)));
    for (body, words) in [
        (r#"{"bad":3}"#, "`$.n` gives nothing, which is no count"),
        (r#"{"bad":0.5,"n":1}"#, "`$.bad` gives 0.5"),
        (r#"{"bad":-1,"n":1}"#, "`$.bad` gives -1"),
        (r#"{"bad":"many","n":1}"#, "gives \"many\""),
    ] {
        let error = count(body).await.unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
}

#[test]
fn mistakes_in_settings_are_told() {
    let ca = tempfile::tempdir().unwrap();
    std::fs::write(ca.path().join("empty.pem"), "").unwrap();
    let url = "https://metrics.example/{{arm}}";
    for (kind, settings, words) in [
        (MetricKind::Value, json!({}), "missing field `url`"),
        (MetricKind::Value, json!({ "url": "https://{{arm}}.example/" }), "in the name of the server"),
        (MetricKind::Value, json!({ "url": "ftp://x" }), "of the kind \"ftp\""),
        (MetricKind::Value, json!({ "url": "https://u:p@x/" }), "holds credentials"),
        (MetricKind::Value, json!({ "url": "https://x/{{version}}" }), "{{arm}}, {{candidate}}"),
        (MetricKind::Value, json!({ "url": url, "path": "p99" }), "`path` is no JSONPath"),
        (MetricKind::Value, json!({ "url": url, "bad": "$.bad" }), "does not use the key `bad`"),
        (MetricKind::ErrorRatio, json!({ "url": url, "bad": "$.bad" }), "`total` is missing"),
        (
            MetricKind::ErrorRatio,
            json!({ "url": "https://x/", "bad": "$.b", "total": "$.n" }),
            "without {{arm}}",
        ),
        (MetricKind::Latency, json!({ "url": url }), "cannot count latency"),
        (MetricKind::Value, json!({ "url": url, "headers-env": { "x-key": "UNSET" } }), "UNSET is not set"),
        (MetricKind::Value, json!({ "url": url, "headers": { "a b": "c" } }), "`a b` is no header"),
        (
            MetricKind::Value,
            json!({ "url": url, "ca-file": "nowhere.pem" }),
            "nowhere.pem: there is no such file",
        ),
        (MetricKind::Value, json!({ "url": url, "ca-file": "empty.pem" }), "there is no certificate"),
        (MetricKind::Value, json!({ "url": url, "timeout": "0s" }), "no time"),
    ] {
        let error = open("http", kind, settings, ca.path()).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(words), "{words:?} is not in {error}");
    }
}

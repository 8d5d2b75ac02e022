//! Answers in the shape that `NerdGraph` documents.

use serde_json::{Value, json};

use crate::{
    canned::Server,
    metric_sources::tests::{JSON, ask, conforms, from, open_value, refuses, to},
};

fn settings(url: &str) -> Value {
    json!({ "url": url, "account": 42, "query": "SELECT average(duration) FROM Transaction WHERE version = '{{arm}}'" })
}

fn reply(rows: &Value) -> String {
    json!({ "data": { "actor": { "account": { "nrql": { "results": rows } } } } }).to_string()
}

async fn value(rows: Value, more: Value) -> Result<Vec<Value>, String> {
    let server = Server::typed(vec![(200, JSON, reply(&rows))]).await;
    let mut settings = settings(&server.url);
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let source = open_value("newrelic", settings).unwrap();
    let points = ask(source.as_ref()).await.map_err(|error| error.to_string())?;
    Ok(points.into_iter().map(|point| point.value).collect())
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let known = reply(&json!([{ "average.duration": 0.25 }]));
    let unknown = reply(&json!([{ "average.duration": null }]));
    conforms("newrelic", &known, &unknown, 0.25, settings).await;
    refuses("newrelic", settings).await;
}

#[tokio::test]
async fn the_query_is_about_the_look() {
    let rows = json!([{ "average.duration": 0.25 }]);
    let server = Server::typed(vec![(200, JSON, reply(&rows)), (200, JSON, reply(&rows))]).await;
    let source = open_value("newrelic", settings(&server.url)).unwrap();
    assert!(source.knows_the_past());
    ask(source.as_ref()).await.unwrap();
    let mut timed = settings(&server.url);
    timed["query"] = json!("SELECT count(*) FROM Transaction SINCE 5 minutes ago");
    let source = open_value("newrelic", timed).unwrap();
    assert!(!source.knows_the_past());
    ask(source.as_ref()).await.unwrap();
    let [first, second] = server.seen().try_into().ok().unwrap();
    assert_eq!(
        (first.line.as_str(), first.headers["api-key"].as_str()),
        ("POST /graphql", "value of NEW_RELIC_API_KEY")
    );
    let (from, to) = (from().as_millis(), to().as_millis());
    assert_eq!(
        first.json()["variables"],
        json!({ "account": 42, "nrql": format!(
            "SELECT average(duration) FROM Transaction WHERE version = 'v1.1.0' SINCE {from} UNTIL {to}") })
    );
    assert_eq!(second.json()["variables"]["nrql"], "SELECT count(*) FROM Transaction SINCE 5 minutes ago");
}

#[tokio::test]
async fn the_value_of_a_row_is_found_or_asked_for() {
    let none = || json!({});
    assert_eq!(value(json!([]), none()).await, Ok(vec![]));
    assert_eq!(value(json!([{ "percentile.duration": { "99": 1.5 } }]), none()).await, Ok(vec![json!(1.5)]));
    let series = json!([{ "beginTimeSeconds": 1_795_521_600, "endTimeSeconds": 1_795_521_630, "count": 7 },
                        { "beginTimeSeconds": 1_795_521_630, "endTimeSeconds": 1_795_521_660, "count": null }]);
    assert_eq!(value(series, none()).await, Ok(vec![json!(7), json!(null)]));
    let two = json!([{ "average.duration": 0.5, "count": 3 }]);
    assert!(value(two.clone(), none()).await.unwrap_err().contains("holds 2 values"));
    assert_eq!(value(two, json!({ "path": "$['average.duration']" })).await, Ok(vec![json!(0.5)]));
    assert!(
        value(json!([{ "count": 1 }, { "count": 2 }]), none()).await.unwrap_err().contains("gives 2 rows")
    );
}

#[tokio::test]
async fn errors_come_with_a_good_status() {
    let failed = r#"{"data":{"actor":null},"errors":[{"message":"NRQL Syntax Error: at line 1"}]}"#;
    for (body, words) in [(failed, "NRQL Syntax Error: at line 1"), (r#"{"data":{}}"#, "without results")] {
        let server = Server::typed(vec![(200, JSON, body.to_owned())]).await;
        let error = ask(open_value("newrelic", settings(&server.url)).unwrap().as_ref()).await.unwrap_err();
        assert!(error.to_string().contains(words), "{words:?} is not in {error}");
    }
}

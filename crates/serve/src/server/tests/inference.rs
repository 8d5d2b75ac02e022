//! The data plane.

use serde_json::{Value, json};

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stable_answers_and_a_candidate_can_be_asked_by_version() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.load("v1.1.0", "label 2", 2).await;
    let mut client = server.client().await;
    let (status, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
    assert_eq!((status, body["error"].is_string()), (503, true), "no version has traffic: {body}");
    server.promote("v1.0.0", 3).await;

    let (status, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
    assert_eq!(status, 200);
    let label = json!({ "name": "label", "shape": [1], "datatype": "INT64", "data": [1] });
    let score = json!({ "name": "score", "shape": [1], "datatype": "FP32", "data": [0.5] });
    let expected =
        json!({ "model_name": "churn", "model_version": "v1.0.0", "id": "a", "outputs": [label, score] });
    assert_eq!(body, expected);

    let (status, body) = client.json("POST", "/v2/models/churn/versions/v1.1.0/infer", &request("b")).await;
    assert_eq!((status, &body["model_version"]), (200, &json!("v1.1.0")));
    assert_eq!(body["outputs"][0]["data"], json!([2]));

    let nested = json!({ "inputs": [{ "name": "x", "datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3, 4]], "parameters": {} }],
                         "outputs": [{ "name": "score" }] });
    let (status, body) = client.json("POST", "/v2/models/churn/infer", &nested).await;
    assert_eq!((status, body["outputs"].as_array().unwrap().len()), (200, 1), "{body}");
    assert!(
        !body["id"].as_str().unwrap().is_empty(),
        "an id is given, so that feedback can name the prediction"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_and_readiness_follow_the_protocol() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    let mut client = server.client().await;
    assert_eq!(client.get("/v2").await.1["name"], "tagship");
    assert_eq!(client.get("/v2/health/live").await, (200, json!({ "live": true })));
    assert_eq!(client.get("/v2/health/ready").await, (200, json!({ "ready": true })));
    assert_eq!(client.get("/v2/models/churn").await.0, 404);
    server.load("v1.0.0", "label 1", 1).await;
    assert_eq!(client.get("/v2/models/churn/ready").await.0, 503, "loaded, but without traffic");
    assert_eq!(client.get("/v2/models/churn/versions/v1.0.0/ready").await.0, 200);
    server.promote("v1.0.0", 1).await;
    assert_eq!(client.get("/v2/models/churn/ready").await, (200, json!({ "name": "churn", "ready": true })));
    let (_, metadata) = client.get("/v2/models/churn").await;
    assert_eq!(metadata["versions"], json!(["v1.0.0"]));
    assert_eq!(metadata["inputs"], json!([{ "name": "x", "datatype": "FP32", "shape": [-1, 2] }]));
    assert_eq!(client.get("/v2/models/churn/versions/v1.0.0").await.1, metadata);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_requests_get_a_status_and_a_reason() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(at.path());
    settings.limits.max_request = 1000;
    let server = start_with(settings).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.promote("v1.0.0", 1).await;
    let infer = "/v2/models/churn/infer";
    let tensor = |shape: &str, data: &str| {
        format!(r#"{{"inputs":[{{"name":"x","datatype":"FP32","shape":{shape},"data":{data}}}]}}"#)
    };
    let cases: Vec<(&str, &str, String, u16, &str)> = vec![
        ("POST", infer, String::new(), 400, "read the inference request"),
        ("POST", infer, "{".to_owned(), 400, "line 1"),
        ("POST", infer, "[]".to_owned(), 400, "read the inference request"),
        ("POST", infer, "{}".to_owned(), 400, "inputs"),
        ("POST", infer, r#"{"inputs":[]}"#.to_owned(), 400, "missing input `x`"),
        ("POST", infer, tensor("[1,2]", "[1]"), 400, "needs 2 values"),
        ("POST", infer, tensor("[1,3]", "[1,2,3]"), 400, "shape"),
        ("POST", infer, tensor("[-1,2]", "[1,2]"), 400, "integer `-1`"),
        ("POST", infer, tensor("[1,2]", r#"["a","b"]"#), 400, "is no FP32"),
        ("POST", infer, tensor("[1,2]", "[[1],[2]]"), 400, "fit"),
        ("POST", infer, tensor("[4294967296,4294967296]", "[1]"), 400, "values"),
        ("POST", infer, format!(r#"{{"id":"{}","inputs":[]}}"#, "i".repeat(300)), 400, "id"),
        ("POST", infer, format!("{{}}{}", " ".repeat(2000)), 413, "larger than 1000"),
        ("POST", "/v2/models/other/infer", request("a").to_string(), 404, "no model"),
        ("POST", "/v2/models/..%2F..%2Fetc/infer", request("a").to_string(), 404, "no model"),
        ("POST", "/v2/models/churn/versions/v9.0.0/infer", request("a").to_string(), 404, "no version"),
        ("POST", "/v2/models/churn/versions/latest/infer", request("a").to_string(), 404, "no version"),
        ("GET", infer, String::new(), 405, "another method"),
        ("GET", "/v1/models", String::new(), 404, "no such path"),
        (
            "POST",
            "/feedback",
            r#"{"model":"churn","id":"nobody","correct":true}"#.to_owned(),
            404,
            "remembered",
        ),
        ("POST", "/feedback", r#"{"model":"churn"}"#.to_owned(), 400, "id"),
    ];
    for (method, path, body, status, reason) in cases {
        // A connection of its own: after a body that is too large the server closes it.
        let (found, answer) = server.client().await.send(method, path, body.as_bytes()).await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && error.contains(reason), "{method} {path} {body}: {found} {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_version_that_fails_crashes_or_hangs_harms_no_other() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(at.path());
    settings.limits.request_timeout = std::time::Duration::from_secs(1);
    settings.limits.workers = 1;
    let server = start_with(settings).await;
    for (version, content) in
        [("v1.0.0", "label 1"), ("v2.0.0", "fail"), ("v3.0.0", "panic"), ("v4.0.0", "wait")]
    {
        assert_eq!(server.load(version, content, 1).await.0, 200);
    }
    server.promote("v1.0.0", 2).await;
    let mut client = server.client().await;
    for (version, status) in [("v2.0.0", 500), ("v3.0.0", 500), ("v4.0.0", 504), ("v4.0.0", 504)] {
        let path = format!("/v2/models/churn/versions/{version}/infer");
        let (found, answer) = client.json("POST", &path, &request("a")).await;
        assert_eq!(found, status, "{version}: {answer}");
        assert_eq!(
            client.json("POST", "/v2/models/churn/infer", &request("b")).await.0,
            200,
            "stable answers on"
        );
    }
    let metrics = client.text("/metrics").await;
    let failed = |version: &str| {
        format!(r#"tagship_errors_total{{model="churn",version="{version}",route="direct"}}"#)
    };
    assert!(metrics.contains(&format!("{} 2", failed("v4.0.0"))), "{metrics}");
    assert!(metrics.contains(&format!("{} 0", failed("v1.0.0"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_the_server_takes_are_turned_away() {
    let at = tempfile::tempdir().unwrap();
    let mut settings = settings(at.path());
    settings.limits.in_flight = 1;
    let server = start_with(settings).await;
    server.load("v1.0.0", "wait", 1).await;
    server.promote("v1.0.0", 2).await;
    let mut first = server.client().await;
    first.write("POST", "/v2/models/churn/infer", request("a").to_string().as_bytes()).await;
    server.gate.reached(1).await;
    let (status, answer) = server.client().await.json("POST", "/v2/models/churn/infer", &request("b")).await;
    assert_eq!(status, 503, "{answer}");
    assert_eq!(server.client().await.get("/v2/health/live").await.0, 200, "health needs no permit");
    server.gate.open();
    assert_eq!(first.read().await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weights_split_traffic() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.load("v1.1.0", "label 2", 1).await;
    server.promote("v1.0.0", 2).await;
    server.order("weight", json!({ "fence": 3, "version": "v1.1.0", "weight": 30 })).await;
    let mut client = server.client().await;
    let mut candidate = 0;
    for _ in 0..1000 {
        let (_, body) = client.json("POST", "/v2/models/churn/infer", &request("a")).await;
        candidate += u32::from(body["model_version"] == "v1.1.0");
    }
    // Binomial(1000, 0.3) has a standard deviation of 14.5; eight of them are never left by chance.
    assert!((184..=416).contains(&candidate), "{candidate} of 1000");
    let status = server.status().await;
    assert_eq!(status["arms"][1]["counters"]["requests"], candidate);
    assert_eq!((&status["arms"][0]["weight"], &status["arms"][1]["weight"]), (&json!(70), &json!(30)));
}

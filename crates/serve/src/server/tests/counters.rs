//! What the server counts, as the control interface and `/metrics` tell it.

use tagship_domain::{
    serving::{LogLine, ModelStatus},
    traffic::Counters,
};

use super::{client::Client, *};

async fn counters(server: &Running, version: &str) -> Counters {
    let status: ModelStatus = serde_json::from_value(server.status().await).unwrap();
    let version = version.parse().unwrap();
    status.arms.into_iter().find(|arm| arm.version == version).unwrap().counters
}

fn rows(id: &str, rows: usize) -> Value {
    let data = vec![1.0; 2 * rows];
    json!({ "id": id, "inputs": [{ "name": "x", "datatype": "FP32", "shape": [rows, 2], "data": data }] })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_requests_routed_by_weight_are_evidence() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 7", 1).await;
    server.promote("v1.0.0", 1).await;
    let mut client = server.client().await;
    let before = counters(&server, "v1.0.0").await;
    assert_eq!((before.requests, before.classes), (0, None));
    assert_eq!(before.latency.unwrap().total(), 0, "nothing was measured, and that is known");

    client.json("POST", "/v2/models/churn/infer", &rows("a", 100)).await;
    client.json("POST", "/v2/models/churn/infer", &rows("b", 1)).await;
    client.json("POST", "/v2/models/churn/infer", &json!({ "inputs": [] })).await;
    client.json("POST", "/v2/models/churn/versions/v1.0.0/infer", &rows("probe", 1)).await;
    for id in ["b", "probe"] {
        assert_eq!(feedback(&mut client, json!({ "model": "churn", "id": id, "label": 7 })).await.0, 200);
    }
    let after = counters(&server, "v1.0.0").await;
    assert_eq!((after.requests, after.errors, after.correct, after.incorrect), (3, 0, 1, 0));
    assert_eq!(after.latency.unwrap().total(), 3);
    assert_eq!(after.classes.unwrap(), [("7".to_owned(), 101)].into(), "every row of every answer");
    let page = client.text("/metrics").await;
    for line in [
        r#"tagship_predicted_labels_total{model="churn",version="v1.0.0",label="7"} 101"#,
        r#"tagship_feedback_total{model="churn",version="v1.0.0",route="direct",outcome="correct"} 1"#,
        r#"tagship_requests_total{model="churn",version="v1.0.0",route="direct",outcome="answered"} 1"#,
        r#"tagship_requests_total{model="churn",version="v1.0.0",route="weighted",outcome="rejected"} 1"#,
        "# TYPE tagship_predicted_labels_total counter",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn classes_of_any_text_stand_escaped_on_the_page() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "text a \"b\"\\\nc", 1).await;
    server.promote("v1.0.0", 1).await;
    let mut client = server.client().await;
    client.json("POST", "/v2/models/churn/infer", &request("a")).await;
    assert_eq!(counters(&server, "v1.0.0").await.classes.unwrap(), [("a \"b\"\\\nc".to_owned(), 1)].into());
    let page = client.text("/metrics").await;
    let line = r#"tagship_predicted_labels_total{model="churn",version="v1.0.0",label="a \"b\"\\\nc"} 1"#;
    assert!(page.lines().any(|found| found == line), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_lists_every_metric_with_its_type() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    let page = server.client().await.text("/metrics").await;
    let reference = include_str!("../../../../../docs/metrics.md");
    let declared = page.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let mut declared: Vec<String> = declared
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, kind)| format!("| `{name}` | {kind} |"))
        .collect();
    // What follows below a heading is about other sources.
    let own = reference.lines().take_while(|line| !line.starts_with("## "));
    let rows = own.filter(|line| line.starts_with("| `"));
    let mut listed: Vec<String> =
        rows.map(|row| row.split('|').take(3).collect::<Vec<_>>().join("|") + "|").collect();
    declared.sort();
    listed.sort();
    assert_eq!(listed, declared);
}

async fn feedback(client: &mut Client, body: Value) -> (u16, Value) {
    client.json("POST", "/feedback", &body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feedback_is_counted_once_by_version_and_logged() {
    let at = tempfile::tempdir().unwrap();
    let server = start(at.path()).await;
    server.load("v1.0.0", "label 1", 1).await;
    server.promote("v1.0.0", 1).await;
    let mut client = server.client().await;
    for id in ["a", "b", "c"] {
        client.json("POST", "/v2/models/churn/infer", &request(id)).await;
    }
    let applied = (200, json!({ "result": "applied" }));
    let both = json!({ "model": "churn", "id": "a", "label": 1, "correct": true });
    assert_eq!(feedback(&mut client, both).await.0, 400);
    assert_eq!(feedback(&mut client, json!({ "model": "churn", "id": "a", "label": [1, 2] })).await.0, 400);
    assert_eq!(feedback(&mut client, json!({ "model": "churn", "id": "a", "label": 1.0 })).await, applied);
    assert_eq!(feedback(&mut client, json!({ "model": "churn", "id": "b", "label": [0] })).await, applied);
    assert_eq!(
        feedback(&mut client, json!({ "model": "churn", "id": "c", "correct": false })).await,
        applied
    );
    let again = feedback(&mut client, json!({ "model": "churn", "id": "a", "label": 0 })).await;
    assert_eq!(again, (200, json!({ "result": "already-there" })));

    let metrics = client.text("/metrics").await;
    for line in [
        r#"tagship_feedback_total{model="churn",version="v1.0.0",route="weighted",outcome="correct"} 1"#,
        r#"tagship_feedback_total{model="churn",version="v1.0.0",route="weighted",outcome="incorrect"} 2"#,
        r#"tagship_requests_total{model="churn",version="v1.0.0",route="weighted",outcome="answered"} 3"#,
        r#"tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="+Inf"} 3"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    drop(client);
    server.stop().await.unwrap();
    let log = std::fs::read_to_string(at.path().join("predictions/predictions.jsonl")).unwrap();
    let lines: Vec<LogLine> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let judged = lines.iter().filter(|line| matches!(line, LogLine::Feedback(_))).count();
    assert_eq!((lines.len(), judged), (6, 3));
    let LogLine::Prediction(first) = &lines[0] else { panic!("{lines:?}") };
    assert_eq!((first.id.as_str(), first.outputs.as_ref().unwrap().len()), ("a", 2));
}

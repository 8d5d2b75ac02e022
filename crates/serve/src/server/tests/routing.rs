//! Clients that stay on their side, and copies of requests for a shadow version.

use super::{client::Client, *};

const INFER: &str = "/v2/models/churn/infer";

/// A server with `v1.0.0` stable, which answers 1, and `v1.1.0` loaded.
async fn start_beside(at: &Path, candidate: &str) -> Running {
    let mut settings = settings(at);
    settings.limits.workers = 2;
    // Whoever waits is waited for, however slow the machine.
    settings.limits.request_timeout = std::time::Duration::from_mins(10);
    let server = start_with(settings).await;
    assert_eq!(server.load("v1.0.0", "label 1", 1).await.0, 200);
    assert_eq!(server.load("v1.1.0", candidate, 1).await.0, 200);
    server.promote("v1.0.0", 1).await;
    server
}

fn shadow(fence: u64, share: u8) -> Value {
    json!({ "fence": fence, "sticky": null, "shadow": { "version": "v1.1.0", "share": share } })
}

/// Counters of `v1.1.0` as a shadow, once `member` has reached `count`.
async fn copies(server: &Running, member: &str, count: u64) -> Value {
    let mut last = Value::Null;
    for _ in 0..20_000 {
        last = server.status().await["arms"][1]["counters"]["shadow"].clone();
        if last[member].as_u64().is_some_and(|reached| reached >= count) {
            return last;
        }
        tokio::task::yield_now().await;
    }
    panic!("{member} did not reach {count}: {last}");
}

async fn ask(client: &mut Client, id: &str) -> String {
    let (status, body) = client.json("POST", INFER, &request(id)).await;
    assert_eq!(status, 200, "{body}");
    body["model_version"].as_str().unwrap().to_owned()
}

async fn judge(client: &mut Client, id: &str, truth: Value) {
    let mut feedback = json!({ "model": "churn", "id": id });
    feedback.as_object_mut().unwrap().extend(truth.as_object().unwrap().clone());
    assert_eq!(client.json("POST", "/feedback", &feedback).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_answers_copies_and_no_request() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 2").await;
    assert_eq!(server.status().await["arms"][1]["counters"]["shadow"], Value::Null);
    server.order("routing", shadow(2, 100)).await;
    let none = server.status().await["arms"][1]["counters"]["shadow"].clone();
    assert_eq!(none["compared"], 0, "nothing yet is told apart from no shadow");
    let mut client = server.client().await;
    for id in ["a", "b", "c", "d"] {
        assert_eq!(ask(&mut client, id).await, "v1.0.0");
    }
    client.json("POST", "/v2/models/churn/versions/v1.0.0/infer", &request("probe")).await;
    let seen = copies(&server, "compared", 4).await;
    assert_eq!((&seen["disagreed"], &seen["failed"], &seen["labelled"]), (&json!(4), &json!(0), &json!(0)));

    judge(&mut client, "a", json!({ "label": 1 })).await;
    judge(&mut client, "b", json!({ "label": 2 })).await;
    judge(&mut client, "c", json!({ "label": 3 })).await;
    judge(&mut client, "d", json!({ "correct": true })).await;
    judge(&mut client, "probe", json!({ "label": 1 })).await;
    let mut seen = copies(&server, "labelled", 3).await;
    for times in ["latency", "stable_latency"] {
        let taken = seen.as_object_mut().unwrap().remove(times).unwrap();
        let counts = taken["counts"].as_array().unwrap().iter();
        assert_eq!(counts.map(|count| count.as_u64().unwrap()).sum::<u64>(), 4, "{times} of every copy");
    }
    let apart = seen.as_object_mut().unwrap().remove("distances").unwrap();
    assert_eq!(apart["counts"][0], 4, "labels differ, and scores do not: {apart}");
    let expected = json!({ "compared": 4, "disagreed": 4, "labelled": 3, "only_stable_wrong": 1,
                           "only_candidate_wrong": 1, "failed": 0 });
    assert_eq!(seen, expected, "a sender's own judgement says nothing about another answer");
    let status = server.status().await;
    assert_eq!(status["arms"][1]["counters"]["requests"], 0, "copies are no traffic");
    let page = client.text("/metrics").await;
    for line in [
        r#"tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="disagreed"} 4"#,
        r#"tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="dropped"} 0"#,
        r#"tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="both_wrong"} 1"#,
        r#"tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="only_stable_wrong"} 1"#,
        r#"tagship_shadow_inference_seconds_count{model="churn",version="v1.1.0",of="original"} 4"#,
        r#"tagship_shadow_inference_seconds_count{model="churn",version="v1.1.0",of="shadow"} 4"#,
        r#"tagship_shadow_score_distance_bucket{model="churn",version="v1.1.0",le="0.001"} 4"#,
        r#"tagship_shadow_score_distance_sum{model="churn",version="v1.1.0"} 0"#,
        r#"tagship_version_shadow_percent{model="churn",version="v1.1.0"} 100"#,
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }
    assert!(!page.contains(r#"tagship_shadow_requests_total{model="churn",version="v1.0.0""#));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_label_that_comes_before_the_copy_is_answered_counts_all_the_same() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "wait").await;
    server.order("routing", shadow(2, 100)).await;
    let mut client = server.client().await;
    ask(&mut client, "a").await;
    server.gate.reached(1).await;
    judge(&mut client, "a", json!({ "label": 0 })).await;
    server.gate.open();
    let seen = copies(&server, "labelled", 1).await;
    assert_eq!((&seen["compared"], &seen["only_stable_wrong"]), (&json!(1), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_that_fails_fails_no_request() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "fail").await;
    server.load("v1.2.0", "panic", 1).await;
    server.order("routing", shadow(2, 100)).await;
    let mut client = server.client().await;
    ask(&mut client, "a").await;
    assert_eq!(copies(&server, "failed", 1).await["compared"], 0);
    let panics = json!({ "version": "v1.2.0", "share": 100 });
    server.order("routing", json!({ "fence": 3, "sticky": null, "shadow": panics })).await;
    ask(&mut client, "b").await;
    ask(&mut client, "c").await;
    while server.status().await["arms"][2]["counters"]["shadow"]["failed"] != 2 {
        tokio::task::yield_now().await;
    }
    let status = server.status().await;
    assert_eq!(status["arms"][0]["counters"]["errors"], 0);
    assert_eq!(status["arms"][1]["counters"]["shadow"]["failed"], 1, "what was counted stays");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_for_a_shadow_that_hangs_are_dropped_and_counted() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "wait").await;
    server.order("routing", shadow(2, 100)).await;
    let mut client = server.client().await;
    for _ in 0..1100 {
        assert_eq!(ask(&mut client, "a").await, "v1.0.0");
    }
    let page = client.text("/metrics").await;
    let dropped = r#"tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="dropped"} 76"#;
    assert!(page.lines().any(|line| line == dropped), "room for 1024 copies:\n{page}");
    // Copies that wait when the shadow ends are not answered any more.
    server.order("routing", json!({ "fence": 3, "sticky": null, "shadow": null })).await;
    server.gate.open();
    let all = r#"tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="dropped"} "#;
    loop {
        let page = client.text("/metrics").await;
        let count = |outcome: &str| {
            let series = all.replace("dropped", outcome);
            let value = page.lines().find_map(|line| line.strip_prefix(&series)).unwrap();
            value.parse::<u64>().unwrap()
        };
        let answered = count("agreed") + count("disagreed");
        if answered + count("dropped") == 1100 {
            assert_eq!(answered, 1, "only the one that was under way");
            break;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_are_taken_of_the_share_that_was_ordered() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 1").await;
    server.order("routing", shadow(2, 20)).await;
    let mut client = server.client().await;
    for _ in 0..1000 {
        ask(&mut client, "a").await;
    }
    // Binomial(1000, 0.2) has a standard deviation of 12.6.
    let seen = copies(&server, "compared", 200 - 76).await;
    assert!(seen["compared"].as_u64().unwrap() <= 200 + 76, "{seen}");
    assert_eq!(seen["disagreed"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_ends_with_traffic_or_unloading_and_outlives_a_restart() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 2").await;
    let order = |fence: u64| {
        let mut order = shadow(fence, 30);
        order["sticky"] = json!("X-Client");
        order
    };
    assert_eq!(server.order("routing", order(2)).await["result"], "applied");
    assert_eq!(server.order("routing", order(2)).await["result"], "already-there");
    let told = json!({ "sticky": "x-client", "shadow": { "version": "v1.1.0", "share": 30 } });
    assert_eq!(server.status().await["routing"], told);
    let mut client = server.client().await;
    server.order("weight", json!({ "fence": 3, "version": "v1.1.0", "weight": 50 })).await;
    let ended = json!({ "sticky": "x-client", "shadow": null });
    assert_eq!(server.status().await["routing"], ended);
    let mut sides = Vec::new();
    for number in 0..40 {
        client.header = Some(("x-client", number.to_string()));
        sides.push(ask(&mut client, "a").await);
    }
    server.order("rollback", json!({ "fence": 4, "to": "v1.0.0" })).await;
    server.order("routing", order(5)).await;
    drop(client);
    server.stop().await.unwrap();

    let server = start(at.path()).await;
    assert_eq!(server.status().await["routing"], told, "it is part of the state");
    server.order("weight", json!({ "fence": 6, "version": "v1.1.0", "weight": 50 })).await;
    let mut client = server.client().await;
    for (number, side) in sides.iter().enumerate() {
        client.header = Some(("X-CLIENT", number.to_string()));
        assert_eq!(ask(&mut client, "a").await, *side, "client {number} changed sides over a restart");
    }
    assert!(sides.iter().any(|side| side == "v1.0.0") && sides.iter().any(|side| side == "v1.1.0"));
    server.order("rollback", json!({ "fence": 7, "to": "v1.0.0" })).await;
    server.order("routing", order(8)).await;
    let unload = "/admin/models/churn/versions/v1.1.0?fence=9";
    assert_eq!(server.admin().await.send("DELETE", unload, b"").await.0, 200);
    assert_eq!(server.status().await["routing"], ended);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_or_absent_header_is_no_client() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 2").await;
    server.order("routing", json!({ "fence": 2, "sticky": "x-client", "shadow": null })).await;
    server.order("weight", json!({ "fence": 3, "version": "v1.1.0", "weight": 50 })).await;
    let mut client = server.client().await;
    for header in [None, Some(("x-client", String::new()))] {
        client.header.clone_from(&header);
        let mut seen = Vec::new();
        for _ in 0..100 {
            seen.push(ask(&mut client, "a").await);
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["v1.0.0", "v1.1.0"], "{header:?} is shared at random");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_routings_are_refused_with_a_reason() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 2").await;
    let to = |version: &str, share: u8| json!({ "fence": 2, "sticky": null, "shadow": { "version": version, "share": share } });
    for (order, status, reason) in [
        (to("v1.0.0", 10), 409, "100% of the traffic"),
        (to("v9.0.0", 10), 404, "load it first"),
        (to("v1.1.0", 0), 422, "copies of 0%"),
        (json!({ "fence": 2, "sticky": null }), 400, "shadow"),
        (json!({ "fence": 2, "shadow": null }), 400, "sticky"),
        (json!({ "fence": 2, "sticky": "x client", "shadow": null }), 400, "header name"),
    ] {
        let (found, answer) = server.admin().await.json("POST", "/admin/models/churn/routing", &order).await;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && error.contains(reason), "{order}: {found} {answer}");
    }
    assert_eq!(server.status().await["routing"], json!({ "sticky": null, "shadow": null }));
}

#[tokio::test]
async fn a_header_leads_requests_to_a_version_and_both_sides_are_counted() {
    let at = tempfile::tempdir().unwrap();
    let server = start_beside(at.path(), "label 2").await;
    let rule = json!({ "version": "v1.1.0", "header": "X-Cohort", "exact": "beta" });
    let order = |fence: u64| json!({ "fence": fence, "sticky": null, "shadow": null, "match": rule });
    assert_eq!(server.order("routing", order(2)).await["result"], "applied");
    assert_eq!(server.order("routing", order(2)).await["result"], "already-there");
    let told = json!({ "version": "v1.1.0", "header": "x-cohort", "exact": "beta" });
    assert_eq!(server.status().await["routing"]["match"], told);

    for (value, expected) in
        [("beta", "v1.1.0"), ("Beta", "v1.0.0"), ("beta2", "v1.0.0"), ("bet", "v1.0.0"), ("", "v1.0.0")]
    {
        let mut client = server.client().await;
        client.header = Some(("x-cohort", value.to_owned()));
        assert_eq!(ask(&mut client, &format!("a{value}")).await, expected, "{value:?}");
    }
    let mut client = server.client().await;
    assert_eq!(ask(&mut client, "plain").await, "v1.0.0");
    client.json("POST", "/v2/models/churn/versions/v1.1.0/infer", &request("probe")).await;
    judge(&mut client, "abeta", json!({ "label": 2 })).await;
    let arms = server.status().await["arms"].clone();
    assert_eq!((&arms[0]["counters"]["requests"], &arms[1]["counters"]["requests"]), (&json!(5), &json!(1)));
    assert_eq!(arms[1]["counters"]["correct"], 1, "a label counts for the cohort");
    assert_eq!(arms[1]["counters"]["classes"], json!({ "2": 1 }), "a probe says nothing about the cohort");
    assert_eq!((&arms[0]["weight"], &arms[1]["weight"]), (&json!(100), &json!(0)), "weights stay");
    let page = client.text("/metrics").await;
    for (route, count) in [("weighted", 0), ("matched", 1), ("direct", 1)] {
        let line = format!(
            r#"tagship_requests_total{{model="churn",version="v1.1.0",route="{route}",outcome="answered"}} {count}"#
        );
        assert!(page.lines().any(|found| found == line), "{line} is not in\n{page}");
    }

    let unload = "/admin/models/churn/versions/v1.1.0?fence=2";
    assert_eq!(server.admin().await.send("DELETE", unload, b"").await.0, 409, "it has requests");
    drop(client);
    server.stop().await.unwrap();
    let server = start(at.path()).await;
    assert_eq!(server.status().await["routing"]["match"], told, "it is part of the state");
    let back = json!({ "fence": 3, "to": "v1.0.0" });
    assert_eq!(server.order("rollback", back.clone()).await["result"], "applied");
    assert_eq!(server.order("rollback", back).await["result"], "already-there");
    assert_eq!(server.status().await["routing"]["match"], Value::Null, "one order takes everything back");
    let mut client = server.client().await;
    client.header = Some(("x-cohort", "beta".to_owned()));
    assert_eq!(ask(&mut client, "later").await, "v1.0.0");
}

//! The page from outside: what it says, what it leaves open, and what is wrong with it.

use std::fs;

use serde_json::json;
use tagship_domain::traffic::{Histogram, ShadowCounters};

use super::*;
use crate::canned::Server;

const HEADS: &str = "\
# HELP tagship_requests_total Inference requests by version, route and how they ended.
# TYPE tagship_requests_total counter
# TYPE tagship_errors_total counter
# TYPE tagship_request_duration_seconds histogram
# TYPE tagship_feedback_total counter
# TYPE tagship_predicted_labels_total counter
# TYPE tagship_shadow_requests_total counter
# TYPE tagship_shadow_feedback_total counter
# TYPE tagship_shadow_inference_seconds histogram
# TYPE tagship_shadow_score_distance histogram
";

/// Everything that a page can say about a version.
const FULL: &str = r#"
tagship_requests_total{model="churn",version="v1.1.0",route="weighted",outcome="answered"} 7 1800000000000
tagship_requests_total{model="churn",version="v1.1.0",route="weighted",outcome="failed"} 3
tagship_requests_total{model="churn",version="v1.1.0",route="direct",outcome="answered"} 100
tagship_errors_total{model="churn",version="v1.1.0",route="weighted"} 3
tagship_errors_total{model="churn",version="v1.1.0",route="direct"} 50
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="weighted",le="0.0025"} 2
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="weighted",le="+Inf"} 10
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="weighted",le="0.1"} 9
tagship_request_duration_seconds_sum{model="churn",version="v1.1.0",route="weighted"} NaN
tagship_request_duration_seconds_count{model="churn",version="v1.1.0",route="weighted"} 10
tagship_feedback_total{model="churn",version="v1.1.0",route="weighted",outcome="correct"} 4
tagship_feedback_total{model="churn",version="v1.1.0",route="weighted",outcome="incorrect"} 1
tagship_feedback_total{model="churn",version="v1.1.0",route="direct",outcome="incorrect"} 1
tagship_predicted_labels_total{ model = "churn" , version="v1.1.0",label="a \"b\"\\\n}{,", } 6
tagship_predicted_labels_total{model="churn",version="v1.1.0",label="(other)"} 1e0
tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="agreed"} 20
tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="disagreed"} 5
tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="failed"} 2
tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="dropped"} 9
tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="both_right"} 8
tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="both_wrong"} 4
tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="only_stable_wrong"} 2
tagship_shadow_feedback_total{model="churn",version="v1.1.0",outcome="only_candidate_wrong"} 1
tagship_shadow_inference_seconds_bucket{model="churn",version="v1.1.0",of="original",le="0.0025"} 25
tagship_shadow_inference_seconds_bucket{model="churn",version="v1.1.0",of="original",le="+Inf"} 25
tagship_shadow_inference_seconds_bucket{model="churn",version="v1.1.0",of="shadow",le="0.0025"} 20
tagship_shadow_inference_seconds_bucket{model="churn",version="v1.1.0",of="shadow",le="+Inf"} 25
tagship_shadow_inference_seconds_count{model="churn",version="v1.1.0",of="shadow"} 25
tagship_shadow_score_distance_bucket{model="churn",version="v1.1.0",le="0.05"} 20
tagship_shadow_score_distance_bucket{model="churn",version="v1.1.0",le="0.5"} 24
tagship_shadow_score_distance_bucket{model="churn",version="v1.1.0",le="+Inf"} 25
tagship_shadow_score_distance_count{model="churn",version="v1.1.0"} 25
"#;

/// As little as a page can say about a version.
const LITTLE: &str = r#"
tagship_requests_total{model="churn",version="v1.0.0",route="weighted",outcome="answered"} 5
tagship_errors_total{model="churn",version="v1.0.0",route="weighted"} 0
"#;

fn read(text: &str) -> Result<BTreeMap<Version, Counters>, String> {
    let model = ModelName::new("churn").unwrap();
    let counters = text::parse(text).and_then(|page| counters::of(&page, &model));
    counters.map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    read(text).unwrap_err()
}

#[test]
fn everything_that_a_page_says_is_read() {
    let read = read(&format!("{HEADS}{FULL}")).unwrap();
    let expected = Counters {
        requests: 10,
        errors: 3,
        latency: Some(Histogram { bounds: vec![2.5, 100.0], counts: vec![2, 7, 1] }),
        correct: 4,
        incorrect: 1,
        classes: Some([("a \"b\"\\\n}{,".to_owned(), 6), ("(other)".to_owned(), 1)].into()),
        shadow: Some(ShadowCounters {
            compared: 25,
            disagreed: 5,
            labelled: 15,
            only_stable_wrong: 2,
            only_candidate_wrong: 1,
            failed: 2,
            latency: Some(Histogram { bounds: vec![2.5], counts: vec![20, 5] }),
            stable_latency: Some(Histogram { bounds: vec![2.5], counts: vec![25, 0] }),
            distances: Some(Histogram { bounds: vec![0.05, 0.5], counts: vec![20, 4, 1] }),
        }),
    };
    assert_eq!(read, [("v1.1.0".parse().unwrap(), expected)].into());
}

#[test]
fn requests_that_a_header_led_here_are_added_to_those_by_weight() {
    let matched = r#"
tagship_requests_total{model="churn",version="v1.1.0",route="matched",outcome="answered"} 90
tagship_errors_total{model="churn",version="v1.1.0",route="matched"} 2
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="matched",le="0.0025"} 80
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="matched",le="0.1"} 90
tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="matched",le="+Inf"} 90
tagship_feedback_total{model="churn",version="v1.1.0",route="matched",outcome="correct"} 6
tagship_feedback_total{model="churn",version="v1.1.0",route="matched",outcome="incorrect"} 9
"#;
    let counted = read(&format!("{HEADS}{FULL}{matched}")).unwrap().pop_first().unwrap().1;
    assert_eq!((counted.requests, counted.errors), (100, 5), "probes are no evidence");
    assert_eq!((counted.correct, counted.incorrect), (10, 10));
    assert_eq!(counted.latency.unwrap().counts, [82, 17, 1]);
    let other = matched.replace(r#"route="matched",le="0.1""#, r#"route="matched",le="0.2""#);
    assert!(refused(&format!("{HEADS}{FULL}{other}")).contains("differ between routes"));
}

#[test]
fn what_a_page_leaves_open_is_no_zero() {
    let known = read(&format!("{HEADS}{LITTLE}")).unwrap();
    let little = &known[&"v1.0.0".parse().unwrap()];
    assert_eq!(known.len(), 1, "a version without series is left out");
    assert_eq!((&little.latency, &little.classes, &little.shadow), (&None, &None, &None));
    let empty = LITTLE.replace("} 5", "} 0")
        + r#"tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="0.1"} 0
tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="+Inf"} 0
"#;
    let zero = read(&format!("{HEADS}{empty}")).unwrap();
    let latency = zero[&"v1.0.0".parse().unwrap()].latency.clone();
    assert_eq!(latency, Some(Histogram { bounds: vec![100.0], counts: vec![0, 0] }), "counted, nothing yet");
    assert_eq!(read(HEADS), Ok(BTreeMap::new()), "the server has no such model");
    assert_eq!(read(&format!("{HEADS}{}", LITTLE.replace("churn", "other"))), Ok(BTreeMap::new()));
    assert_eq!(refused(""), "it has no metric tagship_requests_total", "another server's page");
}

/// Replaces the one place of a whole page that matters.
#[track_caller]
fn damaged(from: &str, to: &str) -> String {
    let page = format!("{HEADS}{FULL}");
    assert!(page.contains(from), "{from}");
    refused(&page.replacen(from, to, 1))
}

#[test]
fn a_missing_series_is_named_and_never_taken_for_zero() {
    let without = |series: &str| {
        let page = format!("{HEADS}{FULL}");
        let kept: Vec<&str> = page.lines().filter(|line| !line.starts_with(series)).collect();
        refused(&(kept.join("\n") + "\n"))
    };
    for (series, reason) in [
        ("tagship_errors_total{", "churn v1.1.0: it has no series of tagship_errors_total for errors"),
        (
            r#"tagship_feedback_total{model="churn",version="v1.1.0",route="weighted",outcome="incorrect"#,
            "incorrect",
        ),
        (
            r#"tagship_shadow_requests_total{model="churn",version="v1.1.0",outcome="disagreed"#,
            "for disagreed",
        ),
        ("tagship_shadow_feedback_total{", "for the copies it answered"),
        (
            r#"tagship_request_duration_seconds_bucket{model="churn",version="v1.1.0",route="weighted",le="+Inf"#,
            "no bucket le=\"+Inf\"",
        ),
        ("# TYPE tagship_errors_total", "the type of tagship_errors_total is not declared"),
        ("# TYPE tagship_request_duration_seconds", "the type of tagship_request_duration_seconds is not"),
    ] {
        let error = without(series);
        assert!(error.contains(reason), "{series}: {error}");
    }
}

#[test]
fn a_series_that_says_nonsense_is_named_with_its_line() {
    for (from, to, reason) in [
        (
            "errors_total counter",
            "errors_total gauge",
            "line 3: tagship_errors_total is a gauge, and must be a counter",
        ),
        ("seconds histogram", "seconds counter", "line 4: tagship_request_duration_seconds is a counter"),
        (
            r#"route="weighted"} 3"#,
            r#"route="weighted"} NaN"#,
            "line 15: tagship_errors_total: NaN is no count",
        ),
        (
            r#"route="weighted"} 3"#,
            r#"route="weighted"} +Inf"#,
            "line 15: tagship_errors_total: inf is no count",
        ),
        (r#"route="weighted"} 3"#, r#"route="weighted"} -1"#, "-1 is no count"),
        (r#"route="weighted"} 3"#, r#"route="weighted"} 2.5"#, "2.5 is no count"),
        (r#"route="weighted"} 3"#, r#"route="weighted"} 1e300"#, "is no count"),
        (r#"route="weighted"} 3"#, r#"route="weighted"} 11"#, "11 errors in 10 requests"),
        (
            r#"le="0.1"} 9"#,
            r#"le="0.1"} 11"#,
            "line 18: tagship_request_duration_seconds_bucket: the bucket holds less",
        ),
        (r#"le="0.1"} 9"#, r#"le="fast"} 9"#, "\"fast\" is no bound"),
        (r#"le="0.1"} 9"#, r#"le="NaN"} 9"#, "\"NaN\" is no bound"),
        (r#"le="0.1"} 9"#, r#"le="2.5e-3"} 9"#, "not distinct"),
        (r#""weighted"} 10"#, r#""weighted"} 11"#, "the last bucket holds 10"),
        (r#",le="0.1"} 9"#, "} 9", "label le is missing"),
        (
            r#"version="v1.1.0",route="weighted",outcome="answered""#,
            r#"version="latest",route="weighted",outcome="answered""#,
            "churn latest",
        ),
        (r#",outcome="failed"} 3"#, "} 3", "label outcome is missing"),
    ] {
        let error = damaged(from, to);
        assert!(error.contains(reason), "{from} -> {to}: {error}");
    }
}

#[test]
fn a_line_that_is_no_text_format_is_named() {
    let labels = (0..=64).map(|number| format!("l{number}=\"\",")).collect::<Vec<_>>().concat();
    let many = format!("a{{{labels}}} 1\n");
    for (text, reason) in [
        ("a 1\nb{} 2", "line 2: the page ends in the middle of a line"),
        ("a 1\na 2\n", "line 2: the series of line 1 is here again"),
        ("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 1\n", "line 2: the series of line 1 is here again"),
        ("a{x=\"1\",x=\"1\"} 1\n", "label x is given twice"),
        ("a\n", "a has no value"),
        ("a one\n", "\"one\" is no number"),
        ("a 1 now\n", "\"now\" is no time"),
        ("a 1 2 3\n", "\"3\" stands after the sample"),
        ("1a 1\n", "\"1a\" is no name of a metric"),
        ("a{1x=\"\"} 1\n", "\"1x\" is no name of a label"),
        ("a{x:y=\"\"} 1\n", "\"x:y\" is no name of a label"),
        ("a{x=1} 1\n", "label x is not quoted"),
        ("a{x=\"1} 1\n", "the value of a label does not end"),
        ("a{x=\"1\" 1\n", "a comma or a closing brace is missing"),
        ("a{x=\"1\"y=\"2\"} 1\n", "a comma or a closing brace is missing"),
        ("a{x=\"\\t\"} 1\n", "is no escape"),
        ("a{x\n", "the labels do not end"),
        ("<html>\n", "no name of a metric"),
        ("# TYPE a\n", "a TYPE line names"),
        ("# TYPE a number\n", "\"number\" is no type"),
        ("# TYPE a counter\n# TYPE a counter\n", "line 2: the type of a was given in line 1"),
        (many.as_str(), "more than 64 labels"),
    ] {
        let error = refused(text);
        assert!(error.contains(reason), "{text:?}: {error}");
    }
    let others = "\n  # a comment\n#HELP x y\nup 1\nother{x=\"ü\"}\t-Inf 1800000000000\ngo:x 0x1 \n";
    assert!(refused(others).contains("line 6: \"0x1\" is no number"));
    let series = (0..=100_000).map(|number| format!("a{number} 1\n")).collect::<Vec<_>>().concat();
    assert_eq!(refused(&series), "line 100001: the page has more than 100000 series");
}

async fn ask(location: &str) -> Result<BTreeMap<Version, Counters>, PortError> {
    MetricsPage::new(location).unwrap().counters(&ModelName::new("churn").unwrap()).await
}

#[tokio::test]
async fn a_page_is_read_from_an_address() {
    let good = format!("{HEADS}{LITTLE}");
    let server = Server::with(vec![(200, good), (200, "a 1\nb".to_owned()), (403, String::new())]).await;
    let location = format!("{}/metrics?secret=1", server.url);
    assert_eq!(ask(&location).await.unwrap().len(), 1);
    assert_eq!(server.seen()[0].line, "GET /metrics?secret=1");
    let error = ask(&location).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
    let (text, place) =
        (error.to_string(), format!("read the metrics page {}/metrics: line 2: ", server.url));
    assert!(text.starts_with(&place), "{text}");
    assert_eq!(ask(&location).await.unwrap_err().problem, Problem::Denied);
    server.close().await;
    let error = ask(&location).await.unwrap_err();
    assert_eq!((error.problem, error.may_pass()), (Problem::Unreachable, true));
}

#[tokio::test]
async fn a_page_that_never_ends_is_given_up() {
    let server = Server::with(vec![(200, "#\n".repeat(MAX_PAGE / 2 + 1))]).await;
    let error = ask(&server.url).await.unwrap_err();
    assert_eq!(
        (error.problem, error.message.as_str()),
        (Problem::Invalid, "it is larger than 8388608 bytes")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Server::with(vec![(200, String::new())]).await;
    let server = Server::redirecting(&elsewhere.url).await;
    assert_eq!(ask(&server.url).await.unwrap_err().problem, Problem::Invalid);
    assert_eq!(elsewhere.seen().len(), 0);
}

#[tokio::test]
async fn a_page_is_read_from_a_file_below_the_repository() {
    let root = tempfile::tempdir().unwrap();
    let spec = |settings: Value| tagship_config::AdapterSpec {
        kind: "page".to_owned(),
        settings: settings.as_object().unwrap().clone(),
        location: None,
    };
    let open = |settings: Value| crate::metric_sources::open(&spec(settings), root.path());
    let model = ModelName::new("churn").unwrap();
    let source = open(json!({ "location": "metrics.txt" })).unwrap();
    assert_eq!(source.counters(&model).await.unwrap_err().problem, Problem::NotFound);
    fs::write(root.path().join("metrics.txt"), format!("{HEADS}{LITTLE}")).unwrap();
    assert_eq!(source.counters(&model).await.unwrap().len(), 1);
    fs::write(root.path().join("metrics.txt"), b"a 1\n\xff 2\n").unwrap();
    let error = source.counters(&model).await.unwrap_err();
    assert_eq!((error.problem, error.message.as_str()), (Problem::Invalid, "line 2: it is not UTF-8"));
    assert!(open(json!({ "location": "x", "url": "y" })).is_err_and(|error| error.message.contains("url")));
    let ftp = open(json!({ "location": "ftp://x" })).map(|_| ()).unwrap_err();
    assert_eq!(ftp.problem, Problem::Unsupported);
    let other = tagship_config::AdapterSpec { kind: "papyrus".to_owned(), ..spec(json!({})) };
    let other = crate::metric_sources::open(&other, root.path()).map(|_| ()).unwrap_err();
    assert!(other.to_string().contains("known kinds are page"), "{other}");
}

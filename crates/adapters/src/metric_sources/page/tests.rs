//! Pages as servers expose them, and pages that are none.

use std::fs;

use super::*;

const PAGE: &str = r#"
# HELP tagship_requests_total Inference requests.
# TYPE tagship_requests_total counter
tagship_requests_total{model="churn",version="v1.0.0",route="weighted",outcome="answered"} 90
tagship_requests_total{model="churn",version="v1.0.0",route="weighted",outcome="failed"} 10
tagship_requests_total{model="churn",version="v1.0.0",route="direct",outcome="answered"} 7
tagship_requests_total{model="other",version="v9.0.0",route="weighted",outcome="answered"} 1
tagship_errors_total{model="churn",version="v1.0.0",route="weighted"} 10
tagship_errors_total{model="churn",version="v1.0.0",route="direct"} 7
tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="0.1"} 60
tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="0.5"} 95
tagship_request_duration_seconds_bucket{model="churn",version="v1.0.0",route="weighted",le="+Inf"} 100
tagship_feedback_total{model="churn",version="v1.0.0",outcome="correct"} 40
tagship_feedback_total{model="churn",version="v1.0.0",outcome="incorrect"} 2
tagship_predicted_labels_total{model="churn",version="v1.0.0",label="stays"} 80
tagship_version_ready{model="churn",version="v1.1.0"} 1
up 1
"#;

fn read(page: &str) -> Result<BTreeMap<Version, Counters>, String> {
    counters(page, &"churn".parse().unwrap())
}

#[test]
fn traffic_is_counted_by_version_and_probes_are_not() {
    let expected = Counters {
        requests: 100,
        errors: 10,
        latency: Some(Histogram { bounds: vec![100.0, 500.0], counts: vec![60, 35, 5] }),
        correct: 40,
        incorrect: 2,
        classes: Some([("stays".to_owned(), 80)].into()),
        shadow: None,
    };
    assert_eq!(read(PAGE), Ok([("v1.0.0".parse().unwrap(), expected)].into()));
}

#[test]
fn a_version_that_is_not_counted_is_not_a_version_without_requests() {
    assert!(!read(PAGE).unwrap().contains_key(&"v1.1.0".parse().unwrap()));
    assert_eq!(read("up 1\n"), Ok(BTreeMap::new()));
}

#[test]
fn what_cannot_be_counted_is_an_error_with_its_line() {
    let with = |from: &str, to: &str| read(&PAGE.replacen(from, to, 1)).unwrap_err();
    assert!(
        with("\"answered\"} 90", "\"answered\"} NaN").starts_with("line 4: tagship_requests_total is NaN")
    );
    assert!(with("} 90", "} -1").contains("counts nothing"));
    assert!(with("} 90", "} 1.5").contains("counts nothing"));
    assert!(with("version=\"v1.0.0\"", "version=\"latest\"").contains("\"latest\" is no version"));
    assert!(with("le=\"+Inf\"", "le=\"1\"").contains("must be le=\"+Inf\""));
    assert!(with("} 95", "} 5").contains("do not ascend"));
    assert!(with("le=\"0.5\"", "le=\"wide\"").contains("no bound"));
    let errors = "tagship_errors_total{model=\"churn\",version=\"v1.0.0\",route=\"weighted\"} 10\n";
    assert!(with(errors, "").contains("no tagship_errors_total"));
    assert!(read("<html>not found</html>").unwrap_err().starts_with("line 1: "));
}

#[tokio::test]
async fn a_file_is_a_page_too() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("metrics.prom");
    let model = "churn".parse().unwrap();
    let source = MetricsPage::new(path.to_str().unwrap()).unwrap();
    assert_eq!(source.counters(&model).await.unwrap_err().problem, Problem::NotFound);
    fs::write(&path, PAGE).unwrap();
    assert_eq!(source.counters(&model).await.unwrap().len(), 1);
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert_eq!(source.counters(&model).await.unwrap_err().problem, Problem::Invalid);
}

#[tokio::test]
async fn a_dead_server_is_unreachable_and_no_address_is_refused() {
    let source = MetricsPage::new("http://127.0.0.1:9/metrics").unwrap();
    let error = source.counters(&"churn".parse().unwrap()).await.unwrap_err();
    assert_eq!(error.problem, Problem::Unreachable);
    assert!(error.to_string().contains("127.0.0.1:9"), "{error}");
    assert!(MetricsPage::new("http://").is_err());
}

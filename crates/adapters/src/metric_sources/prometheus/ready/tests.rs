//! What every set asks, whole; and what is refused.

use std::fmt::Write;

use serde_json::json;
use tagship_domain::{Version, analysis::MetricKind};
use tagship_ports::{Backend, Problem};

use super::{
    super::query::{Arm, Query},
    *,
};
use crate::metric_sources::tests::open_tally;

fn filled(set: &ReadyQueries, backend: &Backend) -> Vec<(&'static str, String)> {
    let version: Version = "v1.4.0".parse().unwrap();
    let arm = Arm { version: &version, backend: Some(backend) };
    let fill = |(key, query): (&'static str, String)| (key, Query::new(&query).unwrap().about(&arm).unwrap());
    set.queries().into_iter().map(fill).collect()
}

/// The queries of a set, a line each and a line for each part.
fn written(name: &str, backend: &str) -> String {
    let backend = Backend { namespace: "ml".to_owned(), name: backend.to_owned() };
    let mut text = String::new();
    for (key, query) in filled(find(name).unwrap(), &backend) {
        writeln!(text, "{key}: {}", query.replace(" or ", "\n    or ")).unwrap();
    }
    text
}

#[test]
fn istio_is_asked_by_service_or_by_pod() {
    assert_eq!(
        written("istio", "churn-3f2a9c41"),
        r#"bad: istio_requests_total{reporter="source",destination_service_namespace="ml",destination_service_name="churn-3f2a9c41",response_code=~"5.."}
    or 0 * istio_requests_total{reporter="source",destination_service_namespace="ml",destination_service_name="churn-3f2a9c41"}
    or 0 * count(istio_requests_total{reporter="source"})
total: istio_requests_total{reporter="source",destination_service_namespace="ml",destination_service_name="churn-3f2a9c41"}
    or 0 * count(istio_requests_total{reporter="source"})
buckets: istio_request_duration_milliseconds_bucket{reporter="source",destination_service_namespace="ml",destination_service_name="churn-3f2a9c41"}
    or 0 * count by (le) (istio_request_duration_milliseconds_bucket{reporter="source"})
"#
    );
    assert_eq!(
        written("istio-pods", "churn-7d4b9c6f5"),
        r#"bad: istio_requests_total{reporter="destination",namespace="ml",pod=~"churn-7d4b9c6f5-[a-z0-9-]+",response_code=~"5.."}
    or 0 * istio_requests_total{reporter="destination",namespace="ml",pod=~"churn-7d4b9c6f5-[a-z0-9-]+"}
    or 0 * count(istio_requests_total{reporter="destination"})
total: istio_requests_total{reporter="destination",namespace="ml",pod=~"churn-7d4b9c6f5-[a-z0-9-]+"}
    or 0 * count(istio_requests_total{reporter="destination"})
buckets: istio_request_duration_milliseconds_bucket{reporter="destination",namespace="ml",pod=~"churn-7d4b9c6f5-[a-z0-9-]+"}
    or 0 * count by (le) (istio_request_duration_milliseconds_bucket{reporter="destination"})
"#
    );
}

#[test]
fn knative_is_asked_by_revision() {
    assert_eq!(
        written("knative", "churn-predictor-00002"),
        r#"bad: kn_serving_invocation_duration_seconds_count{k8s_namespace_name="ml",kn_revision_name="churn-predictor-00002",http_response_status_code=~"5.."}
    or kn_serving_invocation_duration_seconds_count{kn_revision_name="",namespace="ml",pod=~"churn-predictor-00002-deployment-[a-z0-9-]+",http_response_status_code=~"5.."}
    or 0 * kn_serving_invocation_duration_seconds_count{k8s_namespace_name="ml",kn_revision_name="churn-predictor-00002"}
    or 0 * kn_serving_invocation_duration_seconds_count{kn_revision_name="",namespace="ml",pod=~"churn-predictor-00002-deployment-[a-z0-9-]+"}
    or 0 * count(kn_serving_invocation_duration_seconds_count)
total: kn_serving_invocation_duration_seconds_count{k8s_namespace_name="ml",kn_revision_name="churn-predictor-00002"}
    or kn_serving_invocation_duration_seconds_count{kn_revision_name="",namespace="ml",pod=~"churn-predictor-00002-deployment-[a-z0-9-]+"}
    or 0 * count(kn_serving_invocation_duration_seconds_count)
buckets: kn_serving_invocation_duration_seconds_bucket{k8s_namespace_name="ml",kn_revision_name="churn-predictor-00002"}
    or kn_serving_invocation_duration_seconds_bucket{kn_revision_name="",namespace="ml",pod=~"churn-predictor-00002-deployment-[a-z0-9-]+"}
    or 0 * count by (le) (kn_serving_invocation_duration_seconds_bucket)
"#
    );
    assert_eq!(
        written("knative-opencensus", "churn-predictor-00002"),
        r#"bad: revision_app_request_count{namespace_name="ml",revision_name="churn-predictor-00002",response_code_class="5xx"}
    or 0 * revision_app_request_count{namespace_name="ml",revision_name="churn-predictor-00002"}
    or 0 * count(revision_app_request_count)
total: revision_app_request_count{namespace_name="ml",revision_name="churn-predictor-00002"}
    or 0 * count(revision_app_request_count)
buckets: revision_app_request_latencies_bucket{namespace_name="ml",revision_name="churn-predictor-00002"}
    or 0 * count by (le) (revision_app_request_latencies_bucket)
"#
    );
}

#[test]
fn servers_and_nginx_have_what_they_count() {
    assert_eq!(
        written("kserve-python", "churn-predictor"),
        r#"buckets: request_predict_seconds_bucket{namespace="ml",pod=~"churn-predictor-[a-z0-9-]+"}
    or 0 * count by (le) (request_predict_seconds_bucket)
"#
    );
    assert_eq!(
        written("nginx-gateway-fabric-plus", "churn-3f2a9c41"),
        r#"bad: nginx_http_upstream_peer_responses_total{nginx_upstream_name="ml_churn-3f2a9c41_80",nginx_status_range="5xx"}
    or nginx_http_upstream_peer_fails_attempts_total{nginx_upstream_name="ml_churn-3f2a9c41_80"}
    or 0 * nginx_http_upstream_peer_requests_total{nginx_upstream_name="ml_churn-3f2a9c41_80"}
    or 0 * count(nginx_http_upstream_peer_requests_total)
total: nginx_http_upstream_peer_requests_total{nginx_upstream_name="ml_churn-3f2a9c41_80"}
    or 0 * count(nginx_http_upstream_peer_requests_total)
"#
    );
}

#[test]
fn the_guide_lists_them() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let rows: Vec<String> = READY_QUERIES
        .iter()
        .map(|set| {
            let kinds =
                [MetricKind::ErrorRatio, MetricKind::Latency].into_iter().filter(|kind| set.fits(*kind));
            let kinds: Vec<&str> = kinds.map(MetricKind::as_str).collect();
            format!("| `{}` | {} | {} | {} |", set.name, quoted(&kinds), quoted(set.targets), set.program)
        })
        .collect();
    let table = rows.join("\n");
    assert!(guide.contains(&format!("|---|---|---|---|\n{table}\n\n")), "docs/metrics.md must hold\n{table}");
}

#[test]
fn every_set_takes_any_name_as_text() {
    let hostile = Backend { namespace: "a\"b".to_owned(), name: "x\"} or hostile{z=\".*".to_owned() };
    for set in READY_QUERIES {
        assert!(!set.sources.is_empty() && !set.targets.is_empty(), "{}", set.name);
        assert_eq!(set.counts().is_some(), set.fits(MetricKind::ErrorRatio));
        assert_eq!(set.buckets().is_some(), set.fits(MetricKind::Latency));
        for (key, query) in filled(set, &hostile) {
            assert!(!query.contains("{{"), "{} {key}: {query}", set.name);
            let literals = query.replace("\\\\", "").replace("\\\"", "");
            let mut outside = literals.split('"').step_by(2);
            assert!(outside.all(|text| !text.contains("hostile")), "{} {key}: {query}", set.name);
        }
    }
}

#[test]
fn what_a_set_does_not_have_is_refused_with_what_does() {
    let refused = |kind, mut settings: serde_json::Value| {
        settings["url"] = json!("https://prometheus.example");
        let Err(error) = open_tally("prometheus", kind, settings, std::path::Path::new(".")) else {
            panic!("it is opened")
        };
        assert_eq!(error.problem, Problem::Invalid);
        error.to_string()
    };
    for (kind, settings, words) in [
        (
            MetricKind::ErrorRatio,
            json!({ "queries": "istioo" }),
            "known names are istio, istio-pods, knative",
        ),
        (MetricKind::ErrorRatio, json!({ "queries": "kserve-python" }), "has no queries for error-ratio"),
        (MetricKind::ErrorRatio, json!({ "queries": "kserve-python" }), "queries for error-ratio have istio"),
        (
            MetricKind::Latency,
            json!({ "queries": "nginx-gateway-fabric-plus" }),
            "has no queries for latency",
        ),
        (MetricKind::LabelledAccuracy, json!({ "queries": "istio" }), "write queries of your own"),
        (MetricKind::ErrorRatio, json!({ "queries": "istio", "bad": "x" }), "stands without `bad`"),
        (MetricKind::Latency, json!({ "queries": "istio", "unit": "seconds" }), "stands without `unit`"),
    ] {
        let error = refused(kind, settings);
        assert!(error.contains(words), "{error}");
    }
}

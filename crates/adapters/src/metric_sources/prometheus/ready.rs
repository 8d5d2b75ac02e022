//! Ready-made queries, by the program whose series they ask for.
//!
//! A set is here only where its source says that the series tell versions apart by a name that a target gives them. Programs
//! write a series with its first event; `0 *` of series that are there says that none means zero, so that a version without
//! requests has zeros once the program reports any other, and a server that never scraped the program has nothing.
//!
//! Not here, because no series tells backends apart: Envoy Gateway, which has one cluster per rule of a route
//! (envoyproxy/gateway#6742, #7008), and nginx Gateway Fabric without NGINX Plus, which counts the requests of all servers
//! together (<https://docs.nginx.com/nginx-gateway-fabric/monitoring/prometheus/>).

use tagship_domain::analysis::MetricKind;

use super::Unit;

/// Queries for the series of one program.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReadyQueries {
    /// By which it is chosen.
    pub name: &'static str,
    /// The program, and what it takes to have its series.
    pub program: &'static str,
    /// The targets whose versions it tells apart.
    pub targets: &'static [&'static str],
    /// What says that series and labels are these.
    pub sources: &'static [&'static str],
    /// Matchers of one version, each of them for another way to the server.
    version: &'static [&'static str],
    /// Matchers of everything that the program reports of this kind.
    all: &'static str,
    counter: Option<Counter>,
    buckets: Option<(&'static str, Unit)>,
}

/// Counters of requests.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Counter {
    total: &'static str,
    /// Series of bad ones, and what else they must match.
    bad: &'static [(&'static str, &'static str)],
}

impl ReadyQueries {
    /// Counter of bad requests, and of all; nothing where the program counts none.
    pub(super) fn counts(&self) -> Option<(String, String)> {
        let Counter { total, bad } = self.counter?;
        let none = format!("0 * count({})", selected(total, self.all, ""));
        let totals = self.of_version(total, "");
        let bad = bad.iter().flat_map(|(series, matchers)| self.of_version(series, matchers));
        let good = totals.iter().map(|series| format!("0 * {series}"));
        let bad: Vec<String> = bad.chain(good).chain([none.clone()]).collect();
        let total: Vec<String> = totals.iter().cloned().chain([none]).collect();
        Some((bad.join(" or "), total.join(" or ")))
    }

    /// Cumulative buckets of durations, and what their bounds count; nothing where the program has none.
    pub(super) fn buckets(&self) -> Option<(String, Unit)> {
        let (series, unit) = self.buckets?;
        let mut buckets = self.of_version(series, "");
        buckets.push(format!("0 * count by (le) ({})", selected(series, self.all, "")));
        Some((buckets.join(" or "), unit))
    }

    /// The queries by the keys that they stand for: `bad` and `total`, `buckets`.
    pub fn queries(&self) -> Vec<(&'static str, String)> {
        let counts = self.counts().into_iter().flat_map(|(bad, total)| [("bad", bad), ("total", total)]);
        counts.chain(self.buckets().map(|(buckets, _)| ("buckets", buckets))).collect()
    }

    /// Whether it has the queries that a kind of metric needs.
    pub fn fits(&self, kind: MetricKind) -> bool {
        match kind {
            MetricKind::ErrorRatio => self.counter.is_some(),
            MetricKind::Latency => self.buckets.is_some(),
            _ => false,
        }
    }

    fn of_version(&self, series: &str, matchers: &str) -> Vec<String> {
        self.version.iter().map(|version| selected(series, version, matchers)).collect()
    }
}

/// Those of some series that match all.
fn selected(series: &str, first: &str, second: &str) -> String {
    match (first, second) {
        ("", "") => series.to_owned(),
        (matchers, "") | ("", matchers) => format!("{series}{{{matchers}}}"),
        (first, second) => format!("{series}{{{first},{second}}}"),
    }
}

/// The set of this name.
pub(super) fn find(name: &str) -> Option<&'static ReadyQueries> {
    READY_QUERIES.iter().find(|set| set.name == name)
}

const POD: &str = r#"namespace="{{namespace}}",pod=~"{{backend}}-[a-z0-9-]+""#;
const ISTIO_COUNTER: Counter =
    Counter { total: "istio_requests_total", bad: &[("istio_requests_total", r#"response_code=~"5..""#)] };
const ISTIO_BUCKETS: (&str, Unit) = ("istio_request_duration_milliseconds_bucket", Unit::Milliseconds);
const ISTIO_METRICS: &str = "https://istio.io/latest/docs/reference/config/metrics/";

/// Every set. A further one is one more entry.
pub const READY_QUERIES: &[ReadyQueries] = &[
    ReadyQueries {
        name: "istio",
        program: "Istio as the gateway: what it reports by Service",
        targets: &["gateway-api", "kserve"],
        sources: &[ISTIO_METRICS],
        version: &[
            r#"reporter="source",destination_service_namespace="{{namespace}}",destination_service_name="{{backend}}""#,
        ],
        all: r#"reporter="source""#,
        counter: Some(ISTIO_COUNTER),
        buckets: Some(ISTIO_BUCKETS),
    },
    ReadyQueries {
        name: "istio-pods",
        program: "Istio as a proxy beside each pod, scraped with the labels `namespace` and `pod`",
        targets: &["gateway-api", "kserve", "argo-rollouts"],
        sources: &[
            ISTIO_METRICS,
            "https://github.com/istio/istio/blob/master/samples/addons/prometheus.yaml",
        ],
        version: &[r#"reporter="destination",namespace="{{namespace}}",pod=~"{{backend}}-[a-z0-9-]+""#],
        all: r#"reporter="destination""#,
        counter: Some(ISTIO_COUNTER),
        buckets: Some(ISTIO_BUCKETS),
    },
    ReadyQueries {
        name: "knative",
        program: "Knative 1.19 and newer: its queue-proxy, pushed with OTLP, or scraped with the labels `namespace` and `pod`",
        targets: &["kserve"],
        sources: &[
            "https://knative.dev/docs/serving/observability/metrics/serving-metrics/",
            "https://github.com/knative/pkg/blob/main/observability/metrics/prometheus_enabled.go",
        ],
        // Pushed attributes of a pod become labels; of a scrape they stay in `target_info`.
        version: &[
            r#"k8s_namespace_name="{{namespace}}",kn_revision_name="{{backend}}""#,
            r#"kn_revision_name="",namespace="{{namespace}}",pod=~"{{backend}}-deployment-[a-z0-9-]+""#,
        ],
        all: "",
        counter: Some(Counter {
            total: "kn_serving_invocation_duration_seconds_count",
            bad: &[("kn_serving_invocation_duration_seconds_count", r#"http_response_status_code=~"5..""#)],
        }),
        buckets: Some(("kn_serving_invocation_duration_seconds_bucket", Unit::Seconds)),
    },
    ReadyQueries {
        name: "knative-opencensus",
        program: "Knative up to 1.18: its queue-proxy, with `metrics.request-metrics-backend-destination: prometheus`",
        targets: &["kserve"],
        sources: &["https://knative.dev/development/serving/services/service-metrics/"],
        version: &[r#"namespace_name="{{namespace}}",revision_name="{{backend}}""#],
        all: "",
        counter: Some(Counter {
            total: "revision_app_request_count",
            bad: &[("revision_app_request_count", r#"response_code_class="5xx""#)],
        }),
        buckets: Some(("revision_app_request_latencies_bucket", Unit::Milliseconds)),
    },
    ReadyQueries {
        name: "kserve-python",
        program: "The Python servers of KServe (scikit-learn, XGBoost, LightGBM, PMML, Paddle), scraped with the labels \
                  `namespace` and `pod`: how long a prediction takes; they count no errors",
        targets: &["kserve", "gateway-api", "argo-rollouts"],
        sources: &[
            "https://kserve.github.io/website/docs/model-serving/predictive-inference/observability/prometheus-metrics",
        ],
        version: &[POD],
        all: "",
        counter: None,
        buckets: Some(("request_predict_seconds_bucket", Unit::Seconds)),
    },
    ReadyQueries {
        name: "nginx-gateway-fabric-plus",
        program: "nginx Gateway Fabric 2 with NGINX Plus: answers and failed attempts by upstream; it has no buckets",
        targets: &["gateway-api"],
        sources: &[
            "https://docs.nginx.com/nginx-gateway-fabric/monitoring/prometheus/",
            "https://github.com/nginx/nginx-gateway-fabric (`BaseServicePortKey`: namespace, Service and port)",
            "https://github.com/nginx/agent (`nginx.upstream.name`, `nginx.status_range`)",
        ],
        version: &[r#"nginx_upstream_name="{{namespace}}_{{backend}}_80""#],
        all: "",
        counter: Some(Counter {
            total: "nginx_http_upstream_peer_requests_total",
            bad: &[
                ("nginx_http_upstream_peer_responses_total", r#"nginx_status_range="5xx""#),
                ("nginx_http_upstream_peer_fails_attempts_total", ""),
            ],
        }),
        buckets: None,
    },
];

#[cfg(test)]
mod tests;

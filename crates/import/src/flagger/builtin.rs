//! The two metrics that are built in there, as queries over the metrics that routers are known to write.

/// What a query is about.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) target: String,
    pub(super) service: String,
    pub(super) ingress: String,
    pub(super) interval: String,
}

/// The share of good answers in percent; nothing for a router whose metrics are not known here.
pub(super) fn success_rate(provider: &str, of: &Subject) -> Option<String> {
    let (counter, labels, good) = requests(provider, of)?;
    let rate = |labels: &str| format!("sum(rate({counter}{{{labels}}}[{}]))", of.interval);
    Some(format!("{} / {} * 100", rate(&format!("{labels},{good}")), rate(&labels)))
}

/// The 99th percentile of the time of an answer in milliseconds, or its mean where a router writes no more.
pub(super) fn duration(provider: &str, of: &Subject) -> Option<String> {
    let (_, labels, _) = requests(provider, of)?;
    let interval = &of.interval;
    if provider == "nginx" {
        let rate = |part: &str| {
            format!(
                "sum(rate(nginx_ingress_controller_ingress_upstream_latency_seconds_{part}{{{labels}}}[{interval}]))"
            )
        };
        return Some(format!("{} / {} * 1000", rate("sum"), rate("count")));
    }
    let buckets = if provider == "linkerd" {
        "response_latency_ms_bucket"
    } else {
        "istio_request_duration_milliseconds_bucket"
    };
    Some(format!("histogram_quantile(0.99, sum by (le) (rate({buckets}{{{labels}}}[{interval}])))"))
}

/// A counter of requests, the labels of those to the candidate, and the label of the good ones.
fn requests(provider: &str, of: &Subject) -> Option<(&'static str, String, &'static str)> {
    let (namespace, target) = (&of.namespace, &of.target);
    Some(match provider {
        "istio" => (
            "istio_requests_total",
            format!(
                "reporter=\"destination\",destination_workload_namespace=\"{namespace}\",destination_workload=\"{target}\""
            ),
            "response_code!~\"5.*\"",
        ),
        "linkerd" => (
            "response_total",
            format!("namespace=\"{namespace}\",deployment=\"{target}\",direction=\"inbound\""),
            "classification!=\"failure\"",
        ),
        "nginx" => (
            "nginx_ingress_controller_requests",
            format!("namespace=\"{namespace}\",ingress=\"{}\",canary!=\"\"", of.ingress),
            "status!~\"5.*\"",
        ),
        _ => return None,
    })
}

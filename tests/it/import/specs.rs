//! Specifications with the fields and values that the documentation of both systems shows.

/// A canary of Argo Rollouts with these steps, and a template `success-rate` with these fields of its one metric.
pub(super) fn argo_canary(steps: &str, background: &str, metric: &str) -> String {
    format!(
        r#"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{ name: scorer, namespace: ml }}
spec:
  strategy:
    canary:
      trafficRouting: {{ istio: {{ virtualService: {{ name: scorer }} }} }}
      {background}
      steps: {steps}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {{ name: success-rate }}
spec:
  args: [ {{ name: service-name }} ]
  metrics:
    - name: success-rate
      {metric}
      provider:
        prometheus:
          address: http://prometheus.example.com:9090
          query: |
            sum(irate(istio_requests_total{{destination_service=~"{{{{args.service-name}}}}",response_code!~"5.*"}}[5m])) /
            sum(irate(istio_requests_total{{destination_service=~"{{{{args.service-name}}}}"}}[5m]))
"#
    )
}

/// How the rollout names the template.
pub(super) const USED: &str = "{ templates: [{ templateName: success-rate }], args: [{ name: service-name, value: scorer-canary.ml.svc }] }";

/// Blue-green of Argo Rollouts with analyses on both sides of the switch.
pub(super) fn argo_blue_green(fields: &str, metric: &str) -> String {
    let canary = argo_canary("[]", "", metric);
    let (_, templates) = canary.split_once("---").unwrap();
    format!(
        r"
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {{ name: scorer }}
spec:
  strategy:
    blueGreen:
      activeService: scorer-active
      previewService: scorer-preview
      {fields}
---{templates}"
    )
}

/// A canary of Flagger with these fields of its analysis.
pub(super) fn flagger(analysis: &str) -> String {
    format!(
        r"
apiVersion: flagger.app/v1beta1
kind: Canary
metadata: {{ name: scorer, namespace: test }}
spec:
  provider: istio
  metricsServer: http://prometheus.example.com:9090
  targetRef: {{ apiVersion: apps/v1, kind: Deployment, name: scorer }}
  progressDeadlineSeconds: 60
  service: {{ port: 9898 }}
  analysis:
    {analysis}
"
    )
}

/// The success rate that is built in there.
pub(super) const RATE: &str = "{ name: request-success-rate, thresholdRange: { min: 99 }, interval: 1m }";
/// The latency that is built in there.
pub(super) const LATENCY: &str = "{ name: request-duration, thresholdRange: { max: 500 }, interval: 30s }";

//! What is imported can be asked: every source opens with its settings, and every condition is one.

use std::path::Path;

use tagship_adapters::metric_sources::open_own;
use tagship_domain::analysis::MetricKind;
use tagship_import::System;
use tagship_rollout::analysis::check_conditions;

use super::{
    specs::{LATENCY, RATE, USED, argo_canary, flagger},
    walk::{environment, imported},
};

#[test]
fn every_source_opens_and_every_condition_is_read() {
    let step = format!("[{{ setWeight: 20 }}, {{ analysis: {USED} }}]");
    let condition =
        "interval: 1m\n      count: 3\n      successCondition: 'all(result, # >= 0.95) && !isNaN(result[0])'";
    let web = r#"
    - name: web
      count: 1
      successCondition: result.healthy == true && result.rate > 0.5
      provider: { web: { url: "http://w/{{args.service-name}}", headers: [{ key: x-plain, value: "1" }], jsonPath: "{$.data}", timeoutSeconds: 9 } }
    - name: dog
      count: 1
      successCondition: default(result, 0) < 0.01
      provider: { datadog: { query: "avg:errors{*}" } }
"#;
    let argo = argo_canary(&step, "", condition) + web;
    let of = |provider: &str| {
        let analysis = format!(
            "interval: 1m\n    threshold: 5\n    maxWeight: 50\n    stepWeight: 10\n    metrics: [{RATE}, {LATENCY}]"
        );
        flagger(&analysis).replace("provider: istio", &format!("provider: {provider}"))
    };
    let specs = [
        (System::Argo, argo, 3),
        (System::Flagger, of("istio"), 2),
        (System::Flagger, of("linkerd"), 2),
        (System::Flagger, of("nginx"), 2),
    ];
    for (system, text, count) in specs {
        let environment = environment(&imported(system, &text));
        assert_eq!(environment.sources.len(), count, "{text}");
        for (name, source) in &environment.sources {
            open_own(source, MetricKind::Value, Path::new("."), &|_| Some("secret".to_owned()), None)
                .unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        for metric in &environment.analysis.unwrap().metrics {
            check_conditions(metric).unwrap();
        }
    }
}

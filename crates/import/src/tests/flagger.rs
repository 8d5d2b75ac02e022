//! Details of Flagger.

use tagship_domain::{analysis::OnNoData, notice::NoticeKind, plan::Strategy};

use super::{environment, noted, read};
use crate::System;

fn canary(spec: &str, analysis: &str) -> String {
    format!(
        "kind: Canary\nmetadata: {{ name: c, namespace: ml }}\nspec:\n  targetRef: {{ kind: Deployment, name: scorer }}\n  {spec}\n  analysis: \
         {{ interval: 1m, threshold: 5, maxWeight: 50, stepWeight: 25, {analysis} }}\n"
    )
}

#[test]
fn a_template_is_filled_and_its_range_kept() {
    let template = "---\nkind: MetricTemplate\nmetadata: { name: t }\nspec:\n  provider: { type: prometheus, address: 'http://q:9090', secretRef: { name: s } }\n  \
                    query: |\n    100 - sum(rate(x{namespace=\"{{ namespace }}\",app=\"{{ target }}\",k=\"{{ variables.k }}\"}[{{ interval }}]))\n    / 2\n";
    let metrics = "metrics: [{ name: not-found, templateRef: { name: t }, templateVariables: { k: v }, thresholdRange: { min: 1, max: 5.5 }, interval: 2m }]";
    let imported = read(System::Flagger, &format!("{}{template}", canary("", metrics))).unwrap();
    let environment = environment(&imported);
    let analysis = environment.analysis.unwrap();
    let [metric] = analysis.metrics.as_slice() else { panic!() };
    let threshold = metric.threshold.as_ref().unwrap();
    assert_eq!(threshold.success.as_deref(), Some("result >= 1 && result <= 5.5"));
    // Two checks have to pass, and four may fail.
    assert_eq!((threshold.count, metric.failure_limit, metric.on_no_data), (Some(6), 4, OnNoData::Fail));
    let settings = &environment.sources["not-found"].settings;
    assert_eq!(settings["query"], "100 - sum(rate(x{namespace=\"ml\",app=\"scorer\",k=\"v\"}[2m])) / 2");
    assert_eq!(settings["url"], "http://q:9090");
    noted(&imported, "MetricTemplate/t spec.provider.secretRef", "token-env");
    noted(&imported, "spec.analysis.threshold", "`failure-limit: 4` tolerates one less");
}

#[test]
fn what_cannot_be_asked_leaves_it_to_a_person() {
    let template = |provider: &str, query: &str| {
        format!(
            "---\nkind: MetricTemplate\nmetadata: {{ name: t }}\nspec:\n  provider: {provider}\n  query: '{query}'\n"
        )
    };
    let metric = |more: &str| format!("metrics: [{{ name: m, templateRef: {{ name: t }}, {more} }}]");
    for (spec, analysis, template, why) in [
        (
            "",
            metric("thresholdRange: { max: 1 }"),
            template("{ type: graphite, address: a }", "q"),
            "`graphite` has no counterpart",
        ),
        ("", metric("thresholdRange: { max: 1 }"), template("{ type: prometheus }", "q"), "no address"),
        (
            "",
            metric("thresholdRange: { max: 1 }"),
            template("{ type: prometheus, address: 'http://p', headers: { a: [b] } }", "q"),
            "headers",
        ),
        (
            "",
            metric("thresholdRange: { max: 1 }"),
            template("{ type: prometheus, address: 'http://p' }", "{{ gone }}"),
            "{{ gone }}",
        ),
        (
            "",
            metric("thresholdRange: {}"),
            template("{ type: prometheus, address: 'http://p' }", "q"),
            "every value is good",
        ),
        (
            "",
            metric("thresholdRange: { min: 2, max: 1 }"),
            template("{ type: prometheus, address: 'http://p' }", "q"),
            "no value is within",
        ),
        (
            "",
            "metrics: [{ name: request-duration, query: q, thresholdRange: { max: 1 } }]".to_owned(),
            String::new(),
            "several ways",
        ),
        (
            "provider: traefik",
            "metrics: [{ name: request-success-rate, thresholdRange: { min: 99 } }]".to_owned(),
            String::new(),
            "`traefik`",
        ),
    ] {
        let imported = read(System::Flagger, &format!("{}{template}", canary(spec, &analysis))).unwrap();
        noted(&imported, "spec.analysis.metrics[0]", why);
        assert!(environment(&imported).analysis.is_none(), "{analysis}");
        assert!(imported.config.contains("{ pause: {} }"), "{}", imported.config);
    }
}

#[test]
fn analysis_that_is_skipped_is_skipped_here() {
    let imported =
        read(System::Flagger, &canary("skipAnalysis: true", "metrics: [{ name: request-duration }]"))
            .unwrap();
    let environment = environment(&imported);
    assert_eq!((environment.strategy, environment.analysis), (Strategy::AllAtOnce, None));
    noted(&imported, "spec.analysis", "nothing of the analysis is carried over");
}

#[test]
fn whoever_was_told_is_told() {
    let provider = "---\nkind: AlertProvider\nmetadata: { name: on-call }\nspec: { type: slack, channel: general, secretRef: { name: s } }\n";
    let alerts = "alerts: [{ name: a, severity: error, providerRef: { name: on-call } }], webhooks: [{ name: events, type: event, url: 'http://e/' }]";
    let imported = read(System::Flagger, &format!("{}{provider}", canary("", alerts))).unwrap();
    let notify = environment(&imported).notify;
    let kinds: Vec<&str> = notify.iter().map(|one| one.notifier.kind.as_str()).collect();
    assert_eq!(kinds, ["webhook", "slack"]);
    assert_eq!(notify[0].notifier.settings["url-env"], "EVENTS_URL");
    assert_eq!(
        (notify[1].notifier.settings["webhook-env"].as_str(), notify[1].on.as_slice()),
        (Some("ON_CALL_URL"), &[NoticeKind::Rollback][..])
    );
    noted(&imported, "AlertProvider/on-call spec.channel", "the address says where it goes");
}

#[test]
fn a_provider_without_shares_is_blue_green() {
    let imported = read(System::Flagger, &canary("provider: kubernetes", "metrics: []")).unwrap();
    let strategy = environment(&imported).strategy;
    assert!(
        matches!(strategy, Strategy::BlueGreen { preview, auto_promote: true, .. } if preview.to_string() == "10m"),
        "{strategy:?}"
    );
    noted(&imported, "spec.analysis", "shares no traffic");
}

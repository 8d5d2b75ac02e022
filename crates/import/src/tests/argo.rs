//! Details of Argo Rollouts.

use serde_json::json;
use tagship_domain::{
    analysis::OnNoData,
    plan::{Step, Strategy},
};

use super::{environment, noted, read};
use crate::System;

fn with(steps: &str, template: &str) -> String {
    format!(
        "kind: Rollout\nmetadata: {{ name: r, namespace: ml }}\nspec:\n  strategy:\n    canary:\n      trafficRouting: {{ nginx: {{}} }}\n      \
         steps: {steps}\n---\nkind: AnalysisTemplate\nmetadata: {{ name: t }}\nspec: {template}\n"
    )
}

const STEPS: &str = "[{ setWeight: 10 }, { analysis: { templates: [{ templateName: t }], args: [{ name: svc, value: canary }] } }]";

fn metric(fields: &str) -> String {
    with(STEPS, &format!("{{ args: [{{ name: svc }}], metrics: [{{ name: rate, {fields} }}] }}"))
}

#[test]
fn a_metric_is_carried_over_with_its_limits() {
    let text = metric(
        "interval: 30s, count: 4, initialDelay: 1m, successCondition: 'result[0] >= 0.95', failureLimit: 3, inconclusiveLimit: 2, \
         consecutiveErrorLimit: 1, provider: { prometheus: { address: 'http://p:9090', timeout: 7, query: 'x{svc=\"{{args.svc}}\"}' } }",
    );
    let imported = read(System::Argo, &text).unwrap();
    let environment = environment(&imported);
    let analysis = environment.analysis.unwrap();
    let [metric] = analysis.metrics.as_slice() else { panic!() };
    let threshold = metric.threshold.as_ref().unwrap();
    assert_eq!((threshold.success.as_deref(), threshold.count), (Some("result >= 0.95"), Some(4)));
    assert_eq!((metric.failure_limit, metric.inconclusive_limit, metric.consecutive_error_limit), (3, 2, 1));
    assert_eq!((metric.on_no_data, analysis.interval.to_string().as_str()), (OnNoData::Fail, "30s"));
    let source = &environment.sources["rate"];
    assert_eq!(source.settings["query"], "x{svc=\"canary\"}");
    assert_eq!(
        (&source.settings["url"], &source.settings["timeout"]),
        (&json!("http://p:9090"), &json!("7s"))
    );
    let Strategy::Canary { steps } = environment.strategy else { panic!() };
    assert!(matches!(steps[1], Step::Pause(Some(length)) if length.to_string() == "3m"), "{steps:?}");
    noted(&imported, "metrics[0].initialDelay", "and not after 1m");
    noted(&imported, "metrics[0].failureLimit", "3 failed looks are tolerated and the next one ends it");
}

#[test]
fn what_no_value_means_follows_from_the_conditions() {
    for (condition, on_no_data) in [
        ("successCondition: 'result[0] > 1'", OnNoData::Fail),
        ("failureCondition: 'result[0] > 1'", OnNoData::Wait),
        ("successCondition: 'isNaN(result[0]) || result[0] > 1'", OnNoData::Wait),
        ("successCondition: 'result[0] > 1', failureCondition: 'result[0] < 0'", OnNoData::Inconclusive),
    ] {
        let text = metric(&format!(
            "count: 1, {condition}, provider: {{ prometheus: {{ address: 'http://p', query: q }} }}"
        ));
        let imported = read(System::Argo, &text).unwrap();
        assert_eq!(environment(&imported).analysis.unwrap().metrics[0].on_no_data, on_no_data, "{condition}");
    }
}

#[test]
fn providers_without_a_counterpart_leave_it_to_a_person() {
    for (provider, why) in [
        ("job: { spec: {} }", "a job of the cluster"),
        ("newRelic: { query: q }", "account"),
        ("cloudWatch: { metricDataQueries: [] }", "command line"),
        ("kayenta: { address: a }", "`judge: kayenta`"),
        ("graphite: { address: a, query: q }", "`graphite`"),
        ("prometheus: { query: q }", "address of its server"),
        ("prometheus: { address: 'http://p', query: q, rangeQuery: { step: 1m } }", "max_over_time"),
        (
            "prometheus: { address: 'http://p', query: q, headers: [{ key: X-Scope-OrgID, value: a }] }",
            "x-scope-orgid",
        ),
        (
            "prometheus: { address: 'http://p', query: q, authentication: { oauth2: { clientId: a } } }",
            "OAuth",
        ),
        ("prometheus: { address: 'http://p', query: '{{args.gone}}' }", "`gone` is not declared"),
        ("web: { url: 'http://w', method: PUT, body: x }", "PUT"),
        ("web: { url: 'http://w', jsonPath: '{$.items[?(@.a)].b}' }", "no plain way"),
        ("datadog: { queries: { a: b }, formula: a }", "formula"),
        ("datadog: { query: q, apiVersion: v2 }", "second version"),
    ] {
        let text = metric(&format!("count: 1, successCondition: 'result > 1', provider: {{ {provider} }}"));
        let imported = read(System::Argo, &text).unwrap();
        let environment = environment(&imported);
        assert!(environment.analysis.is_none(), "{provider}");
        assert!(
            matches!(&environment.strategy, Strategy::Canary { steps } if steps.contains(&Step::Pause(None))),
            "{provider}"
        );
        noted(&imported, "spec.metrics[0]", why);
    }
}

#[test]
fn secrets_become_names_of_variables_and_never_text() {
    let template = "{ args: [{ name: api-token, valueFrom: { secretKeyRef: { name: s, key: k } } }], metrics: [{ name: w, count: 1, \
                    successCondition: 'result.ok', provider: { web: { url: 'http://w', headers: [{ key: Authorization, value: \
                    'Bearer {{args.api-token}}' }, { key: X-Key, value: '{{ args.api-token }}' }] } } }, { name: leak, count: 1, \
                    successCondition: 'result > 1', provider: { web: { url: 'http://w/{{args.api-token}}' } } }] }";
    let steps = "[{ setWeight: 10 }, { analysis: { templates: [{ templateName: t }] } }]";
    let imported = read(System::Argo, &with(steps, template)).unwrap();
    let settings = &environment(&imported).sources["w"].settings;
    assert_eq!(settings["token-env"], "API_TOKEN");
    assert_eq!(settings["headers-env"], json!({ "x-key": "API_TOKEN" }));
    noted(&imported, "spec.metrics[1]", "a secret stands where it would be shown or stored here");
    assert!(!imported.config.contains('\u{e000}'));
}

#[test]
fn metrics_with_intervals_of_their_own_take_as_long_as_there() {
    let template = "{ metrics: [{ name: fast, interval: 1m, count: 3, successCondition: 'result[0] > 1', provider: { prometheus: { \
                    address: 'http://p', query: a } } }, { name: slow, interval: 5m, count: 4, successCondition: 'result[0] > 1', \
                    provider: { prometheus: { address: 'http://p', query: b } } }] }";
    let steps = "[{ setWeight: 10 }, { analysis: { templates: [{ templateName: t }] } }, { setWeight: 40 }, { analysis: { templates: [{ templateName: t }] } }]";
    let imported = read(System::Argo, &with(steps, template)).unwrap();
    let analysis = environment(&imported).analysis.unwrap();
    let counts: Vec<_> =
        analysis.metrics.iter().map(|metric| metric.threshold.as_ref().unwrap().count).collect();
    assert_eq!((analysis.interval.to_string().as_str(), counts), ("1m", vec![Some(6), Some(40)]));
    noted(&imported, "Rollout/r", "its counts of looks are times 5");
    noted(&imported, "spec.metrics[1]", "2 runs use it");
}

#[test]
fn weights_that_fall_or_give_nothing_are_kept_safe() {
    let imported = read(
        System::Argo,
        &with(
            "[{ setWeight: 40 }, { setWeight: 10 }, { setWeight: 40 }, { setWeight: 60 }]",
            "{ metrics: [] }",
        ),
    )
    .unwrap();
    let Strategy::Canary { steps } = environment(&imported).strategy else { panic!() };
    let kinds: Vec<String> = steps.iter().map(|step| format!("{step:?}")).collect();
    assert_eq!(kinds, ["SetWeight(Weight(40))", "Pause(None)", "SetWeight(Weight(60))"]);
    noted(&imported, "steps[1].setWeight", "instead of falling to 10%");
    let dark = read(
        System::Argo,
        &with("[{ setCanaryScale: { weight: 20 } }, { pause: { duration: 1h } }]", "{ metrics: [] }"),
    )
    .unwrap();
    assert!(
        matches!(environment(&dark).strategy, Strategy::BlueGreen { auto_promote: true, preview, .. } if preview.to_string() == "1h")
    );
}

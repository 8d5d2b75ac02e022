//! Whatever a specification says, what comes out is a configuration, or there is an error that says where.

use proptest::prelude::*;
use serde_json::{Value, json};
use tagship_domain::analysis::Metric;

use super::{environment, read};
use crate::{ImportError, System};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5_i64..200).prop_map(Value::from),
        (-2.0..200.0).prop_map(|number: f64| json!(number)),
        prop::sample::select(vec![
            "5m",
            "0s",
            "10",
            "1.5h",
            "",
            "result[0] > 1",
            "all(result, # > 0.5)",
            "{{args.a}}",
            "{{arm}}",
            "x: y # z",
            "true",
            "smoke",
            "99999h"
        ])
        .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ]
}

fn optional(
    key: &'static str,
    value: impl Strategy<Value = Value>,
) -> impl Strategy<Value = Option<(String, Value)>> {
    prop::option::weighted(0.6, value.prop_map(move |value| (key.to_owned(), value)))
}

fn any_of(keys: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(keys), scalar()), 0..5).prop_map(|pairs| {
        Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

fn length() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![json!("30s"), json!("1m"), json!("5m"), json!(10), json!("1h"), json!("500ms")])
}

fn step() -> impl Strategy<Value = Value> {
    let used = json!({ "templates": [{ "templateName": "t" }], "args": [{ "name": "a", "value": "x" }] });
    prop_oneof![
        4 => (0_u8..=100).prop_map(|weight| json!({ "setWeight": weight })),
        2 => length().prop_map(|length| json!({ "pause": { "duration": length } })),
        1 => Just(json!({ "pause": {} })),
        2 => Just(json!({ "analysis": used })),
        1 => (0_u8..=100).prop_map(|share| json!({ "setMirrorRoute": { "name": "m", "percentage": share, "match": [] } })),
        1 => Just(json!({ "experiment": { "duration": "1m" } })),
        1 => (scalar(), prop::sample::select(vec!["setWeight", "pause", "plugin", "unknown", "setCanaryScale"])).prop_map(|(value, key)| json!({ key: value })),
    ]
}

fn metric() -> impl Strategy<Value = Value> {
    let condition = prop::sample::select(vec![
        json!("result[0] >= 0.95"),
        json!("result > 3"),
        json!("isNaN(result[0]) || result[0] < 1"),
        json!("true"),
        json!("len(result) > 0"),
        json!("result[0] matches 'x'"),
        json!("result.a > 1"),
        json!("{{args.a}} > result[0]"),
    ]);
    let provider = prop::sample::select(vec![
        json!({ "prometheus": { "address": "http://p", "query": "x{v=\"{{args.a}}\"}" } }),
        json!({ "web": { "url": "http://w", "jsonPath": "{$.a}" } }),
        json!({ "datadog": { "query": "q" } }),
        json!({ "job": {} }),
        json!({ "wavefront": { "query": "q" } }),
        json!({ "prometheus": { "query": "no address" } }),
        json!({}),
    ]);
    let limits = any_of(&[
        "failureLimit",
        "inconclusiveLimit",
        "consecutiveErrorLimit",
        "consecutiveSuccessLimit",
        "count",
        "initialDelay",
    ]);
    (
        prop::sample::select(vec!["rate", "smoke", "", "a b", "x".repeat(80).leak()]),
        optional("interval", length()),
        optional("count", (1_u8..9).prop_map(Value::from)),
        optional("successCondition", condition.clone()),
        optional("failureCondition", condition),
        provider,
        prop::option::weighted(0.3, limits),
    )
        .prop_map(|(name, interval, count, success, failure, provider, limits)| {
            let mut metric = json!({ "name": name, "provider": provider });
            let fields = [interval, count, success, failure].into_iter().flatten();
            let limits = limits.and_then(|limits| limits.as_object().cloned()).into_iter().flatten();
            for (key, value) in fields.chain(limits) {
                metric[key] = value;
            }
            metric
        })
}

fn rollout() -> impl Strategy<Value = Vec<Value>> {
    let used = json!({ "templates": [{ "templateName": "t" }], "args": [{ "name": "a", "value": "x" }] });
    let canary = (
        prop::collection::vec(step(), 0..8),
        any::<bool>(),
        any_of(&["scaleDownDelaySeconds", "abortScaleDownDelaySeconds", "maxSurge"]),
    );
    let blue_green = (
        any::<[bool; 2]>(),
        any_of(&["autoPromotionEnabled", "autoPromotionSeconds", "scaleDownDelaySeconds", "previewService"]),
    );
    let (one, other) = (used.clone(), used);
    let strategy = prop_oneof![
        3 => canary.prop_map(move |(steps, background, mut canary)| {
            canary["steps"] = steps.into();
            if background {
                canary["analysis"] = one.clone();
            }
            json!({ "canary": canary })
        }),
        1 => blue_green.prop_map(move |(sides, mut fields)| {
            for (key, is_there) in ["prePromotionAnalysis", "postPromotionAnalysis"].into_iter().zip(sides) {
                if is_there {
                    fields[key] = other.clone();
                }
            }
            json!({ "blueGreen": fields })
        }),
    ];
    let dry = prop::sample::select(vec![
        json!([]),
        json!([{ "metricName": ".*" }]),
        json!([{ "metricName": "rate" }]),
    ]);
    (
        strategy,
        prop::collection::vec(metric(), 0..4),
        dry,
        any_of(&["progressDeadlineSeconds", "replicas", "paused"]),
    )
        .prop_map(|(strategy, metrics, dry, mut spec)| {
            spec["strategy"] = strategy;
            let template = json!({ "metrics": metrics, "dryRun": dry, "args": [{ "name": "a" }] });
            vec![
                json!({ "kind": "Rollout", "metadata": { "name": "r.1" }, "spec": spec }),
                json!({ "kind": "AnalysisTemplate", "metadata": { "name": "t" }, "spec": template }),
            ]
        })
}

fn canary() -> impl Strategy<Value = Vec<Value>> {
    let metric = (
        prop::sample::select(vec!["request-success-rate", "request-duration", "smoke", ""]),
        any_of(&["interval", "threshold", "query"]),
        prop::option::of(any_of(&["min", "max"])),
    )
        .prop_map(|(name, mut metric, range)| {
            metric["name"] = name.into();
            if let Some(range) = range {
                metric["thresholdRange"] = range;
            }
            metric
        });
    let hook = prop::sample::select(vec![
        "confirm-rollout",
        "pre-rollout",
        "rollout",
        "confirm-promotion",
        "confirm-traffic-increase",
        "event",
        "?",
    ])
    .prop_map(|kind| json!({ "name": kind, "type": kind, "url": "http://h" }));
    let rule = json!([{ "headers": { "X-A": { "exact": "b" } } }]);
    (
        any_of(&[
            "interval",
            "threshold",
            "maxWeight",
            "stepWeight",
            "iterations",
            "mirror",
            "mirrorWeight",
            "stepWeightPromotion",
        ]),
        (
            optional("stepWeight", (1_u8..60).prop_map(Value::from)),
            optional("iterations", (1_u8..9).prop_map(Value::from)),
            optional("match", Just(rule)),
        ),
        prop::collection::vec(metric, 0..4),
        prop::collection::vec(hook, 0..3),
        any_of(&["skipAnalysis", "provider", "progressDeadlineSeconds", "suspend"]),
    )
        .prop_map(|(mut analysis, more, metrics, hooks, mut spec)| {
            let (weight, iterations, rule) = more;
            for (key, value) in [weight, iterations, rule].into_iter().flatten() {
                analysis[key] = value;
            }
            analysis["metrics"] = metrics.into();
            analysis["webhooks"] = hooks.into();
            spec["analysis"] = analysis;
            spec["targetRef"] = json!({ "kind": "Deployment", "name": "t" });
            vec![json!({ "kind": "Canary", "metadata": { "name": "c" }, "spec": spec })]
        })
}

fn yaml(documents: &[Value]) -> String {
    documents.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n")
}

fn check(system: System, documents: &[Value]) -> Result<(), TestCaseError> {
    match read(system, &yaml(documents)) {
        Err(ImportError::Malformed(wrong)) => {
            prop_assert!(!wrong.is_empty() && wrong.iter().all(|line| line.contains(": ")));
        }
        Err(error) => prop_assert!(false, "{error}"),
        Ok(imported) => {
            let environment = environment(&imported);
            for metric in environment.analysis.iter().flat_map(|analysis| &analysis.metrics) {
                let threshold = metric.threshold.as_ref().unwrap();
                let reads = [&threshold.success, &threshold.failure]
                    .into_iter()
                    .flatten()
                    .any(|text| text.contains("result"));
                prop_assert!(reads, "nothing passes by itself: {threshold:?}");
                prop_assert!(metric.dry_run || Metric::decides(metric));
            }
            prop_assert!(!imported.notes.is_empty(), "there is always something to say, the target at least");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_rollout_gives_a_configuration_or_says_where_it_is_wrong(documents in rollout()) {
        check(System::Argo, &documents)?;
    }

    #[test]
    fn any_canary_gives_a_configuration_or_says_where_it_is_wrong(documents in canary()) {
        check(System::Flagger, &documents)?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in r#"(kind: (Rollout|Canary)\n)?[\PC\n\[\]{}:,&*|>'"-]{0,120}"#) {
        let _ = read(System::Argo, &text);
        let _ = read(System::Flagger, &text);
    }
}

//! The words for metrics: bounds as numbers, culprits with their numbers, and nothing made up where nothing is known.

use serde_json::{Value, json};
use tagship_domain::rollout::RolloutState;

use super::*;

fn metric(name: &str, kind: &str, margin: &Value) -> Value {
    json!({ "name": name, "kind": kind, "judge": "two-speed", "tolerance": 1.0, "promote_margin": margin,
            "bound": null, "min_samples": 50, "label_delay": "0s", "on_no_data": "wait", "failure_limit": 0,
            "inconclusive_limit": 0, "consecutive_error_limit": 4 })
}

fn judge(phase: &str, value: Option<f64>, stable: Option<f64>, n: [u64; 2]) -> Value {
    json!({ "phase": phase, "n": n[1], "message": "said", "looks": { "measured": 3, "failed": 0, "inconclusive": 0,
            "consecutive_errors": 5 },
            "measurement": { "value": value, "stable": stable, "n": n, "e_value": 24.19, "fails_at": 20.0,
                             "promotion_e_value": 0.5, "succeeds_at": 20.0 } })
}

fn state(phase: &str, reason: &str, metrics: &[Value], judges: &Value) -> RolloutState {
    let release = |version: &str| {
        json!({ "model": "churn", "version": version, "digest": format!("sha256:{}", "b".repeat(64)),
                "manifest": format!("sha256:{}", "c".repeat(64)), "commit": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567" })
    };
    serde_json::from_value(json!({ "id": "production-v1.1.0-2", "kind": "deploy", "model": "churn",
        "environment": "production", "candidate": release("v1.1.0"), "stable": release("v1.0.0"),
        "plan": { "strategy": { "canary": { "steps": [{ "set-weight": 25 }] } }, "smoke": { "check": "ready-only" },
                  "progress_deadline": "10m",
                  "analysis": { "interval": "1m", "max_wait": "1h", "metrics": metrics } },
        "phase": phase, "reason": reason, "message": "", "step": 0, "settled": "2026-11-24T03:44:00Z",
        "weight": { "desired": 0, "applied": 0 }, "judges": judges, "intended": [], "seq": 1,
        "started": "2026-11-24T03:44:00Z", "since": "2026-11-24T03:44:00Z", "deadline": null, "by": { "actor": "ada" } }))
    .unwrap()
}

fn allowed(metric: &Value, stable: Option<f64>, bound: &Value) -> String {
    let mut metric = metric.clone();
    metric["bound"] = bound.clone();
    let judges = json!({ "m": judge("Running", Some(0.5), stable, [100, 10]) });
    views(&state("Progressing", "OnTrack", &[metric], &judges), &[])[0].allowed.clone().unwrap()
}

#[test]
fn a_margin_becomes_a_bound_on_the_value_that_is_shown() {
    let none = Value::Null;
    for (kind, margin, stable, words) in [
        ("error-ratio", json!({ "ratio": 1.5 }), Some(0.0079), "≤ 1.19% (1.5x stable)"),
        ("error-ratio", json!({ "absolute": 0.01 }), Some(0.02), "≤ 3% (stable + 1 point)"),
        ("labelled-accuracy", json!({ "absolute": 0.02 }), Some(0.921), "≥ 90.1% (stable - 2 points)"),
        ("labelled-accuracy", json!({ "ratio": 1.5 }), Some(0.9), "≥ 85% (1.5x stable's errors)"),
        ("labelled-accuracy", json!({ "absolute": 0.02 }), None, "≥ stable - 2 points"),
        ("latency", json!({ "ratio": 1.5 }), Some(81.0), "slow ≤ 1.5x as often as stable"),
        ("prediction-drift", json!({ "ratio": 1.5 }), Some(0.1), "advisory, decides nothing"),
    ] {
        assert_eq!(allowed(&metric("m", kind, &margin), stable, &none), words, "{kind}");
    }
    let error = metric("m", "error-ratio", &json!({ "ratio": 1.5 }));
    assert_eq!(allowed(&error, None, &json!({ "max-error-ratio": 0.01 })), "≤ 1%");
    let latency = json!({ "latency": { "quantile": 0.99, "within_ms": 250.0 } });
    assert_eq!(
        allowed(&metric("m", "latency", &json!({ "ratio": 1.5 })), None, &latency),
        "99% within 250 ms"
    );
}

#[test]
fn a_culprit_is_told_with_values_evidence_and_observations() {
    let metrics = [
        metric("accuracy", "labelled-accuracy", &json!({ "absolute": 0.02 })),
        metric("drift", "prediction-drift", &json!({ "ratio": 1.5 })),
    ];
    let judges = json!({ "accuracy": judge("Failed", Some(0.872), Some(0.921), [24_870, 2_310]),
                         "drift": judge("Failed", Some(0.4), Some(0.0), [9, 9]) });
    let state = state("RolledBack", "AnalysisFailed", &metrics, &judges);
    let told: Vec<String> = culprits(&state).iter().map(Culprit::full).collect();
    assert_eq!(
        told,
        [
            "accuracy 87.2% against 92.1% of v1.0.0; evidence 24.1 of 20 needed to fail; 2,310 labels (v1.0.0: 24,870)"
        ],
        "what is advisory is never the reason"
    );
    assert_eq!(exposure(&state, &[]).as_deref(), Some("Stopped at 25% of the traffic (step 1 of 1)"));
}

#[test]
fn requests_are_those_that_a_metric_over_requests_counted() {
    let metrics = [metric("errors", "error-ratio", &json!({ "ratio": 1.5 }))];
    let judges = json!({ "errors": judge("Failed", Some(0.2), Some(0.01), [50_000, 4_310]) });
    let told = exposure(&state("RollingBack", "AnalysisFailed", &metrics, &judges), &[]);
    let expected = "Stopped at 25% of the traffic (step 1 of 1), after v1.1.0 had answered 4,310 requests";
    assert_eq!(told.as_deref(), Some(expected));
    assert_eq!(exposure(&state("Progressing", "OnTrack", &metrics, &judges), &[]), None);
}

#[test]
fn what_was_not_measured_is_never_a_zero() {
    let metrics = [metric("accuracy", "labelled-accuracy", &json!({ "absolute": 0.02 }))];
    let state = state("Paused", "NoData", &metrics, &json!({}));
    let view = &views(&state, &[])[0];
    assert_eq!((view.phase, &view.values, view.n), (MetricPhase::Pending, &[None, None], None));
    assert_eq!(view.missing.as_deref(), Some("0 of 50 labels needed"));
    assert_eq!(culprits(&state)[0].brief(), "accuracy got no data");
}

#[test]
fn what_could_not_be_measured_says_for_how_long() {
    let metrics = [metric("errors", "error-ratio", &json!({ "ratio": 1.5 }))];
    let judges = json!({ "errors": judge("Error", None, None, [0, 0]) });
    let state = state("RolledBack", "AnalysisError", &metrics, &judges);
    assert_eq!(culprits(&state)[0].brief(), "errors could not be measured at 5 looks in a row");
}

#[test]
fn a_metric_on_values_shows_its_condition_and_its_looks() {
    let mut share = metric("m", "value", &json!({ "ratio": 1.5 }));
    share["threshold"] = json!({ "success": "result <= 0.05", "count": 5 });
    let judged = |phase: &str, value: f64, failed: u64| {
        json!({ "phase": phase, "n": 3, "message": "said",
                "looks": { "measured": 3, "failed": failed, "inconclusive": 0, "consecutive_errors": 0 },
                "measurement": { "value": value, "stable": null, "n": [0, 3] } })
    };
    let running =
        state("Progressing", "OnTrack", &[share.clone()], &json!({ "m": judged("Running", 0.0312, 1) }));
    let view = &views(&running, &[])[0];
    assert_eq!(view.values, [Some("0.0312".to_owned()), None]);
    assert_eq!((view.allowed.as_deref(), view.noun), (Some("result <= 0.05"), "looks"));
    assert_eq!(view.missing.as_deref(), Some("3 of 5 looks needed, 1 failed"));
    assert!(view.evidence.is_empty());
    let failed = state("RolledBack", "AnalysisFailed", &[share], &json!({ "m": judged("Failed", 0.21, 2) }));
    assert_eq!(culprits(&failed)[0].full(), "m 0.21 against result <= 0.05; 3 looks");
}

#[test]
fn a_score_over_metrics_is_a_row_with_its_rule() {
    let mut p99 = metric("p99", "value", &json!({ "ratio": 1.5 }));
    p99["judge"] = json!("kayenta");
    p99["kayenta"] = json!({ "direction": "increase", "critical": true, "groups": ["latency"] });
    let scored = json!({ "phase": "Running", "n": 3, "message": "said", "measurement": { "value": null, "stable": null, "n": [3, 3] } });
    let mut state =
        state("Progressing", "OnTrack", &[p99], &json!({ "p99": scored, "kayenta score": scored }));
    state.plan.analysis.as_mut().unwrap().kayenta = Some(KayentaScore {
        lifetime: tagship_domain::Duration::from_secs(600),
        group_weights: [].into(),
        pass: 75.0,
        marginal: 50.0,
    });
    let views = views(&state, &[]);
    let rows: Vec<_> =
        views.iter().map(|view| (view.name, view.noun, view.allowed.clone().unwrap())).collect();
    assert_eq!(rows[0], ("p99", "values", "no increase (critical), group latency".to_owned()));
    assert_eq!((rows[1].0, rows[1].1), ("kayenta score", "values"));
    assert!(
        rows[1].2.contains("score >= 75") && rows[1].2.contains("without an error rate"),
        "{}",
        rows[1].2
    );
    assert_eq!(views[0].missing.as_deref(), Some("3 of 5 values needed"));
}

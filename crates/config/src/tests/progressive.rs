//! Canary, blue-green and analysis as they are read.

use tagship_domain::{
    Duration,
    analysis::{Analysis, Bound, Judge, Margin, Metric, MetricKind, OnNoData},
    kayenta::{Direction, EffectMeasure, EffectSize, KayentaMetric, NanStrategy},
    plan::{OnFailure, OnNewer, RolloutPlan, Smoke, Step, Strategy},
    scoring::{Horizon, Score},
    traffic::Weight,
};

use super::model;
use crate::{Config, EnvironmentConfig, parse_analysis};

/// A canary with everything that can be said about it.
pub(super) const CANARY: &str = r#"
version: 1
models:
  m:
    artifact: a
    environments:
      production:
        target: local
        strategy:
          canary:
            steps:
              - set-weight: 5
              - pause: 10m
              - set-weight: 25%
              - pause: {}
              - { set-weight: "50 %" }
              - pause
              - pause:
        analysis:
          interval: 30s
          max-wait: 2h
          on-no-data: inconclusive
          metrics:
            - name: errors
              kind: error-ratio
              judge: boundary-e
              tolerance: 1.25
              promote-margin: { ratio: 2 }
              bound: { max: 2% }
              min-samples: 100
              failure-limit: 1
              inconclusive-limit: 2
              consecutive-error-limit: 3
              source: target
            - { name: latency, kind: latency, bound: { p99.9: 1s500ms }, on-no-data: fail }
            - { name: accuracy, kind: labelled-accuracy, label-delay: 10m, bound: { min: 0.9 }, promote-margin: { absolute: 1% } }
            - { name: drift, kind: prediction-drift }
        hold-back: 5%
        bake: 10m
        on-newer: supersede
"#;

fn only_environment(text: &str) -> EnvironmentConfig {
    let config = Config::parse("tagship.yml", text).unwrap();
    let (_, model) = config.models.into_iter().next().unwrap();
    model.environments.into_values().next().unwrap()
}

fn with(keys: &str) -> EnvironmentConfig {
    only_environment(&model(&format!("    environments: {{ p: {{ target: local, {keys} }} }}\n")))
}

fn weight(percent: u8) -> Step {
    Step::SetWeight(Weight::percent(percent).unwrap())
}

#[test]
fn a_canary_is_read_as_it_is_written() {
    let production = only_environment(CANARY);
    let steps = vec![
        weight(5),
        Step::Pause(Some(Duration::from_secs(600))),
        weight(25),
        Step::Pause(None),
        weight(50),
        Step::Pause(None),
        Step::Pause(None),
    ];
    assert_eq!(production.strategy, Strategy::Canary { steps });
    assert_eq!(production.hold_back.get(), 5);
    assert_eq!(production.bake, Duration::from_secs(600));
    assert_eq!(production.on_newer, OnNewer::Supersede);
    let analysis = production.analysis.unwrap();
    assert_eq!(analysis.interval, Duration::from_secs(30));
    assert_eq!(analysis.max_wait, Duration::from_secs(7200));
    let expected = [
        Metric {
            judge: Judge::BoundaryE,
            tolerance: 1.25,
            promote_margin: Margin::Ratio(2.0),
            bound: Some(Bound::MaxErrorRatio(0.02)),
            min_samples: 100,
            on_no_data: OnNoData::Inconclusive,
            failure_limit: 1,
            inconclusive_limit: 2,
            consecutive_error_limit: 3,
            ..Metric::with_defaults("errors", MetricKind::ErrorRatio)
        },
        Metric {
            bound: Some(Bound::Latency { quantile: 0.999, within_ms: 1500.0 }),
            on_no_data: OnNoData::Fail,
            ..Metric::with_defaults("latency", MetricKind::Latency)
        },
        Metric {
            bound: Some(Bound::MinAccuracy(0.9)),
            promote_margin: Margin::Absolute(0.01),
            label_delay: Duration::from_secs(600),
            on_no_data: OnNoData::Inconclusive,
            ..Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy)
        },
        Metric {
            on_no_data: OnNoData::Inconclusive,
            ..Metric::with_defaults("drift", MetricKind::PredictionDrift)
        },
    ];
    assert_eq!(analysis.metrics, expected);
}

#[test]
fn blue_green_has_defaults() {
    let blue_green = |seconds, auto_promote, mirror| Strategy::BlueGreen {
        preview: Duration::from_secs(seconds),
        auto_promote,
        mirror: Weight::percent(mirror).unwrap(),
    };
    for (written, expected) in [
        ("strategy: blue-green", blue_green(0, true, 0)),
        ("strategy: { blue-green: }", blue_green(0, true, 0)),
        ("strategy: { blue-green: { preview: 10m, auto-promote: false } }", blue_green(600, false, 0)),
        ("strategy: { blue-green: { preview: 10m, mirror: 100 } }", blue_green(600, true, 100)),
        ("strategy: all-at-once", Strategy::AllAtOnce),
        ("on-newer: queue-latest", Strategy::AllAtOnce),
    ] {
        assert_eq!(with(written).strategy, expected, "{written}");
    }
}

#[test]
fn a_linear_canary_is_a_canary() {
    let pause = Step::Pause(Some(Duration::from_secs(300)));
    for (written, shares) in [
        ("{ step-weight: 10, pause: 5m }", vec![10, 20, 30, 40, 50]),
        ("{ step-weight: 20%, pause: 5m, max-weight: 50 }", vec![20, 40, 50]),
        ("{ step-weight: 100, pause: 5m, max-weight: 100 }", vec![100]),
        ("{ step-weight: 1, pause: 5m, max-weight: 3 }", vec![1, 2, 3]),
    ] {
        let steps = shares.into_iter().flat_map(|share| [weight(share), pause]).collect();
        assert_eq!(
            with(&format!("strategy: {{ linear: {written} }}")).strategy,
            Strategy::Canary { steps },
            "{written}"
        );
    }
}

#[test]
fn shadow_and_ab_run_for_a_fixed_time() {
    let share = |percent| Weight::percent(percent).unwrap();
    let length = Duration::from_secs(3600);
    let shadow = with("strategy: { shadow: { for: 1h } }");
    assert_eq!(shadow.strategy, Strategy::Shadow { mirror: share(100), length });
    let half = with("strategy: { shadow: { mirror: 50, for: 1h } }");
    assert_eq!(half.strategy, Strategy::Shadow { mirror: share(50), length });
    let ab = with("strategy: { a-b: { sticky: X-User-Id, for: 1h } }");
    assert_eq!(ab.strategy, Strategy::AB { share: share(50), length });
    assert_eq!(ab.plan(Smoke::ReadyOnly).sticky.unwrap().as_str(), "x-user-id");
}

#[test]
fn an_ab_test_may_know_its_cohort_by_a_header() {
    let ab = with("strategy: { a-b: { match: { header: X-Cohort, exact: Beta users }, for: 1h } }");
    let rule = ab.strategy.rule().unwrap();
    assert_eq!(
        rule.to_string(),
        "x-cohort: Beta users",
        "the case of a name says nothing, that of a value does"
    );
    let plan = ab.plan(Smoke::ReadyOnly);
    assert!(plan.sticky.is_none() && plan.routes() && plan.shares_traffic() && !plan.weighs());
    assert_eq!(ab.strategy, Strategy::Matched { rule: rule.clone(), length: Duration::from_secs(3600) });
}

#[test]
fn copies_may_come_before_a_canary_and_clients_may_stay() {
    let canary = with(
        "strategy: { canary: { sticky: x-user, steps: [{ mirror: 100 }, { pause: 10m }, { set-weight: 5 }] } }",
    );
    let steps = vec![Step::Mirror(Weight::ALL), Step::Pause(Some(Duration::from_secs(600))), weight(5)];
    assert_eq!(canary.strategy, Strategy::Canary { steps });
    assert_eq!(canary.sticky.unwrap().as_str(), "x-user");
}

#[test]
fn blue_green_keeps_the_old_version_for_a_while_and_others_do_not() {
    for (written, stays) in [
        ("strategy: blue-green", 30),
        ("strategy: blue-green, scale-down-delay: 0s", 0),
        ("strategy: all-at-once", 0),
        ("scale-down-delay: 10m", 600),
    ] {
        let plan = with(written).plan(Smoke::ReadyOnly);
        assert_eq!(plan.scale_down_delay, Duration::from_secs(stays), "{written}");
        assert_eq!(plan.abort_scale_down_delay, Duration::default());
    }
    let kept = with("abort-scale-down-delay: 1h").plan(Smoke::ReadyOnly);
    assert_eq!(kept.abort_scale_down_delay, Duration::from_secs(3600));
}

#[test]
fn what_is_not_said_about_an_analysis_has_its_default() {
    let kinds = [
        ("error-ratio", Judge::TwoSpeed, Margin::Ratio(1.5)),
        ("latency", Judge::BucketE, Margin::Ratio(1.5)),
        ("labelled-accuracy", Judge::BoundaryE, Margin::Absolute(0.02)),
        ("paired-accuracy", Judge::PairedSignE, Margin::Absolute(0.02)),
    ];
    for (kind, judge, margin) in kinds {
        let text = format!("metrics: [{{ name: a, kind: {kind} }}]");
        let Analysis { interval, max_wait, metrics, .. } = parse_analysis("a.yml", &text).unwrap();
        assert_eq!((interval, max_wait), (Duration::from_secs(60), Duration::from_secs(3600)));
        let [metric] = &metrics[..] else { panic!("{metrics:?}") };
        assert_eq!((metric.judge, metric.promote_margin), (judge, margin), "{kind}");
        assert_eq!((metric.tolerance, metric.bound, metric.min_samples), (1.0, None, 50));
        assert_eq!((metric.failure_limit, metric.inconclusive_limit), (0, 0));
        assert_eq!((metric.consecutive_error_limit, metric.on_no_data), (4, OnNoData::Wait));
    }
}

#[test]
fn the_plan_says_what_the_environment_says() {
    let production = only_environment(CANARY);
    let plan = production.plan(Smoke::ReadyOnly);
    assert_eq!(plan.steps().len(), 7);
    assert_eq!(plan.full().get(), 95);
    assert_eq!((plan.bake, plan.on_newer), (Duration::from_secs(600), OnNewer::Supersede));
    assert_eq!(plan.analysis, production.analysis);
    assert_eq!(
        with("progress-deadline: 5m").plan(Smoke::ReadyOnly),
        RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(300))
    );
}

/// What can be measured is taken: with a hold-back, with bounds, and advice that is heard on the way.
#[test]
fn metrics_that_can_be_measured_are_taken() {
    let errors = "{ name: errors, kind: error-ratio }";
    let bounded = "{ name: errors, kind: error-ratio, bound: { max: 2% } }";
    let drift = "{ name: drift, kind: prediction-drift }";
    let pairs = "{ name: pairs, kind: paired-accuracy }";
    let differs = "{ name: differs, kind: disagreement, bound: { max: 2% } }";
    let copied = "strategy: { canary: { steps: [{ mirror: 100 }, { pause: 1h }, { set-weight: 5 }] } }";
    let canary = "strategy: { canary: { steps: [{ set-weight: 5 }] } }";
    let to_all = "strategy: { canary: { steps: [{ set-weight: 5 }, { set-weight: 100 }] } }";
    for keys in [
        format!("{canary}, analysis: {{ metrics: [{errors}, {drift}] }}"),
        format!("{canary}, bake: 10m, hold-back: 5%, analysis: {{ metrics: [{errors}, {drift}] }}"),
        format!("{canary}, bake: 10m, analysis: {{ metrics: [{bounded}, {drift}] }}"),
        format!("{to_all}, analysis: {{ metrics: [{bounded}] }}"),
        format!("bake: 10m, hold-back: 49, analysis: {{ metrics: [{errors}, {drift}] }}"),
        format!("bake: 10m, analysis: {{ metrics: [{bounded}] }}"),
        format!("strategy: blue-green, bake: 10m, analysis: {{ metrics: [{bounded}] }}"),
        format!(
            "strategy: {{ shadow: {{ for: 1h }} }}, analysis: {{ metrics: [{errors}, {pairs}, {differs}] }}"
        ),
        format!(
            "strategy: {{ blue-green: {{ preview: 1h, mirror: 5 }} }}, analysis: {{ metrics: [{pairs}] }}"
        ),
        format!("{copied}, analysis: {{ metrics: [{errors}, {drift}, {pairs}, {differs}] }}"),
        format!(
            "strategy: {{ a-b: {{ sticky: x, for: 1h }} }}, analysis: {{ metrics: [{errors}, {drift}] }}"
        ),
        to_all.to_owned(),
    ] {
        let _ = with(&keys);
    }
}

#[test]
fn an_analysis_alone_is_a_document_with_the_same_answers() {
    let broken = "interval: 0s\nmetrics:\n  - { name: e, kind: error-ratio, judge: bucket-e }\n";
    let found = parse_analysis("policy.yml", broken).unwrap_err();
    let shown: Vec<String> = found.diagnostics.iter().map(|found| found.location.to_string()).collect();
    assert_eq!(shown, ["policy.yml:1:11 (interval)", "policy.yml:3:42 (metrics[0].judge)"]);
    for (text, answer) in [
        ("", "the key `metrics` is missing"),
        ("analysis: { metrics: [] }", "unknown key `analysis`"),
        ("[]", "expected a mapping, found a list"),
        ("{", "this is not YAML: while parsing a node, did not find expected node content"),
    ] {
        let found = parse_analysis("policy.yml", text).unwrap_err();
        assert_eq!(found.diagnostics[0].message, answer, "{text}");
    }
}

#[test]
fn a_metric_may_have_a_source_of_its_own_and_people_may_be_told() {
    let keys = "target: local
        strategy: { canary: { steps: [{ set-weight: 5 }, { pause: 10m }] } }
        analysis:
          metrics:
            - { name: errors, kind: error-ratio, source: { page: { url: x } } }
            - { name: latency, kind: latency, source: target }
        notify:
          - { chat: { webhook-env: HOOK } }
          - { chat: { webhook-env: HOOK, on: [start] } }";
    let text = model(&format!("    environments:\n      p:\n        {keys}\n"));
    let config = Config::parse("tagship.yml", &text).unwrap();
    let model = config.models.values().next().unwrap();
    let environment = model.environments.values().next().unwrap();
    let metrics = &environment.analysis.as_ref().unwrap().metrics;
    assert_eq!(metrics.iter().map(|metric| metric.own_source).collect::<Vec<_>>(), [true, false]);
    assert_eq!(environment.sources.keys().collect::<Vec<_>>(), ["errors"]);
    assert_eq!(environment.sources["errors"].settings["url"], "x");
    let [first, second] = environment.notify.as_slice() else { panic!("{:?}", environment.notify) };
    assert_eq!(first.on, tagship_domain::notice::NoticeKind::DEFAULT);
    assert_eq!(second.on, [tagship_domain::notice::NoticeKind::Start]);
    assert!(!second.notifier.settings.contains_key("on"));
}

#[test]
fn a_value_has_conditions_and_a_source() {
    let of = |keys: &str| {
        let text = format!(
            "metrics: [{{ name: v, kind: value, source: {{ http: {{ url: \"x/{{{{arm}}}}\" }} }}, {keys} }}]"
        );
        let metric = parse_analysis("a.yml", &text).unwrap().metrics.remove(0);
        assert_eq!((metric.judge, metric.own_source, metric.min_samples), (Judge::Threshold, true, 1));
        metric
    };
    let threshold = |keys: &str| of(keys).threshold.unwrap();
    let success = |keys: &str| threshold(keys).success.unwrap();
    assert_eq!(success("max: 0.05"), "result <= 0.05");
    assert_eq!(success("min: -3"), "result >= -3");
    assert_eq!(success("min: 0.9, max: 1"), "result >= 0.9 && result <= 1");
    assert_eq!(success("success: result.p99 < stable.p99"), "result.p99 < stable.p99");
    let full = threshold("max: 1, failure: result > 2, count: 5, consecutive-success-limit: 3");
    assert_eq!(
        (full.failure.as_deref(), full.count, full.consecutive_success_limit),
        (Some("result > 2"), Some(5), Some(3))
    );
    assert_eq!(of("max: 1, failure-limit: off").failure_limit, Metric::NO_LIMIT);
    assert!(of("max: 1").decides());
    let text = "metrics: [{ name: e, kind: error-ratio }, { name: l, kind: latency, dry-run: true }]";
    let metrics = parse_analysis("a.yml", text).unwrap().metrics;
    assert_eq!(metrics.iter().map(Metric::decides).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_score_says_what_is_computed_and_when() {
    let of = |keys: &str| {
        let text = format!(
            "metrics: [{{ name: e, kind: error-ratio, weight: 3 }}, {{ name: s, kind: score, {keys}, source: {{ predictions: {{ files: [a.csv] }} }} }}]"
        );
        parse_analysis("a.yml", &text).unwrap().metrics
    };
    let metrics = of("score: f1, positive: 1, margin: 0.02, horizon: { rows: 2000 }");
    let scoring = metrics[1].scoring.clone().unwrap();
    assert_eq!((scoring.score, scoring.positive.as_deref()), (Score::F1, Some("1")));
    assert_eq!((scoring.margin.to_string(), scoring.horizon), ("0.02".to_owned(), Horizon::Rows(2000)));
    assert_eq!((metrics[1].judge, metrics[1].own_source), (Judge::FixedHorizon, true));
    assert_eq!(metrics.iter().map(|metric| metric.weight.to_string()).collect::<Vec<_>>(), ["3", "1"]);
    let metrics = of("score: rmse, margin: 5, min-samples: 500, horizon: { after: 24h }");
    let scoring = metrics[1].scoring.clone().unwrap();
    assert_eq!(scoring.horizon, Horizon::After(Duration::from_secs(86_400)));
    assert_eq!((scoring.positive, metrics[1].min_samples), (None, 500));
    let metrics = of("score: auc, positive: true, margin: 0.01, horizon: { rows: 50 }");
    assert_eq!(metrics[1].scoring.clone().unwrap().positive.as_deref(), Some("true"));
}

#[test]
fn a_value_may_be_judged_the_way_of_kayenta() {
    let of = |keys: &str, score: &str| {
        let text = format!(
            "kayenta: {{ {score} }}\nmetrics: [{{ name: e, kind: error-ratio }}, {{ name: l, kind: value, judge: kayenta, {keys} \
             source: {{ http: {{ url: \"http://m/{{{{arm}}}}\" }} }} }}]"
        );
        parse_analysis("a.yml", &text).unwrap()
    };
    let analysis = of("", "lifetime: 30m");
    let metric = &analysis.metrics[1];
    assert_eq!((metric.judge, metric.own_source, metric.threshold.clone()), (Judge::Kayenta, true, None));
    let expected = KayentaMetric { groups: vec!["all".to_owned()], ..KayentaMetric::default() };
    assert_eq!(metric.kayenta, Some(expected));
    let score = analysis.kayenta.clone().unwrap();
    assert_eq!((score.lifetime, score.pass, score.marginal), (Duration::from_secs(1800), 75.0, 50.0));
    assert!(!metric.takes_error_rate() && metric.decides() && !metric.stands_alone());
    assert!(analysis.part(&analysis.metrics[0]) >= 1.0, "it takes no part of the error rate");

    let keys = "direction: decrease, nan-strategy: replace, outliers: { strategy: remove }, must-have-data: true, critical: \
                true, groups: [latency, system], effect-size: { measure: cles, allowed-decrease: 0.4, critical-decrease: 0.2 },";
    let analysis = of(
        keys,
        "lifetime: 1h, group-weights: { latency: 60, system: 40 }, score-thresholds: { pass: 95, marginal: 75 }",
    );
    let expected = KayentaMetric {
        direction: Direction::Decrease,
        nan_strategy: NanStrategy::Replace,
        outlier_factor: Some(3.0),
        effect_size: EffectSize {
            measure: EffectMeasure::Cles,
            allowed_decrease: Some(0.4),
            critical_decrease: Some(0.2),
            ..EffectSize::default()
        },
        must_have_data: true,
        critical: true,
        groups: vec!["latency".to_owned(), "system".to_owned()],
    };
    assert_eq!(analysis.metrics[1].kayenta, Some(expected));
    let score = analysis.kayenta.unwrap();
    assert_eq!((score.pass, score.marginal, score.group_weights["system"]), (95.0, 75.0, 40.0));
}

#[test]
fn a_freeze_an_order_and_a_guard_are_read_as_they_are_written() {
    let keys = "freeze: [ \"fri 16:00 - Mon 08:00 Europe/Berlin\" ], guard: 24h, on-failure: propose";
    let environment = with(keys);
    let windows: Vec<String> = environment.freeze.iter().map(ToString::to_string).collect();
    assert_eq!(windows, ["Fri 16:00 - Mon 08:00 Europe/Berlin"]);
    let plan = environment.plan(Smoke::ReadyOnly);
    assert_eq!((plan.guard, plan.on_failure), (Duration::from_secs(86_400), OnFailure::Propose));
    assert_eq!(plan.freeze, environment.freeze);

    let order = "    environments:\n      s: { target: local }\n      p: { target: { local: { url: \"http://p\" } }, after: s }\n";
    let config = Config::parse("tagship.yml", &model(order)).unwrap();
    let (_, model) = config.models.into_iter().next().unwrap();
    assert_eq!(
        model
            .environments
            .values()
            .filter_map(|known| known.after.as_ref())
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["s"]
    );
}

//! Forecasts of plans against figures that were simulated or computed elsewhere.

use crate::tests::walk::{analysis, beta};
use std::collections::BTreeMap;

use tagship_domain::{
    Duration,
    analysis::{Analysis, Bound, Judge, Margin, Metric, MetricKind},
    forecast::{Comparison, Figure, Origin, Outlook, Stretch},
    kayenta::{KayentaMetric, KayentaScore},
    plan::{RolloutPlan, Smoke, Step, Strategy},
    traffic::{Counters, Histogram, Weight},
};

use super::{
    Given, Known,
    need::{Terms, needs},
    outlook::outlook,
    way::way,
};

fn weight(percent: u8) -> Weight {
    Weight::percent(percent).unwrap()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn canary(steps: &[(u8, Option<u64>)], metrics: Vec<Metric>) -> RolloutPlan {
    let both = |(share, pause): &(u8, Option<u64>)| {
        [Step::SetWeight(weight(*share)), Step::Pause(pause.map(minutes))]
    };
    RolloutPlan {
        strategy: Strategy::Canary { steps: steps.iter().flat_map(both).collect() },
        analysis: Some(Analysis { interval: minutes(1), max_wait: minutes(60), metrics, kayenta: None }),
        ..RolloutPlan::all_at_once(Smoke::ReadyOnly, minutes(10))
    }
}

fn known(rate: Option<f64>, error_ratio: Option<f64>) -> Known {
    let given = Given {
        rate,
        error_ratio,
        accuracy: Some(0.92),
        labelled: Some(1.0),
        regression: 2.0,
        accuracy_loss: 0.05,
    };
    Known { given, measured_rate: None, counters: None, notes: vec![] }
}

fn errors() -> Metric {
    Metric::with_defaults("errors", MetricKind::ErrorRatio)
}

fn outlook_of(plan: &RolloutPlan, known: &Known) -> Outlook {
    let analysis = analysis(vec![errors()]);
    let terms = Terms { known, interval: minutes(1), analysis: &analysis };
    outlook(&plan.analysis.as_ref().unwrap().metrics[0], &way(plan, true), plan, &terms)
}

fn in_time(after: u64, waits: bool) -> Outlook {
    Outlook::InTime { after: minutes(after), waits }
}

#[test]
fn the_way_joins_a_share_with_its_pause_and_waits_before_stable_loses_its_traffic() {
    let plan = canary(&[(5, Some(10)), (50, None)], vec![errors()]);
    let stable = Some(Comparison::Stable);
    assert_eq!(
        way(&plan, true),
        [
            Stretch {
                weight: weight(5),
                mirror: weight(0),
                matched: false,
                lasts: Some(minutes(10)),
                against: stable,
                needs_verdict: false
            },
            Stretch {
                weight: weight(50),
                mirror: weight(0),
                matched: false,
                lasts: None,
                against: stable,
                needs_verdict: true
            },
            Stretch {
                weight: Weight::ALL,
                mirror: weight(0),
                matched: false,
                lasts: Some(Duration::default()),
                against: Some(Comparison::Bound),
                needs_verdict: false
            },
        ]
    );
    let held = RolloutPlan { hold_back: weight(5), bake: minutes(10), ..plan };
    let last = way(&held, true)[2];
    assert_eq!((last.weight, last.against, last.needs_verdict), (weight(95), stable, true));
    let strategy = Strategy::BlueGreen { preview: minutes(5), auto_promote: false, mirror: weight(0) };
    let shares: Vec<_> = way(&RolloutPlan { strategy, ..held }, true)
        .iter()
        .map(|stretch| (stretch.weight.get(), stretch.lasts, stretch.against))
        .collect();
    assert_eq!(shares, [(0, Some(minutes(5)), None), (0, None, None), (95, Some(minutes(10)), stable)]);
}

#[test]
fn evidence_is_added_up_over_shares_and_the_wait() {
    // 4,420 requests at 10 %: 600 in a minute.
    let plan = |pause| canary(&[(10, Some(pause))], vec![errors()]);
    assert_eq!(outlook_of(&plan(10), &known(Some(100.0), Some(0.01))), in_time(8, false));
    assert_eq!(outlook_of(&plan(5), &known(Some(100.0), Some(0.01))), in_time(8, true));
    // Six minutes at a tenth bring most of it, the rest comes much faster.
    let two = canary(&[(10, Some(6)), (50, Some(6))], vec![errors()]);
    let Outlook::InTime { after, waits: false } = outlook_of(&two, &known(Some(100.0), Some(0.01))) else {
        panic!("it is in time")
    };
    assert_eq!(after, minutes(7));
}

#[test]
fn too_little_traffic_is_too_late_and_each_advice_is_enough() {
    let plan = canary(&[(10, Some(30))], vec![errors()]);
    let slow = known(Some(10.0), Some(0.01));
    // 4,420 requests need 73 minutes at one per second: in time with the wait. At 0.1 % they need twelve hours.
    assert_eq!(outlook_of(&plan, &slow), in_time(74, true));
    let rare = known(Some(10.0), Some(0.001));
    let Outlook::TooLate { reached, advice } = outlook_of(&plan, &rare) else { panic!("it is too late") };
    assert_eq!(reached, 12, "90 minutes of 744");
    assert_eq!(advice[0], "`max-wait: 12h`");
    let mut longer = plan.clone();
    longer.analysis.as_mut().unwrap().max_wait = "12h".parse().unwrap();
    assert!(matches!(outlook_of(&longer, &rare), Outlook::InTime { waits: true, .. }));
    let some = known(Some(40.0), Some(0.002));
    let Outlook::TooLate { advice, .. } = outlook_of(&plan, &some) else { panic!("it is too late") };
    assert!(advice.contains(&"a last share of 25% instead of 10%".to_owned()), "{advice:?}");
    let wider = "`promote-margin: { ratio: 2 }`".to_owned();
    assert!(advice.contains(&wider), "{advice:?}");
    assert!(matches!(outlook_of(&canary(&[(25, Some(30))], vec![errors()]), &some), Outlook::InTime { .. }));
    let metric = Metric { promote_margin: Margin::Ratio(2.0), ..errors() };
    assert!(matches!(outlook_of(&canary(&[(10, Some(30))], vec![metric]), &some), Outlook::InTime { .. }));
}

#[test]
fn nothing_is_guessed() {
    let plan = canary(&[(10, Some(30))], vec![errors()]);
    for (known, flag) in [
        (known(None, Some(0.01)), "--rate"),
        (known(Some(100.0), None), "--error-ratio"),
        (known(None, None), "--error-ratio"),
    ] {
        let Outlook::Unknown { why } = outlook_of(&plan, &known) else { panic!("it is unknown") };
        assert!(why.contains(flag), "{why}");
    }
    assert!(matches!(outlook_of(&plan, &known(Some(100.0), Some(0.0))), Outlook::Never { .. }));
    let paired = Metric::with_defaults("pairs", MetricKind::PairedAccuracy);
    let plan = canary(&[(10, Some(30))], vec![paired]);
    assert!(matches!(outlook_of(&plan, &known(Some(100.0), Some(0.01))), Outlook::Never { .. }));
    let strategy = Strategy::Shadow { mirror: weight(100), length: minutes(30) };
    let shadow = RolloutPlan { strategy, ..plan };
    assert!(matches!(outlook_of(&shadow, &known(Some(100.0), Some(0.01))), Outlook::Unknown { .. }));
}

#[test]
fn copies_tell_as_much_as_the_requests_that_they_are_of() {
    let strategy = Strategy::Shadow { mirror: weight(100), length: minutes(30) };
    let plan = RolloutPlan { strategy, ..canary(&[], vec![errors()]) };
    let [shadow, all] = way(&plan, true)[..] else { panic!("{:?}", way(&plan, true)) };
    assert_eq!((shadow.mirror, shadow.against), (weight(100), Some(Comparison::Shadow)));
    assert!(shadow.needs_verdict && all.weight == Weight::ALL);
    let outlook = outlook_of(&plan, &known(Some(100.0), Some(0.01)));
    let half = outlook_of(&canary(&[(50, Some(30))], vec![errors()]), &known(Some(100.0), Some(0.01)));
    let (Outlook::InTime { after, .. }, Outlook::InTime { after: shared, .. }) = (&outlook, &half) else {
        panic!("{outlook:?} {half:?}")
    };
    assert!(after <= shared, "every request is answered twice: {after} and {shared}");
}

#[test]
fn labels_that_are_few_or_late_take_their_time() {
    let metric = Metric {
        label_delay: minutes(10),
        ..Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy)
    };
    let plan = canary(&[(10, Some(10))], vec![metric]);
    // 1,690 labels at 8 % wrong answers: three minutes, and ten until the first of them is there.
    let all = known(Some(100.0), None);
    assert_eq!(outlook_of(&plan, &all), in_time(13, true));
    let few = Known { given: Given { labelled: Some(0.1), ..all.given }, ..all.clone() };
    assert_eq!(outlook_of(&plan, &few), in_time(39, true));
    let untold = Known { given: Given { labelled: None, ..all.given }, ..all };
    let Outlook::Unknown { why } = outlook_of(&plan, &untold) else { panic!("it is unknown") };
    assert!(why.contains("--label-share"), "{why}");
}

#[test]
fn counters_tell_what_they_hold_enough_of() {
    let histogram = Histogram { bounds: vec![5.0, 50.0, 500.0], counts: vec![500, 480, 19, 1] };
    let counters = Counters {
        requests: 1_000,
        errors: 10,
        latency: Some(histogram),
        correct: 90,
        incorrect: 10,
        classes: Some(BTreeMap::new()),
        shadow: None,
    };
    let given = Given { accuracy: None, labelled: None, ..known(None, None).given };
    let full = Known { given, measured_rate: Some(20.0), counters: Some(counters.clone()), notes: vec![] };
    let measured = |value| Ok(Figure { value, from: Origin::Measured });
    let share = |known: &Known, kind, against| known.share(&Metric::with_defaults("m", kind), against);
    assert_eq!(share(&full, MetricKind::ErrorRatio, Comparison::Stable), measured(0.01));
    assert_eq!(share(&full, MetricKind::LabelledAccuracy, Comparison::Stable), measured(0.1));
    assert_eq!(share(&full, MetricKind::Latency, Comparison::Stable), measured(0.02));
    assert_eq!(full.labelled(), measured(0.1));
    let bounded = Metric {
        bound: Some(Bound::Latency { quantile: 0.99, within_ms: 500.0 }),
        ..Metric::with_defaults("latency", MetricKind::Latency)
    };
    assert_eq!(full.share(&bounded, Comparison::Bound), measured(0.001));

    let few = Counters { errors: 2, latency: None, correct: 3, incorrect: 0, ..counters };
    let few = Known { counters: Some(few), ..full };
    let why = share(&few, MetricKind::ErrorRatio, Comparison::Stable).unwrap_err();
    assert_eq!(why, "only 2 errors in 1000 answers of stable were counted; pass --error-ratio, e.g. 1%");
    assert_eq!(share(&few, MetricKind::ErrorRatio, Comparison::Bound), measured(0.002));
    assert!(few.labelled().is_err());
    let worst = Figure { value: 0.01, from: Origin::WorstCase };
    assert_eq!(share(&few, MetricKind::Latency, Comparison::Stable), Ok(worst));
    assert!(few.share(&bounded, Comparison::Bound).is_err());
}

#[test]
fn a_regression_within_the_tolerance_is_never_seen() {
    let analysis = analysis(vec![errors()]);
    let terms = |known| Terms { known, interval: minutes(1), analysis: &analysis };
    let known = known(Some(100.0), Some(0.01));
    let plan = canary(&[(10, Some(10))], vec![]);
    let seen = |tolerance| {
        let metric = Metric { tolerance, ..errors() };
        let stretches = way(
            &RolloutPlan {
                analysis: Some(Analysis {
                    interval: minutes(1),
                    max_wait: minutes(1),
                    metrics: vec![metric.clone()],
                    kayenta: None,
                }),
                ..plan.clone()
            },
            true,
        );
        needs(&metric, &stretches, &terms(&known))[0].see
    };
    let [strict, lax] = [seen(1.0).unwrap(), seen(1.25).unwrap()];
    assert!(strict.observations < lax.observations);
    assert_eq!(seen(2.0), None);
}

#[test]
fn values_the_way_of_kayenta_are_judged_when_their_lifetime_is_over() {
    let kayenta = KayentaMetric { groups: vec!["all".to_owned()], ..KayentaMetric::default() };
    let p99 = Metric {
        judge: Judge::Kayenta,
        own_source: true,
        kayenta: Some(kayenta),
        ..Metric::with_defaults("p99", MetricKind::Value)
    };
    let said = |lifetime: Option<u64>| {
        let mut plan = canary(&[(10, Some(20))], vec![p99.clone()]);
        let analysis = plan.analysis.as_mut().unwrap();
        analysis.kayenta = lifetime.map(|lifetime| KayentaScore {
            lifetime: minutes(lifetime),
            group_weights: [].into(),
            pass: 75.0,
            marginal: 50.0,
        });
        let (analysis, known) = (analysis.clone(), known(None, None));
        let terms = Terms { known: &known, interval: minutes(1), analysis: &analysis };
        assert!(needs(&p99, &way(&plan, true), &terms).is_empty(), "it takes looks, not requests");
        outlook(&p99, &way(&plan, true), &plan, &terms)
    };
    assert_eq!(said(Some(10)), in_time(11, false));
    assert_eq!(said(Some(30)), in_time(31, true));
    let Outlook::TooLate { advice, .. } = said(Some(120)) else { panic!("it is too late") };
    assert_eq!(advice[0], "`max-wait: 1h41m`");
    assert!(matches!(said(None), Outlook::Unknown { .. }));
}

#[test]
fn how_many_carry_a_header_is_not_guessed() {
    let plan = RolloutPlan {
        strategy: Strategy::Matched { rule: beta(), length: minutes(60) },
        ..canary(&[(10, None)], vec![errors()])
    };
    let stretches = way(&plan, true);
    assert_eq!(stretches.len(), 2);
    assert!(stretches[0].matched && stretches[0].needs_verdict);
    assert_eq!(stretches[0].against, Some(Comparison::Stable));
    let Outlook::Unknown { why } = outlook_of(&plan, &known(Some(100.0), Some(0.01))) else {
        panic!("a guess")
    };
    assert_eq!(why, "how many requests carry `x-cohort: beta` is not known before");
}

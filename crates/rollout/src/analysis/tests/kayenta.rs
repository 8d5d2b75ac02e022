//! The judge of Kayenta: nothing before the lifetime is over, one class a metric and one score, and what it leads to.

use serde_json::{Value, json};
use tagship_domain::{
    Duration,
    analysis::{Judge, Metric, MetricKind, MetricPhase, Seen, Window},
    evidence::Test,
    kayenta::{Direction, KayentaClass, KayentaMetric, KayentaScore, NanStrategy, SCORE},
    rollout::Reason,
};

use super::{super::resume, Rollout, Standing, errors, failed_to_measure, shares};

/// A metric that an increase is bad for, in a group of its own.
fn metric(name: &str) -> Metric {
    let kayenta = KayentaMetric {
        direction: Direction::Increase,
        groups: vec![name.to_owned()],
        ..KayentaMetric::default()
    };
    Metric {
        judge: Judge::Kayenta,
        own_source: true,
        kayenta: Some(kayenta),
        ..Metric::with_defaults(name, MetricKind::Value)
    }
}

fn with(name: &str, change: impl FnOnce(&mut KayentaMetric)) -> Metric {
    let mut metric = metric(name);
    change(metric.kayenta.as_mut().unwrap());
    metric
}

/// An analysis of nothing else, judged after nine minutes: the tenth look.
fn rollout(metrics: Vec<Metric>) -> Rollout {
    let mut rollout = Rollout::of(metrics);
    rollout.analysis.kayenta = Some(KayentaScore {
        lifetime: Duration::from_secs(540),
        group_weights: [].into(),
        pass: 75.0,
        marginal: 50.0,
    });
    rollout
}

fn values(stable: impl Into<Value>, candidate: impl Into<Value>) -> Seen {
    Seen::Window(Window::Values { stable: Some(stable.into()), result: candidate.into() })
}

fn wave(look: u32) -> f64 {
    100.0 + f64::from(look * 7 % 10)
}

/// What a metric is seen to do at a look.
type Sight = fn(u32) -> Seen;
const SAME: Sight = |look| values(wave(look), wave(look + 3));
const HIGH: Sight = |look| values(wave(look), 2.0 * wave(look + 3));
const LOW: Sight = |look| values(wave(look), 0.5 * wave(look + 3));
const SILENT: Sight = |look| values(wave(look), Value::Null);
const FEW: Sight = |look| if look % 3 == 0 { values(wave(look), 2.0 * wave(look)) } else { SILENT(look) };

/// Ten looks: the lifetime. Answers what the last one leads to; nothing is decided by those before.
fn live(rollout: &mut Rollout, sights: &[(&str, Sight)]) -> Standing {
    let mut last = None;
    for look in 0..10 {
        if let Some(standing) = last {
            assert!(matches!(standing, Standing::Continue(_)), "{look}: {standing:?}");
        }
        let seen: Vec<(&str, Seen)> = sights.iter().map(|(name, sight)| (*name, sight(look))).collect();
        last = Some(rollout.look(&seen));
    }
    last.unwrap()
}

fn class(rollout: &Rollout, name: &str) -> KayentaClass {
    match rollout.judge(name).evidence.as_ref().and_then(|known| known.test.as_ref()) {
        Some(Test::Kayenta(evidence)) => evidence.judged.as_ref().unwrap().class,
        other => panic!("{other:?}"),
    }
}

fn score(rollout: &Rollout) -> Option<f64> {
    rollout.judge(SCORE).measurement.as_ref()?.value
}

#[test]
fn looks_before_the_lifetime_is_over_decide_nothing() {
    let mut rollout = rollout(vec![metric("latency")]);
    for look in 0..9 {
        assert!(matches!(rollout.look(&[("latency", HIGH(look))]), Standing::Continue(_)), "{look}");
    }
    assert_eq!((rollout.judge("latency").phase, rollout.judge("latency").n), (MetricPhase::Running, 9));
    let said = &rollout.judge(SCORE).message;
    assert!(said.contains("9 values") && said.contains("judged once, 9m after the first look"), "{said}");
}

#[test]
fn equal_values_are_good_and_higher_ones_lead_back() {
    let mut good = rollout(vec![metric("latency")]);
    let Standing::Promote(said) = live(&mut good, &[("latency", SAME)]) else { panic!() };
    assert!(said.contains("score 100 of 100, Pass") && said.contains("holds no error rate"), "{said}");
    assert_eq!((score(&good), class(&good, "latency")), (Some(100.0), KayentaClass::Pass));

    let mut bad = rollout(vec![metric("latency")]);
    let Standing::Rollback { reason, cause } = live(&mut bad, &[("latency", HIGH)]) else { panic!() };
    assert_eq!(reason, Reason::AnalysisFailed);
    assert!(cause.contains("score 0 of 100, Fail") && cause.contains("latency High"), "{cause}");
    let said = &bad.judge("latency").message;
    assert!(said.starts_with("High: shifted by ") && said.contains("its mean is 2 times stable's"), "{said}");
}

#[test]
fn only_the_direction_that_was_asked_for_counts() {
    for (direction, sight, class_of) in [
        (Direction::Increase, LOW, KayentaClass::Pass),
        (Direction::Decrease, LOW, KayentaClass::Low),
        (Direction::Decrease, HIGH, KayentaClass::Pass),
        (Direction::Either, LOW, KayentaClass::Low),
        (Direction::Either, HIGH, KayentaClass::High),
    ] {
        let mut judged = rollout(vec![with("m", |kayenta| kayenta.direction = direction)]);
        live(&mut judged, &[("m", sight)]);
        assert_eq!(class(&judged, "m"), class_of, "{direction:?}");
    }
}

#[test]
fn a_change_below_the_allowed_size_passes() {
    let mut judged = rollout(vec![with("m", |kayenta| kayenta.effect_size.allowed_increase = Some(2.5))]);
    live(&mut judged, &[("m", HIGH)]);
    assert_eq!(class(&judged, "m"), KayentaClass::Pass);
}

#[test]
fn the_score_decides_and_no_metric_of_it() {
    let metrics = || vec![metric("a"), metric("b"), metric("c"), metric("d"), metric("e")];
    let sights = |bad: usize| -> Vec<(&str, Sight)> {
        let sight = |at: usize| if at < bad { HIGH } else { SAME };
        ["a", "b", "c", "d", "e"].into_iter().enumerate().map(|(at, name)| (name, sight(at))).collect()
    };
    // 80: good, whatever the one metric shows.
    let mut passes = rollout(metrics());
    assert!(matches!(live(&mut passes, &sights(1)), Standing::Promote(_)));
    assert_eq!((score(&passes), passes.judge("a").phase), (Some(80.0), MetricPhase::Failed));
    // 60: marginal.
    let mut marginal = rollout(metrics());
    let Standing::Inconclusive { reason, message } = live(&mut marginal, &sights(2)) else { panic!() };
    assert_eq!(reason, Reason::InconclusiveAnalysis);
    assert!(message.contains("score 60 of 100, Marginal"), "{message}");
    // 40: bad.
    assert!(matches!(live(&mut rollout(metrics()), &sights(3)), Standing::Rollback { .. }));
}

#[test]
fn weights_of_groups_count() {
    let mut judged = rollout(vec![metric("a"), metric("b")]);
    judged.analysis.kayenta.as_mut().unwrap().group_weights = [("b".to_owned(), 90.0)].into();
    assert!(matches!(live(&mut judged, &[("a", HIGH), ("b", SAME)]), Standing::Promote(_)));
    assert_eq!(score(&judged), Some(90.0));
    let said = &judged.judge(SCORE).message;
    assert!(said.contains("a 0 (weight 10)") && said.contains("b 100 (weight 90)"), "{said}");
}

#[test]
fn a_critical_metric_that_changed_makes_the_score_zero() {
    let others = || vec![metric("b"), metric("c"), metric("d"), metric("e")];
    let sights = |first| vec![("a", first), ("b", SAME), ("c", SAME), ("d", SAME), ("e", SAME)];
    let critical = |change: fn(&mut KayentaMetric)| {
        let first = with("a", |kayenta| {
            kayenta.critical = true;
            change(kayenta);
        });
        rollout([vec![first], others()].concat())
    };
    let mut bad = critical(|_| {});
    let Standing::Rollback { cause, .. } = live(&mut bad, &sights(HIGH)) else { panic!() };
    assert!(cause.contains("score 0 of 100") && cause.contains("a is critical and changed"), "{cause}");
    // The same change, smaller than what is critical.
    let mut tolerated = critical(|kayenta| kayenta.effect_size.critical_increase = Some(3.0));
    assert!(matches!(live(&mut tolerated, &sights(HIGH)), Standing::Promote(_)));
    // Without any value of the candidate it fails as in Kayenta; with too few nobody knows.
    assert!(matches!(live(&mut critical(|_| {}), &sights(SILENT)), Standing::Rollback { .. }));
    assert!(matches!(live(&mut critical(|_| {}), &sights(FEW)), Standing::Inconclusive { .. }));
}

#[test]
fn no_data_and_too_few_values_are_never_a_pass() {
    for (sight, class_of) in [(SILENT, KayentaClass::Nodata), (FEW, KayentaClass::Inconclusive)] {
        let mut judged = rollout(vec![metric("a")]);
        let standing = live(&mut judged, &[("a", sight)]);
        assert!(matches!(standing, Standing::Inconclusive { .. }), "{standing:?}");
        assert_eq!(class(&judged, "a"), class_of);
        let said = &judged.judge(SCORE).message;
        assert!(said.contains("could not be judged, so a person decides"), "{said}");
    }
    // Half of them known, and the rest could change the verdict.
    let mut judged = rollout(vec![metric("a"), metric("b"), metric("c")]);
    let standing = live(&mut judged, &[("a", SAME), ("b", SAME), ("c", SILENT)]);
    assert!(matches!(standing, Standing::Inconclusive { .. }), "{standing:?}");
    // What had to be there and was not counts as failed.
    let must = with("c", |kayenta| kayenta.must_have_data = true);
    let mut judged = rollout(vec![metric("a"), must]);
    live(&mut judged, &[("a", SAME), ("c", SILENT)]);
    assert_eq!((score(&judged), class(&judged, "c")), (Some(50.0), KayentaClass::NodataFailMetric));
}

#[test]
fn what_was_not_reported_may_count_as_zero_but_not_where_nothing_ever_was() {
    let half: Sight = |look| {
        let some = |limit| if look < limit { json!(0.0) } else { Value::Null };
        values(some(5), some(1))
    };
    for (strategy, sight, class_of) in [
        (NanStrategy::Remove, half, KayentaClass::Inconclusive),
        (NanStrategy::Replace, half, KayentaClass::Pass),
        (NanStrategy::Replace, SILENT, KayentaClass::Nodata),
        (NanStrategy::Replace, |_| values(Value::Null, Value::Null), KayentaClass::Nodata),
    ] {
        let mut judged = rollout(vec![with("a", |kayenta| kayenta.nan_strategy = strategy)]);
        live(&mut judged, &[("a", sight)]);
        assert_eq!(class(&judged, "a"), class_of, "{strategy:?}");
    }
}

#[test]
fn a_source_that_fails_too_often_leads_back_before_the_lifetime_is_over() {
    let mut judged = rollout(vec![metric("a"), metric("b")]);
    let fails = |rollout: &mut Rollout| rollout.look(&[("a", SAME(0)), ("b", failed_to_measure())]);
    for _ in 0..4 {
        assert!(matches!(fails(&mut judged), Standing::Continue(_)));
    }
    let standing = fails(&mut judged);
    assert!(matches!(standing, Standing::Rollback { reason: Reason::AnalysisError, .. }), "{standing:?}");
    // What is no number is no value.
    let mut judged = rollout(vec![metric("a")]);
    judged.look(&[("a", values(1, json!({ "p99": 4 })))]);
    assert!(
        judged.judge("a").message.contains("something else than a number"),
        "{}",
        judged.judge("a").message
    );
}

#[test]
fn it_is_judged_once_and_a_person_who_resumes_gets_another_lifetime() {
    let mut judged = rollout(vec![metric("a")]);
    live(&mut judged, &[("a", SAME)]);
    let state = judged.judge(SCORE).clone();
    for look in 0..20 {
        assert!(matches!(judged.look(&[("a", HIGH(look))]), Standing::Promote(_)));
    }
    assert_eq!(*judged.judge(SCORE), state);

    let mut judged = rollout(vec![metric("a")]);
    live(&mut judged, &[("a", SILENT)]);
    resume(&mut judged.judges);
    let standing = live(&mut judged, &[("a", HIGH)]);
    assert!(matches!(standing, Standing::Rollback { .. }), "{standing:?}");
    assert_eq!(judged.judge("a").n, 10);
}

#[test]
fn beside_other_metrics_every_one_has_to_be_good_and_a_dry_run_has_no_part() {
    let mut judged = rollout(vec![errors(), metric("a")]);
    for look in 0..12 {
        let standing = judged.look(&[("errors", shares((0, 10), (0, 10))), ("a", SAME(look))]);
        assert!(matches!(standing, Standing::Continue(_)), "{standing:?}");
    }
    assert_eq!(judged.judge(SCORE).phase, MetricPhase::Successful);

    let muted = Metric { dry_run: true, ..metric("b") };
    let mut judged = rollout(vec![metric("a"), muted]);
    assert!(matches!(live(&mut judged, &[("a", SAME), ("b", HIGH)]), Standing::Promote(_)));
    assert_eq!(class(&judged, "b"), KayentaClass::High);
    assert!(judged.judge("b").message.ends_with("(advisory)"), "{}", judged.judge("b").message);
}

#[test]
fn the_journal_keeps_a_bounded_number_of_values_and_none_after_the_verdict() {
    let mut judged = rollout(vec![metric("a")]);
    judged.analysis.kayenta.as_mut().unwrap().lifetime = Duration::from_secs(60 * 300);
    let samples = |rollout: &Rollout| match &rollout.judge("a").evidence.as_ref().unwrap().test {
        Some(Test::Kayenta(evidence)) => evidence.samples.len() as u64,
        other => panic!("{other:?}"),
    };
    for look in 0..300 {
        judged.look(&[("a", SAME(look))]);
    }
    assert_eq!(samples(&judged), KayentaMetric::MOST_SAMPLES);
    assert!(matches!(judged.look(&[("a", SAME(0))]), Standing::Promote(_)));
    assert_eq!(samples(&judged), 0);
}

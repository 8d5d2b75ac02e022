//! Metrics on values: the four cases of conditions, the counting, and what never passes.

use serde_json::{Value, json};
use tagship_domain::{
    Timestamp,
    analysis::{Metric, MetricKind, MetricPhase, OnNoData, Seen, Window},
    rollout::Reason,
    threshold::{Point, Threshold},
};

use super::super::{check_conditions, resume, value_window};
use super::{Against, Rollout, Standing, errors, failed_to_measure, good};

fn metric(success: Option<&str>, failure: Option<&str>) -> Metric {
    let threshold = Threshold {
        success: success.map(str::to_owned),
        failure: failure.map(str::to_owned),
        ..Threshold::default()
    };
    Metric {
        own_source: true,
        threshold: Some(threshold),
        ..Metric::with_defaults("share", MetricKind::Value)
    }
}

fn at_most_five() -> Metric {
    metric(Some("result <= 5"), None)
}

fn with(metric: Metric, change: impl FnOnce(&mut Threshold)) -> Metric {
    let mut threshold = metric.threshold.clone().unwrap();
    change(&mut threshold);
    Metric { threshold: Some(threshold), ..metric }
}

fn value(result: impl Into<Value>) -> Seen {
    Seen::Window(Window::Values { stable: None, result: result.into() })
}

fn beside(result: impl Into<Value>, stable: impl Into<Value>) -> Seen {
    Seen::Window(Window::Values { stable: Some(stable.into()), result: result.into() })
}

/// The phases after each of these looks.
fn phases(metric: Metric, looks: &[Seen]) -> Vec<MetricPhase> {
    let mut rollout = Rollout::of(vec![metric]);
    let phase = |seen: &Seen| {
        rollout.look(&[("share", seen.clone())]);
        rollout.judge("share").phase
    };
    looks.iter().map(phase).collect()
}

const GOOD: MetricPhase = MetricPhase::Successful;
const BAD: MetricPhase = MetricPhase::Failed;
const OPEN: MetricPhase = MetricPhase::Running;
const UNSURE: MetricPhase = MetricPhase::Inconclusive;

#[test]
fn the_four_cases() {
    for (success, failure, result, expected) in [
        (None, None, 9, GOOD),
        (Some("result <= 5"), None, 5, GOOD),
        (Some("result <= 5"), None, 6, BAD),
        (None, Some("result > 8"), 9, BAD),
        (None, Some("result > 8"), 8, GOOD),
        (Some("result <= 5"), Some("result > 8"), 9, BAD),
        (Some("result <= 5"), Some("result > 8"), 5, GOOD),
        (Some("result <= 5"), Some("result > 8"), 7, UNSURE),
        (Some("result <= 9"), Some("result > 8"), 9, BAD),
    ] {
        let found = phases(metric(success, failure), &[value(result)]);
        assert_eq!(found, [expected], "{success:?}, {failure:?}, {result}");
    }
}

#[test]
fn what_is_no_value_never_passes() {
    let erring = |metric: Metric| Metric { consecutive_error_limit: 0, ..metric };
    for (condition, result) in [
        ("result[3] < 5", json!([1])),
        ("result.p99 < 5", json!({ "p50": 1 })),
        ("result < 5", json!("4")),
        ("result.p99 < 5", json!({ "p99": null })),
        ("1.0 / result < 5", json!(0)),
        ("result", json!(4)),
        ("rate < 5", json!(4)),
        ("result <", json!(4)),
    ] {
        let found = phases(erring(metric(Some(condition), None)), &[value(result)]);
        assert_eq!(found, [MetricPhase::Error], "{condition}");
        let failure = phases(erring(metric(None, Some(condition))), &[value(json!({}))]);
        assert_eq!(failure, [MetricPhase::Error], "a condition that has no answer is no answer: {condition}");
    }
    for nothing in [value(Value::Null), beside(1, Value::Null)] {
        for (on_no_data, expected) in
            [(OnNoData::Wait, MetricPhase::Pending), (OnNoData::Inconclusive, UNSURE), (OnNoData::Fail, BAD)]
        {
            let metric = Metric { on_no_data, ..at_most_five() };
            assert_eq!(phases(metric, std::slice::from_ref(&nothing)), [expected]);
        }
    }
    assert_eq!(phases(metric(Some("result <= stable"), None), &[value(1)]), [MetricPhase::Pending]);
}

#[test]
fn limits_are_passed_and_not_reached() {
    let (yes, no, error) = (value(1), value(9), failed_to_measure());
    let limited =
        |failed, errors| Metric { failure_limit: failed, consecutive_error_limit: errors, ..at_most_five() };
    assert_eq!(phases(limited(0, 4), &[yes.clone(), no.clone()]), [GOOD, BAD]);
    let three = vec![no.clone(); 4];
    assert_eq!(
        phases(limited(3, 4), &three),
        [OPEN, OPEN, OPEN, BAD],
        "the fourth of three that are tolerated"
    );
    let off = Metric { failure_limit: Metric::NO_LIMIT, ..at_most_five() };
    assert_eq!(phases(off, &vec![no.clone(); 9]), [OPEN; 9]);

    let errors = [error.clone(), error.clone(), yes.clone(), error.clone(), error.clone(), error.clone()];
    let expected = [MetricPhase::Pending, MetricPhase::Pending, GOOD, OPEN, OPEN, MetricPhase::Error];
    assert_eq!(phases(limited(0, 2), &errors), expected, "a value in between forgives errors");

    let both = metric(Some("result <= 5"), Some("result > 8"));
    let unsure = Metric { inconclusive_limit: 1, ..both };
    assert_eq!(phases(unsure.clone(), &[value(7), value(7)]), [OPEN, UNSURE]);
    // The worst limit counts, whatever was passed last.
    assert_eq!(phases(unsure, &[value(7), value(7), no]), [OPEN, UNSURE, BAD]);
}

#[test]
fn counts_and_good_looks_in_a_row_end_a_metric() {
    let (yes, no) = (value(1), value(9));
    let counted = with(Metric { failure_limit: 1, ..at_most_five() }, |threshold| threshold.count = Some(3));
    assert_eq!(phases(counted.clone(), &[yes.clone(), no.clone(), yes.clone()]), [OPEN, OPEN, GOOD]);
    let after = [yes.clone(), yes.clone(), yes.clone(), no.clone(), no.clone()];
    assert_eq!(phases(counted.clone(), &after), [OPEN, OPEN, GOOD, GOOD, GOOD], "it is over with its count");
    assert_eq!(phases(counted, &[no.clone(), no.clone()]), [OPEN, BAD]);

    let row = |count, failure_limit| {
        let metric = Metric { failure_limit, ..at_most_five() };
        with(metric, |threshold| (threshold.count, threshold.consecutive_success_limit) = (count, Some(2)))
    };
    let (on, off) = (9, Metric::NO_LIMIT);
    assert_eq!(
        phases(row(None, on), &[yes.clone(), no.clone(), yes.clone(), yes.clone()]),
        [OPEN, OPEN, OPEN, GOOD]
    );
    let never_two = [yes.clone(), no.clone(), yes.clone()];
    assert_eq!(
        phases(row(Some(3), on), &never_two),
        [OPEN, OPEN, UNSURE],
        "looks are over, and never two in a row"
    );
    assert_eq!(phases(row(Some(3), off), &never_two), [OPEN, OPEN, BAD], "where failed looks end nothing");
    assert_eq!(phases(row(Some(2), on), &[yes.clone(), yes.clone()]), [OPEN, GOOD], "both at once are good");
    let later = [no.clone(), no, yes.clone(), yes];
    assert_eq!(
        phases(row(Some(2), on), &later),
        [OPEN, UNSURE, UNSURE, UNSURE],
        "only a person leads on from there"
    );
}

#[test]
fn each_limit_is_the_number_that_is_tolerated() {
    let both = || metric(Some("result <= 5"), Some("result > 8"));
    let tolerant = |limit| Metric {
        failure_limit: limit,
        inconclusive_limit: limit,
        consecutive_error_limit: limit,
        ..both()
    };
    for (seen, ends) in [(value(9), BAD), (value(7), UNSURE), (failed_to_measure(), MetricPhase::Error)] {
        for limit in [0, 1, 4] {
            let looks = vec![seen.clone(); usize::try_from(limit).unwrap() + 1];
            let found = phases(tolerant(limit), &looks);
            let (last, before) = found.split_last().unwrap();
            assert_eq!(*last, ends, "{limit} are tolerated, one more is not");
            assert!(before.iter().all(|phase| *phase != ends), "{limit}: {found:?}");
        }
    }
    // A limit on errors alone is about a row of them, the others are about all looks.
    let apart = |seen: Seen| vec![seen.clone(), value(1), seen.clone(), value(1), seen];
    assert_eq!(
        phases(tolerant(1), &apart(failed_to_measure())),
        [MetricPhase::Pending, GOOD, OPEN, GOOD, OPEN]
    );
    assert_eq!(phases(tolerant(1), &apart(value(9))), [OPEN, GOOD, BAD, BAD, BAD]);
    assert_eq!(phases(tolerant(1), &apart(value(7))), [OPEN, GOOD, UNSURE, UNSURE, UNSURE]);
}

#[test]
fn of_several_limits_that_are_passed_the_worst_counts() {
    // There, the one that is asked last hides the one before: error hides inconclusive, inconclusive hides failed.
    let strict = Metric { consecutive_error_limit: 0, ..metric(Some("result <= 5"), Some("result > 8")) };
    let (no, unsure, error) = (value(9), value(7), failed_to_measure());
    assert_eq!(phases(strict.clone(), &[unsure.clone(), error.clone()])[1], MetricPhase::Error);
    assert_eq!(phases(strict.clone(), &[no.clone(), unsure.clone()])[1], BAD);
    assert_eq!(phases(strict.clone(), &[no.clone(), error.clone()])[1], BAD);
    assert_eq!(phases(strict, &[unsure, error, no])[2], BAD);
}

#[test]
fn a_count_is_over_with_its_last_look_and_needs_a_good_one() {
    let counted = |count| with(at_most_five(), |threshold| threshold.count = Some(count));
    let (yes, no, error) = (value(1), value(9), failed_to_measure());
    assert_eq!(phases(counted(1), std::slice::from_ref(&yes)), [GOOD]);
    assert_eq!(phases(counted(3), &vec![yes.clone(); 3]), [OPEN, OPEN, GOOD]);
    // A look that could not be measured is none of them.
    assert_eq!(phases(counted(2), &[yes.clone(), error.clone(), yes.clone()]), [OPEN, OPEN, GOOD]);
    // There, three failed looks of three that are tolerated are a success.
    for failure_limit in [3, Metric::NO_LIMIT] {
        let tolerant = Metric { failure_limit, ..counted(3) };
        assert_eq!(phases(tolerant.clone(), &vec![no.clone(); 3]), [OPEN, OPEN, UNSURE]);
        assert_eq!(phases(tolerant, &[no.clone(), yes.clone(), no.clone()]), [OPEN, OPEN, GOOD]);
    }
    let unsure = metric(Some("result <= 5"), Some("result > 8"));
    let tolerant = with(Metric { inconclusive_limit: 5, ..unsure }, |threshold| threshold.count = Some(2));
    assert_eq!(phases(tolerant, &[value(7), value(7)]), [OPEN, UNSURE]);
    // Errors alone never end it, and never well.
    let patient = Metric { consecutive_error_limit: 99, ..counted(2) };
    assert_eq!(phases(patient, &vec![error; 50]), [MetricPhase::Pending; 50]);
}

#[test]
fn good_looks_in_a_row_are_enough_at_their_limit_and_a_look_in_between_breaks_them() {
    let row = |limit| {
        with(Metric { failure_limit: 9, ..at_most_five() }, |threshold| {
            threshold.consecutive_success_limit = Some(limit);
        })
    };
    let (yes, no, error) = (value(1), value(9), failed_to_measure());
    assert_eq!(phases(row(1), &[no.clone(), yes.clone()]), [OPEN, GOOD]);
    assert_eq!(phases(row(3), &vec![yes.clone(); 3]), [OPEN, OPEN, GOOD]);
    for between in [no, error] {
        let looks = [yes.clone(), yes.clone(), between, yes.clone(), yes.clone(), yes.clone()];
        assert_eq!(phases(row(3), &looks), [OPEN, OPEN, OPEN, OPEN, OPEN, GOOD]);
    }
}

#[test]
fn a_person_who_resumes_starts_the_count_anew() {
    let metric = with(at_most_five(), |threshold| {
        (threshold.failure, threshold.count) = (Some("result > 8".to_owned()), Some(2));
    });
    let mut rollout = Rollout::of(vec![metric]);
    let standing = rollout.look(&[("share", value(7))]);
    let Standing::Inconclusive { reason, message } = standing else { panic!("{standing:?}") };
    assert_eq!(reason, Reason::InconclusiveAnalysis);
    assert!(message.contains("result is 7") && message.contains("1 inconclusive, 0 tolerated"), "{message}");
    resume(&mut rollout.judges);
    assert!(matches!(rollout.look(&[("share", value(1))]), Standing::Continue(_)));
    assert!(matches!(rollout.look(&[("share", value(1))]), Standing::Promote(_)));
}

#[test]
fn it_decides_beside_others_and_a_dry_run_does_not() {
    let mut rollout = Rollout::of(vec![errors(), at_most_five()]);
    assert!(matches!(rollout.look(&[("errors", good()), ("share", value(1))]), Standing::Continue(_)));
    let standing = rollout.look(&[("share", value(9))]);
    assert!(matches!(standing, Standing::Rollback { reason: Reason::AnalysisFailed, .. }), "{standing:?}");

    let dry = Metric { dry_run: true, ..at_most_five() };
    let mut rollout = Rollout::of(vec![errors(), dry]);
    assert!(matches!(rollout.look(&[("errors", good()), ("share", value(9))]), Standing::Continue(_)));
    assert_eq!(rollout.judge("share").phase, BAD);
    assert!(rollout.judge("share").message.ends_with("(advisory)"), "{}", rollout.judge("share").message);
}

#[test]
fn without_stable_it_is_judged_unless_its_conditions_read_stable() {
    assert!(Against::Bound.applies(&at_most_five()));
    assert!(!Against::Bound.applies(&metric(Some("result <= stable"), None)));
    let mut rollout = Rollout::of(vec![at_most_five()]);
    rollout.against = Against::Bound;
    assert!(matches!(rollout.look(&[("share", value(1))]), Standing::Promote(_)));
}

#[test]
fn conditions_compare_and_say_what_they_saw() {
    let mut rollout = Rollout::of(vec![metric(Some("result.p99 <= stable.p99 * 1.2"), None)]);
    rollout.look(&[("share", beside(json!({ "p99": 0.000_123_456 }), json!({ "p99": 0.25 })))]);
    let judge = rollout.judge("share");
    assert_eq!((judge.phase, judge.n), (GOOD, 1));
    assert!(judge.message.starts_with("result.p99 is 0.0001235, stable.p99 is 0.25; "), "{}", judge.message);
    let mut rollout = Rollout::of(vec![metric(Some("result <= stable"), None)]);
    rollout.look(&[("share", beside(7, 12.5))]);
    let numbers = rollout.judge("share").measurement.clone().unwrap();
    assert_eq!((numbers.value, numbers.stable, numbers.n), (Some(7.0), Some(12.5), [1, 1]));
}

#[test]
fn mistakes_in_conditions_are_found_without_data() {
    assert!(check_conditions(&metric(Some("result < stable"), Some("result > 1"))).is_ok());
    for (condition, words) in [("result <", "line 1"), ("rate < 5", "rate"), ("", "empty")] {
        let error = check_conditions(&metric(None, Some(condition))).unwrap_err().to_string();
        assert!(error.starts_with("`failure` of metric `share`: ") && error.contains(words), "{error}");
    }
}

#[test]
fn of_several_values_the_newest_that_is_one_counts() {
    let at: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let point = |value: Value| Point { at, value };
    let result = |points: &[Point]| match value_window(None, points) {
        Seen::Window(Window::Values { stable: None, result }) => result,
        other => panic!("{other:?}"),
    };
    assert_eq!(result(&[point(json!(1)), point(json!(2)), point(Value::Null)]), json!(2));
    assert_eq!(result(&[point(Value::Null)]), Value::Null);
    assert_eq!(result(&[]), Value::Null);
}

//! Limits, missing data and what could not be measured.

use tagship_domain::{
    Duration,
    analysis::{Judge, JudgeState, Metric, MetricKind, MetricPhase, OnNoData},
    rollout::Reason,
};

use super::super::resume;
use super::{Rollout, Standing, bad, errors, failed_to_measure, good, nothing};

#[test]
fn failed_looks_up_to_the_limit_are_tolerated() {
    let strict = Metric { judge: Judge::BoundaryE, ..errors() };
    let first = |metric: Metric| {
        let mut rollout = Rollout::of(vec![metric]);
        (1..=20).find(|_| matches!(rollout.look(&[("errors", bad())]), Standing::Rollback { .. })).unwrap()
    };
    let at_once = first(strict.clone());
    assert_eq!(first(Metric { failure_limit: 3, ..strict.clone() }), at_once + 3);
    let mut rollout = Rollout::of(vec![Metric { failure_limit: 3, ..strict }]);
    for _ in 0..at_once {
        rollout.look(&[("errors", bad())]);
    }
    let judge = rollout.judge("errors");
    assert_eq!((judge.phase, judge.looks.failed), (MetricPhase::Running, 1));
    assert!(judge.message.contains("1 failed looks of 3 are tolerated"), "{}", judge.message);
}

#[test]
fn errors_in_a_row_beyond_the_limit_roll_back_and_a_measurement_in_between_forgives_them() {
    let mut rollout = Rollout::of(vec![errors()]);
    for _ in 0..4 {
        assert!(matches!(rollout.look(&[("errors", failed_to_measure())]), Standing::Continue(_)));
    }
    assert!(matches!(rollout.look(&[("errors", good())]), Standing::Continue(_)));
    for _ in 0..4 {
        assert!(matches!(rollout.look(&[("errors", failed_to_measure())]), Standing::Continue(_)));
    }
    let standing = rollout.look(&[("errors", failed_to_measure())]);
    let Standing::Rollback { reason: Reason::AnalysisError, cause } = standing else {
        panic!("{standing:?}")
    };
    assert!(cause.contains("5 looks in a row, 4 are tolerated"), "{cause}");
    assert!(cause.contains("the target did not answer"), "{cause}");
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Error);
}

#[test]
fn a_look_that_was_repeated_counts_one_error() {
    let mut rollout = Rollout::of(vec![errors()]);
    rollout.look(&[("errors", failed_to_measure())]);
    rollout.again(&[("errors", failed_to_measure())]);
    rollout.again(&[("errors", failed_to_measure())]);
    assert_eq!(rollout.judge("errors").looks.consecutive_errors, 1);
}

#[test]
fn looks_without_data_are_what_the_metric_says() {
    let run = |on_no_data, limit| {
        let limits = Metric { failure_limit: limit, inconclusive_limit: limit, ..errors() };
        let mut rollout = Rollout::of(vec![Metric { on_no_data, ..limits }]);
        let standings: Vec<Standing> = (0..3).map(|_| rollout.look(&[("errors", nothing())])).collect();
        (standings, rollout)
    };
    let (standings, rollout) = run(OnNoData::Wait, 0);
    assert!(standings.iter().all(|standing| matches!(standing, Standing::Continue(_))));
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Pending);
    assert!(rollout.judge("errors").message.contains("no requests of the candidate"));

    let (standings, rollout) = run(OnNoData::Inconclusive, 1);
    assert!(matches!(standings[0], Standing::Continue(_)));
    assert!(matches!(standings[1], Standing::Inconclusive { reason: Reason::NoData, .. }));
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Inconclusive);

    let (standings, rollout) = run(OnNoData::Fail, 1);
    assert!(matches!(standings[0], Standing::Continue(_)));
    assert!(matches!(standings[1], Standing::Rollback { reason: Reason::AnalysisFailed, .. }));
    assert_eq!(rollout.judge("errors").looks.failed, 3);
}

#[test]
fn a_person_who_resumes_starts_the_count_of_empty_looks_anew() {
    let mut rollout = Rollout::of(vec![Metric { on_no_data: OnNoData::Inconclusive, ..errors() }]);
    rollout.look(&[("errors", good())]);
    assert!(matches!(rollout.look(&[("errors", nothing())]), Standing::Inconclusive { .. }));
    resume(&mut rollout.judges);
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Running);
    assert!(!matches!(rollout.look(&[("errors", good())]), Standing::Inconclusive { .. }));
    assert_eq!(rollout.judge("errors").n, 1_200, "the evidence was kept");
}

#[test]
fn no_measurement_is_never_good_however_long_one_waits() {
    let mut rollout = Rollout::of(vec![errors()]);
    for look in 0..200 {
        let seen = [("errors", nothing())];
        let standing = rollout.look(if look % 2 == 0 { &seen } else { &[] });
        assert!(matches!(standing, Standing::Continue(_)), "{standing:?}");
    }
    assert_eq!(rollout.judge("errors").looks.measured, 0);
}

#[test]
fn the_worst_metric_counts() {
    let named = |name: &str, on_no_data| Metric { name: name.to_owned(), on_no_data, ..errors() };
    let erring = Metric { consecutive_error_limit: 0, ..named("erring", OnNoData::Wait) };
    let metrics =
        vec![named("empty", OnNoData::Inconclusive), erring, named("failing", OnNoData::Fail), errors()];
    let mut rollout = Rollout::of(metrics);
    let reason = |standing: Standing| match standing {
        Standing::Rollback { reason, .. } | Standing::Inconclusive { reason, .. } => Some(reason),
        _ => None,
    };
    assert_eq!(reason(rollout.look(&[("errors", good())])), None);
    assert_eq!(reason(rollout.look(&[("empty", nothing())])), Some(Reason::NoData));
    assert_eq!(reason(rollout.look(&[("erring", failed_to_measure())])), Some(Reason::AnalysisError));
    assert_eq!(reason(rollout.look(&[("failing", nothing())])), Some(Reason::AnalysisFailed));
}

#[test]
fn labels_that_are_not_due_yet_are_not_missing() {
    let metric = Metric {
        on_no_data: OnNoData::Fail,
        label_delay: Duration::from_secs(180),
        ..Metric::with_defaults("errors", MetricKind::LabelledAccuracy)
    };
    let mut rollout = Rollout::of(vec![metric]);
    for _ in 0..3 {
        assert!(matches!(rollout.look(&[("errors", nothing())]), Standing::Continue(_)));
        assert!(rollout.judge("errors").message.contains("labels arrive 3m late"));
    }
    assert!(matches!(rollout.look(&[("errors", nothing())]), Standing::Rollback { .. }));
}

#[test]
fn an_analysis_is_as_good_as_its_worst_metric() {
    // In this order: good, measured, not measured yet, undecided, not measurable, bad.
    let order = [
        MetricPhase::Successful,
        MetricPhase::Running,
        MetricPhase::Pending,
        MetricPhase::Inconclusive,
        MetricPhase::Error,
        MetricPhase::Failed,
    ];
    let rank = |standing: &Standing| match standing {
        Standing::Promote(_) => 0,
        Standing::Continue(_) => 1,
        Standing::Inconclusive { .. } => 3,
        Standing::Rollback { reason: Reason::AnalysisError, .. } => 4,
        Standing::Rollback { .. } => 5,
    };
    for (one, first) in order.iter().enumerate() {
        for (other, second) in order.iter().enumerate() {
            let named = |name: &str| Metric { name: name.to_owned(), ..errors() };
            let mut rollout = Rollout::of(vec![named("a"), named("b")]);
            for (name, phase) in [("a", first), ("b", second)] {
                rollout.judges.insert(name.to_owned(), JudgeState::checked(*phase, 0, String::new()));
            }
            let expected = [0, 1, 1, 3, 4, 5][one.max(other)];
            assert_eq!(rank(&rollout.look(&[])), expected, "{first:?}, {second:?}");
        }
    }
}

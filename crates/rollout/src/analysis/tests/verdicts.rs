//! What looks with data lead to.

use std::collections::BTreeMap;

use tagship_domain::{
    analysis::{Judge, Margin, Metric, MetricKind, MetricPhase, Seen, Window},
    evidence::Pairs,
    rollout::Reason,
    traffic::Histogram,
};

use super::{Against, Rollout, Standing, bad, errors, good, shares};

fn text(standing: &Standing) -> &str {
    match standing {
        Standing::Continue(text)
        | Standing::Promote(text)
        | Standing::Rollback { cause: text, .. }
        | Standing::Inconclusive { message: text, .. } => text,
    }
}

/// Looks until something is decided.
fn until_decided(rollout: &mut Rollout, seen: &[(&str, Seen)]) -> (usize, Standing) {
    for count in 1..=50 {
        match rollout.look(seen) {
            Standing::Continue(_) => {}
            decided => return (count, decided),
        }
    }
    panic!("nothing was decided: {:?}", rollout.judges);
}

#[test]
fn a_candidate_that_is_as_good_is_promoted_with_the_numbers() {
    let mut rollout = Rollout::of(vec![errors()]);
    let (looks, standing) = until_decided(&mut rollout, &[("errors", good())]);
    assert!(matches!(standing, Standing::Promote(_)) && looks > 1, "{looks} {standing:?}");
    for words in ["errors: 5.00% of", "stable 5.00% of", "at most 1.5x stable", "succeeds at 20"] {
        assert!(text(&standing).contains(words), "{words} is missing in {standing:?}");
    }
    let judge = rollout.judge("errors");
    let measurement = judge.measurement.as_ref().unwrap();
    assert_eq!(judge.phase, MetricPhase::Successful);
    assert_eq!((measurement.value, measurement.stable), (Some(0.05), Some(0.05)));
    assert_eq!(measurement.n, [5_400 * looks as u64, 600 * looks as u64]);
    assert_eq!((measurement.fails_at, measurement.succeeds_at), (Some(20.0), Some(20.0)));
    assert!(measurement.promotion_e_value.unwrap() >= 20.0 && measurement.e_value.unwrap() < 20.0);
    let [low, high] = measurement.ci.unwrap();
    assert!(low < 0.05 && 0.05 < high && measurement.p.unwrap() > 0.05);
}

#[test]
fn a_candidate_with_more_errors_is_rolled_back_with_the_cause() {
    let mut rollout = Rollout::of(vec![errors()]);
    let (looks, standing) = until_decided(&mut rollout, &[("errors", bad())]);
    let Standing::Rollback { reason: Reason::AnalysisFailed, cause } = standing else {
        panic!("{standing:?}")
    };
    assert!(looks <= 4 && cause.starts_with("errors: 15.0% of"), "{looks} {cause}");
    assert!(cause.contains("evidence of a regression") && cause.contains("fails at 20"), "{cause}");
    let measurement = rollout.judge("errors").measurement.clone().unwrap();
    assert!(measurement.e_value.unwrap() >= 20.0 && measurement.p.unwrap() <= 0.05);
}

#[test]
fn a_look_at_a_window_that_was_judged_before_changes_nothing() {
    let mut rollout = Rollout::of(vec![errors()]);
    rollout.look(&[("errors", good())]);
    let (before, standing) = (rollout.judges.clone(), rollout.look(&[]));
    rollout.at = "2026-11-24T12:01:00Z".parse().unwrap();
    assert_eq!(rollout.again(&[("errors", bad())]), standing);
    assert_eq!(rollout.judges, before);
    rollout.at = "2026-11-24T11:00:00Z".parse().unwrap();
    assert_eq!(rollout.again(&[("errors", Seen::Error("late".to_owned()))]), standing);
    assert_eq!(rollout.judges, before);
}

#[test]
fn with_few_samples_there_is_no_verdict_whatever_the_counts_are() {
    let metric = Metric { min_samples: 500, judge: Judge::BoundaryE, ..errors() };
    let mut rollout = Rollout::of(vec![metric]);
    for looks in 1..5 {
        let standing = rollout.look(&[("errors", shares((9, 900), (90, 100)))]);
        assert!(matches!(standing, Standing::Continue(_)), "{looks}: {standing:?}");
        assert!(text(&standing).contains("no verdict below 500 observations"), "{standing:?}");
        assert!(rollout.judge("errors").measurement.as_ref().unwrap().e_value.unwrap() > 20.0);
    }
    let standing = rollout.look(&[("errors", shares((9, 900), (90, 100)))]);
    assert!(matches!(standing, Standing::Rollback { .. }), "{standing:?}");
}

#[test]
fn every_metric_that_decides_has_to_be_good() {
    let accuracy = Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy);
    let mut rollout = Rollout::of(vec![errors(), accuracy]);
    for _ in 0..20 {
        let standing = rollout.look(&[("errors", good())]);
        assert!(matches!(standing, Standing::Continue(_)), "{standing:?}");
    }
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Successful);
    assert_eq!(rollout.judge("accuracy").phase, MetricPhase::Pending);
    let right = shares((432, 5_400), (48, 600));
    let (_, standing) = until_decided(&mut rollout, &[("accuracy", right)]);
    assert!(matches!(standing, Standing::Promote(_)), "{standing:?}");
    let said = &rollout.judge("errors").message;
    assert!(!said.contains("earlier look"), "it is still good: {said}");
    assert!(text(&standing).contains("92.0% of") && text(&standing).contains("at most 2.00% more"));
}

#[test]
fn metrics_share_the_error_rate_of_the_rollout() {
    let second = Metric { name: "more errors".to_owned(), ..errors() };
    let drift = Metric::with_defaults("drift", MetricKind::PredictionDrift);
    let mut rollout = Rollout::of(vec![errors(), second, drift]);
    rollout.look(&[("errors", good())]);
    let measurement = rollout.judge("errors").measurement.as_ref().unwrap();
    assert_eq!((measurement.fails_at, measurement.succeeds_at), (Some(40.0), Some(20.0)));
}

#[test]
fn a_metric_that_was_good_can_still_fail() {
    let accuracy = Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy);
    let mut rollout = Rollout::of(vec![errors(), accuracy]);
    rollout.look(&[("errors", good())]);
    while rollout.judge("errors").phase == MetricPhase::Running {
        rollout.look(&[("errors", good())]);
    }
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Successful);
    for _ in 0..2 {
        rollout.look(&[("errors", shares((270, 5_400), (45, 600)))]);
    }
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Successful);
    let said = &rollout.judge("errors").message;
    assert!(said.contains("reached at an earlier look"), "{said}");
    let (_, standing) = until_decided(&mut rollout, &[("errors", bad())]);
    assert!(matches!(standing, Standing::Rollback { reason: Reason::AnalysisFailed, .. }), "{standing:?}");
}

#[test]
fn drift_is_told_and_never_decides() {
    let drift = Metric::with_defaults("drift", MetricKind::PredictionDrift);
    let classes = |yes: u64, no: u64| BTreeMap::from([("yes".to_owned(), yes), ("no".to_owned(), no)]);
    let window =
        Seen::Window(Window::Classes { stable: classes(2_700, 2_700), candidate: classes(500, 100) });
    let mut rollout = Rollout::of(vec![errors(), drift]);
    for _ in 0..3 {
        rollout.look(&[("drift", window.clone())]);
    }
    let judge = rollout.judge("drift");
    assert_eq!(judge.phase, MetricPhase::Failed);
    assert!(judge.message.contains("33.3%") && judge.message.contains("(advisory)"), "{}", judge.message);
    let (_, standing) = until_decided(&mut rollout, &[("errors", good()), ("drift", window)]);
    assert!(matches!(standing, Standing::Promote(_)), "{standing:?}");
    let mut alone = Rollout::of(vec![Metric::with_defaults("drift", MetricKind::PredictionDrift)]);
    assert!(matches!(alone.look(&[]), Standing::Continue(_)));
}

#[test]
fn latency_is_judged_by_its_histogram() {
    let latency = || Rollout::of(vec![Metric::with_defaults("latency", MetricKind::Latency)]);
    let histogram = |counts: [u64; 4]| Histogram { bounds: vec![10.0, 50.0, 250.0], counts: counts.to_vec() };
    let window = |candidate| {
        let stable = Some(histogram([2_700, 2_160, 486, 54]));
        Seen::Window(Window::Histograms { stable, candidate: histogram(candidate) })
    };
    let mut rollout = latency();
    let (_, standing) = until_decided(&mut rollout, &[("latency", window([300, 240, 54, 6]))]);
    assert!(matches!(standing, Standing::Promote(_)), "{standing:?}");
    assert!(text(&standing).contains("stable's answers over 250 ms"), "{standing:?}");
    let mut rollout = latency();
    let (_, standing) = until_decided(&mut rollout, &[("latency", window([300, 240, 30, 30]))]);
    assert!(matches!(standing, Standing::Rollback { .. }), "{standing:?}");
    assert!(text(&standing).contains("5.00% took over 250 ms, stable 1.00%"), "{standing:?}");
    let measurement = rollout.judge("latency").measurement.as_ref().unwrap();
    assert!((measurement.stable.unwrap() - 250.0).abs() < 1e-9);
    let other = Histogram { bounds: vec![20.0], counts: vec![5_000, 400] };
    let changed = Seen::Window(Window::Histograms { stable: Some(other.clone()), candidate: other });
    let mut rollout = latency();
    rollout.look(&[("latency", window([300, 240, 54, 6]))]);
    rollout.look(&[("latency", changed)]);
    assert!(rollout.judge("latency").message.contains("same bounds"), "{}", rollout.judge("latency").message);
    assert_eq!(rollout.judge("latency").looks.consecutive_errors, 1);
}

#[test]
fn mirrored_requests_are_judged_by_disagreements() {
    let paired = || Rollout::of(vec![Metric::with_defaults("shadow", MetricKind::PairedAccuracy)]);
    let window = |only_stable_wrong, only_candidate_wrong| {
        Seen::Window(Window::Pairs(Pairs { n: 600, only_stable_wrong, only_candidate_wrong }))
    };
    let (_, standing) = until_decided(&mut paired(), &[("shadow", window(12, 12))]);
    assert!(matches!(standing, Standing::Promote(_)), "{standing:?}");
    let (_, standing) = until_decided(&mut paired(), &[("shadow", window(6, 30))]);
    assert!(
        text(&standing).contains("only the candidate was wrong in 5.00%, only stable in 1.00%"),
        "{standing:?}"
    );
    assert!(matches!(standing, Standing::Rollback { .. }), "{standing:?}");
}

#[test]
fn a_tolerance_allows_what_it_says() {
    let standing = |tolerance| {
        let margin = Margin::Ratio(2.0);
        let mut rollout = Rollout::of(vec![Metric { tolerance, promote_margin: margin, ..errors() }]);
        let mut standing = rollout.look(&[]);
        for _ in 0..40 {
            standing = rollout.look(&[("errors", shares((2_700, 54_000), (345, 6_000)))]);
        }
        standing
    };
    assert!(matches!(standing(1.0), Standing::Rollback { .. }));
    assert!(matches!(standing(1.25), Standing::Promote(_)));
}

#[test]
fn both_versions_without_any_failure_prove_no_ratio_but_an_absolute_margin() {
    let run = |margin| {
        let mut rollout = Rollout::of(vec![Metric { promote_margin: margin, ..errors() }]);
        let mut standing = rollout.look(&[]);
        for _ in 0..30 {
            standing = rollout.look(&[("errors", shares((0, 5_400), (0, 600)))]);
        }
        standing
    };
    assert!(matches!(run(Margin::Ratio(1.5)), Standing::Continue(_)));
    assert!(matches!(run(Margin::Absolute(0.01)), Standing::Promote(_)));
}

#[test]
fn what_was_counted_must_fit_the_metric() {
    let mut rollout = Rollout::of(vec![errors()]);
    rollout.look(&[("errors", Seen::Window(Window::Pairs(Pairs::default())))]);
    assert!(rollout.judge("errors").message.contains("error-ratio"));
    rollout.look(&[("errors", shares((10, 5), (0, 9)))]);
    assert!(rollout.judge("errors").message.contains("more bad observations than observations"));
    assert_eq!(rollout.judge("errors").looks.consecutive_errors, 2);
    assert!(Against::Stable.applies(&errors()) && !Against::Bound.applies(&errors()));
}

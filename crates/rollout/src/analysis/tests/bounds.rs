//! Fixed bounds, where no stable traffic exists.

use tagship_domain::{
    analysis::{Bound, Metric, MetricKind, MetricPhase, Seen, Share, Window},
    traffic::Histogram,
};

use super::{Against, Rollout, Standing, errors, good};

fn alone(bad: u64, n: u64) -> Seen {
    Seen::Window(Window::Shares { stable: None, candidate: Share { n, bad } })
}

fn run(metric: Metric, seen: &Seen) -> (Standing, Rollout) {
    let name = metric.name.clone();
    let mut rollout = Rollout::of(vec![metric]);
    rollout.against = Against::Bound;
    let mut standing = rollout.look(&[]);
    for _ in 0..40 {
        standing = rollout.look(&[(&name, seen.clone())]);
        if !matches!(standing, Standing::Continue(_)) {
            break;
        }
    }
    (standing, rollout)
}

#[test]
fn a_bound_on_errors_is_kept_broken_or_not_decided() {
    let bounded = || Metric { bound: Some(Bound::MaxErrorRatio(0.02)), ..errors() };
    let (kept, rollout) = run(bounded(), &alone(3, 600));
    assert!(matches!(&kept, Standing::Promote(text) if text.contains("at most 2.00% allowed")), "{kept:?}");
    let measurement = rollout.judge("errors").measurement.as_ref().unwrap();
    assert_eq!((measurement.stable, measurement.n[0]), (None, 0));
    let (broken, _) = run(bounded(), &alone(30, 600));
    assert!(matches!(broken, Standing::Rollback { .. }), "{broken:?}");
    let (neither, _) = run(bounded(), &alone(12, 600));
    assert!(matches!(neither, Standing::Continue(_)), "{neither:?}");
}

#[test]
fn a_bound_on_accuracy_is_a_least_share() {
    let bounded = || Metric {
        bound: Some(Bound::MinAccuracy(0.9)),
        ..Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy)
    };
    let (kept, _) = run(bounded(), &alone(30, 600));
    assert!(matches!(&kept, Standing::Promote(text) if text.contains("95.0% of")), "{kept:?}");
    let (broken, _) = run(bounded(), &alone(120, 600));
    assert!(matches!(&broken, Standing::Rollback { cause, .. } if cause.contains("at least 90.0% required")));
}

#[test]
fn a_bound_on_latency_counts_only_what_is_surely_too_slow_against_the_candidate() {
    let bounded = |within_ms| Metric {
        bound: Some(Bound::Latency { quantile: 0.99, within_ms }),
        ..Metric::with_defaults("latency", MetricKind::Latency)
    };
    let window = |counts: [u64; 3]| {
        let candidate = Histogram { bounds: vec![50.0, 100.0], counts: counts.to_vec() };
        Seen::Window(Window::Histograms { stable: None, candidate })
    };
    let (kept, _) = run(bounded(100.0), &window([500, 99, 1]));
    assert!(matches!(kept, Standing::Promote(_)), "{kept:?}");
    let (broken, rollout) = run(bounded(100.0), &window([500, 76, 24]));
    assert!(matches!(broken, Standing::Rollback { .. }), "{broken:?}");
    assert_eq!(rollout.judge("latency").measurement.as_ref().unwrap().value, None, "above every bound");
    // 80 ms lies inside a bucket: a sixth of the requests may or may not be too slow.
    let (open, _) = run(bounded(80.0), &window([500, 99, 1]));
    assert!(matches!(open, Standing::Continue(_)), "{open:?}");
}

#[test]
fn a_metric_without_a_bound_that_fits_does_not_apply() {
    let wrong = Metric { bound: Some(Bound::MinAccuracy(0.9)), ..errors() };
    for metric in [errors(), wrong] {
        let (standing, rollout) = run(metric, &alone(600, 600));
        assert!(matches!(&standing, Standing::Continue(text) if text.contains("no metric can decide")));
        assert!(rollout.judges.is_empty());
    }
}

#[test]
fn a_rollout_that_loses_stable_goes_on_against_the_bound() {
    let mut rollout = Rollout::of(vec![Metric { bound: Some(Bound::MaxErrorRatio(0.2)), ..errors() }]);
    rollout.look(&[("errors", good())]);
    rollout.against = Against::Bound;
    rollout.look(&[("errors", alone(10, 600))]);
    let judge = rollout.judge("errors");
    assert_eq!((judge.phase, judge.n), (MetricPhase::Running, 600), "the comparison starts anew");
    for _ in 0..5 {
        rollout.look(&[("errors", alone(10, 600))]);
    }
    assert_eq!(rollout.judge("errors").phase, MetricPhase::Successful);
}

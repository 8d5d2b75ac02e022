//! Figures that were computed elsewhere.

use tagship_domain::{analysis::Margin, traffic::Histogram};

use super::super::{
    bucket::{MAX_BOUNDS, evenly, slower},
    fixed::{FixedWindow, longer_than},
    interval,
    planner::{Stable, n_promote, n_promote_fixed, wald_floor, wald_nats},
};

#[track_caller]
fn near(actual: f64, expect: f64, tolerance: f64) {
    assert!((actual - expect).abs() <= tolerance * expect, "{actual} is not {expect}");
}

#[test]
fn the_planner_gives_the_published_requests_to_promote_at_a_weight_of_ten_percent() {
    let rows = [
        (0.001, 44_700.0, 14_200.0, 216.0),
        (0.01, 4_420.0, 1_400.0, 411.0),
        (0.05, 840.0, 264.0, 1_170.0),
        (0.08, 504.0, 157.0, 1_690.0),
    ];
    for (rate, at_1_5, at_2, absolute) in rows {
        near(n_promote(rate, 0.1, Margin::Ratio(1.5)), at_1_5, 0.005);
        near(n_promote(rate, 0.1, Margin::Ratio(2.0)), at_2, 0.005);
        near(n_promote(rate, 0.1, Margin::Absolute(0.02)), absolute, 0.005);
    }
}

#[test]
fn walds_floor_is_the_published_one() {
    near(wald_nats(0.2), 1.906, 0.001);
    near(wald_nats(0.05), 2.650, 0.001);
    near(wald_floor(0.01, 0.02, 0.1, Stable::Estimated, 0.05), 774.0, 0.002);
    // Low traffic: a fact about the data, not about the test.
    near(wald_floor(0.001, 0.0015, 0.1, Stable::Estimated, 0.05), 27_600.0, 0.01);
    let [estimated, known] =
        [Stable::Estimated, Stable::Known].map(|stable| wald_floor(0.01, 0.02, 0.5, stable, 0.05));
    assert!(known < estimated, "{known} {estimated}");
}

#[test]
fn a_bound_that_is_not_kept_takes_for_ever() {
    assert!(n_promote_fixed(0.001, 0.01) < n_promote_fixed(0.005, 0.01));
    assert!(n_promote_fixed(0.01, 0.01).is_infinite());
}

#[test]
fn the_interval_of_a_share_holds_its_estimate_and_narrows_slowly() {
    let nothing = interval::share(0, 0, 0.95);
    assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
    let none_bad = interval::share(0, 1_000, 0.95);
    assert!(none_bad.low.abs() < 1e-15);
    // (1-p)^n * (n+1) = 0.05.
    near(none_bad.high, 1.0 - (0.05_f64 / 1_001.0).powf(1.0 / 1_000.0), 1e-9);
    let all_bad = interval::share(1_000, 1_000, 0.95);
    assert!((all_bad.high - 1.0).abs() < 1e-15);
    let (few, many) = (interval::share(10, 1_000, 0.95), interval::share(1_000, 100_000, 0.95));
    for interval in [few, many] {
        assert!(interval.contains(0.01), "{interval:?}");
    }
    assert!(many.high - many.low < 0.2 * (few.high - few.low), "{few:?} {many:?}");
}

#[test]
fn slow_answers_are_counted_at_the_bounds_that_are_kept() {
    let histogram = Histogram { bounds: vec![5.0, 10.0, 25.0], counts: vec![7, 2, 1, 4] };
    assert_eq!(slower(&histogram, &[5.0, 25.0]), Some(vec![7, 4]));
    assert_eq!(slower(&histogram, &[5.0, 20.0]), None);
    let many: Vec<f64> = (0..100_i32).map(f64::from).collect();
    let kept = evenly(&many);
    assert_eq!((kept.len(), kept[0], kept[MAX_BOUNDS - 1]), (MAX_BOUNDS, 0.0, 99.0));
    assert!(kept.is_sorted_by(|one, next| one < next));
    assert_eq!(evenly(&many[..3]), &many[..3]);
}

#[test]
fn a_limit_between_two_bounds_leaves_open_what_is_too_slow() {
    let histogram = Histogram { bounds: vec![5.0, 10.0, 25.0], counts: vec![7, 2, 1, 4] };
    let window = |bad, at_most_bad| FixedWindow { n: 14, bad, at_most_bad };
    assert_eq!(longer_than(&histogram, 10.0), window(5, 5));
    assert_eq!(longer_than(&histogram, 12.0), window(4, 5));
    assert_eq!(longer_than(&histogram, 3.0), window(7, 14));
    assert_eq!(longer_than(&histogram, 100.0), window(0, 4));
}

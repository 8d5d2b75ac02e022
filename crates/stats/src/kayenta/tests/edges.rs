//! Points that say little or nothing.

use super::{
    super::{Class, Limits, Measure, Nan, Reason, Settings, judge},
    judged,
};

const FLAT: [f64; 6] = [2.0; 6];

#[test]
fn too_few_points_are_never_a_verdict() {
    let far = [90.0, 91.0, 92.0, 93.0];
    for few in [&far[..1], &far[..3], &far] {
        for (stable, candidate) in [(few, &FLAT[..]), (&FLAT[..], few), (few, few)] {
            let judged = judged(stable, candidate);
            assert_eq!((judged.class, judged.reason), (Class::Inconclusive, Reason::TooFew));
        }
    }
    assert_eq!(judged(&FLAT[..5], &[90.0, 91.0, 92.0, 93.0, 94.0]).class, Class::High);
}

#[test]
fn a_side_without_points_is_no_data() {
    for (stable, candidate) in [(&[][..], &FLAT[..]), (&FLAT, &[]), (&[], &[]), (&[f64::NAN], &FLAT)] {
        assert_eq!(judged(stable, candidate).class, Class::Nodata);
        let must = Settings { must_have_data: true, ..Settings::default() };
        assert_eq!(judge(&must, stable, candidate).class, Class::NodataFailMetric);
        let critical = Settings { critical: true, ..must };
        let judged = judge(&critical, stable, candidate);
        assert_eq!((judged.class, judged.critical), (Class::Nodata, true));
    }
}

#[test]
fn what_is_missing_is_zero_only_where_it_was_said_to_be() {
    let replace = Settings { nan: Nan::Replace, ..Settings::default() };
    let quiet = judge(&replace, &[], &[]);
    assert_eq!((quiet.class, quiet.reason), (Class::Pass, Reason::NothingReported));
    assert_eq!(judge(&replace, &FLAT, &[]).class, Class::Nodata);
    assert_eq!(judge(&replace, &[], &FLAT).class, Class::Nodata);
    assert_eq!(judge(&replace, &[f64::NAN; 6], &FLAT).class, Class::High);
    let must = Settings { must_have_data: true, ..replace };
    assert_eq!(judge(&must, &[], &[]).class, Class::NodataFailMetric);
}

#[test]
fn infinite_points_are_not_left_out() {
    for bad in [f64::INFINITY, f64::NEG_INFINITY, 1e301, f64::MAX] {
        let mut points = FLAT;
        points[3] = bad;
        assert_eq!(judged(&FLAT, &points).reason, Reason::NotFinite);
        assert_eq!(judged(&points, &FLAT).class, Class::Inconclusive);
    }
}

#[test]
fn equal_samples_pass_in_any_order_and_number() {
    assert_eq!(judged(&[1.0, 2.0, 3.0, 4.0, 5.0], &[5.0, 4.0, 3.0, 2.0, 1.0]).reason, Reason::Identical);
    assert_eq!(judged(&[2.0; 9], &FLAT).reason, Reason::Identical);
    assert_eq!(judged(&[0.0; 9], &[-0.0; 6]).reason, Reason::Identical);
}

#[test]
fn different_constants_have_one_answer() {
    assert_eq!(judged(&[2.0; 9], &[3.0; 9]).class, Class::High);
    assert_eq!(judged(&[2.0; 9], &[2.0 + 1e-12; 9]).class, Class::High);
    assert_eq!(judged(&[2.0; 9], &[1.0; 9]).class, Class::Low);
    // The ratio has no meaning next to zero, and the interval decides alone.
    assert_eq!(judged(&[0.0; 9], &[1.0; 9]).class, Class::High);
    assert_eq!(judged(&[-1.0; 9], &[-2.0; 9]).class, Class::Low);
}

#[test]
fn only_a_critical_metric_past_its_critical_limit_fails_everything() {
    let stable: Vec<f64> = (0..30).map(|at| 100.0 + f64::from(at)).collect();
    let by = |ratio: f64| stable.iter().map(|x| x * ratio).collect::<Vec<_>>();
    let limits = Limits { critical_increase: 1.5, critical_decrease: 0.5, ..Measure::MeanRatio.limits() };
    let critical = Settings { critical: true, limits: Some(limits), ..Settings::default() };
    let outcome = |settings: &Settings, ratio| {
        let judged = judge(settings, &stable, &by(ratio));
        (judged.class, judged.critical)
    };
    assert_eq!(outcome(&critical, 1.4), (Class::High, false));
    assert_eq!(outcome(&critical, 1.6), (Class::High, true));
    assert_eq!(outcome(&critical, 0.6), (Class::Low, false));
    assert_eq!(outcome(&critical, 0.4), (Class::Low, true));
    assert_eq!(outcome(&critical, 1.0), (Class::Pass, false));
    assert_eq!(outcome(&Settings { critical: false, ..critical }, 1.6), (Class::High, false));
    assert_eq!(outcome(&Settings { limits: None, ..critical }, 1.4), (Class::High, true));
}

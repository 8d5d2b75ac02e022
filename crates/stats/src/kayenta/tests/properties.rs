//! What must hold whatever the points are.

use proptest::prelude::*;

use super::super::{Class, Direction, Measure, Outliers, Reason, Settings, judge};

/// Multiples of 1/8, so that shifts by them are exact and ties are common.
fn points() -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![-8_i16..8, -800_i16..800].prop_map(|x| f64::from(x) / 8.0);
    prop::collection::vec(point, 5..40)
}

fn anything() -> impl Strategy<Value = Vec<f64>> {
    let point = prop_oneof![-1e300..1e300_f64, Just(f64::NAN), Just(0.0), Just(1e-320), -1.0..1.0_f64];
    prop::collection::vec(point, 0..20)
}

fn cles() -> Settings {
    Settings { measure: Measure::Cles, ..Settings::default() }
}

fn moved(points: &[f64], by: f64) -> Vec<f64> {
    points.iter().map(|point| point + by).collect()
}

fn height(class: Class) -> i8 {
    match class {
        Class::Low => -1,
        Class::Pass => 0,
        Class::High => 1,
        other => panic!("{other:?} for known points"),
    }
}

proptest! {
    #[test]
    fn swapping_the_sides_turns_the_verdict(stable in points(), candidate in points()) {
        let there = judge(&cles(), &stable, &candidate);
        let back = judge(&cles(), &candidate, &stable);
        prop_assert_eq!(height(there.class), -height(back.class));
        if let (Reason::Compared { comparison: a, .. }, Reason::Compared { comparison: b, .. }) =
            (there.reason, back.reason)
        {
            prop_assert!((a.interval.low + b.interval.high).abs() < 1e-300, "{a:?} {b:?}");
            prop_assert!((a.estimate + b.estimate).abs() < 1e-300);
            prop_assert!((a.superiority + b.superiority - 1.0).abs() < 1e-12);
            prop_assert!((a.p_value - b.p_value).abs() < 1e-9);
        }
    }

    #[test]
    fn moving_both_sides_changes_nothing(stable in points(), candidate in points(), by in -400_i16..400) {
        let by = f64::from(by) / 8.0;
        let here = judge(&cles(), &stable, &candidate);
        prop_assert_eq!(here, judge(&cles(), &moved(&stable, by), &moved(&candidate, by)));
    }

    #[test]
    fn moving_the_candidate_moves_the_interval(stable in points(), candidate in points(), by in 1_i16..400) {
        let by = f64::from(by) / 8.0;
        let comparisons = [0.0, by].map(|by| judge(&cles(), &stable, &moved(&candidate, by)).reason);
        if let [Reason::Compared { comparison: a, .. }, Reason::Compared { comparison: b, .. }] = comparisons {
            prop_assert!((b.interval.low - a.interval.low - by).abs() < 1e-300);
            prop_assert!((b.interval.high - a.interval.high - by).abs() < 1e-300);
            prop_assert!((b.estimate - a.estimate - by).abs() < 1e-300);
            prop_assert!(b.superiority >= a.superiority);
        }
    }

    #[test]
    fn a_candidate_with_larger_values_is_never_lower(
        stable in points(), candidate in points(), by in 0_i16..800,
    ) {
        let here = height(judge(&cles(), &stable, &candidate).class);
        let there = height(judge(&cles(), &stable, &moved(&candidate, f64::from(by) / 8.0)).class);
        prop_assert!(there >= here);
    }

    #[test]
    fn the_order_of_points_does_not_matter(stable in points(), candidate in points()) {
        let reversed = |points: &[f64]| points.iter().rev().copied().collect::<Vec<_>>();
        let settings = Settings { outliers: Outliers::Remove { factor: 3.0 }, ..Settings::default() };
        let there = judge(&settings, &stable, &candidate);
        prop_assert_eq!(there, judge(&settings, &reversed(&stable), &reversed(&candidate)));
    }

    #[test]
    fn a_direction_hides_the_other_one_only(stable in points(), candidate in points()) {
        let of = |direction| height(judge(&Settings { direction, ..cles() }, &stable, &candidate).class);
        let both = of(Direction::Either);
        prop_assert_eq!(of(Direction::Increase), both.max(0));
        prop_assert_eq!(of(Direction::Decrease), both.min(0));
    }

    #[test]
    fn whatever_the_points_every_figure_is_a_number(stable in anything(), candidate in anything()) {
        for measure in [Measure::MeanRatio, Measure::Cles] {
            let outliers = Outliers::Remove { factor: 1.5 };
            let judged = judge(&Settings { outliers, measure, ..Settings::default() }, &stable, &candidate);
            if let Reason::Compared { comparison, effect } = judged.reason {
                let interval = comparison.interval;
                prop_assert!(interval.low <= interval.high && interval.contains(comparison.estimate));
                prop_assert!((0.0..=1.0).contains(&comparison.p_value));
                prop_assert!((0.0..=1.0).contains(&comparison.superiority));
                prop_assert!(effect.is_none_or(f64::is_finite));
            }
        }
    }
}

//! Ten kinds of tables on which Evidently 0.7 ends with an error, contradicts itself or sees nothing.

use std::collections::BTreeMap;

use tagship_domain::drift::{ColumnDrift, DriftCode, DriftProfile, DriftReport};

use super::*;

fn numbers(values: impl IntoIterator<Item = f64>) -> Side {
    Side::of_numbers(values.into_iter().collect(), 0)
}

fn categories(counts: &[(&str, u64)]) -> Side {
    let counts: BTreeMap<String, u64> =
        counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    Side::of_categories(counts, 0)
}

fn ramp(rows: u32) -> impl Iterator<Item = f64> {
    (0..rows).map(move |row| f64::from(row * 37 % rows))
}

/// With a second column that is as it was: what is wrong with one says nothing of the other.
fn beside(
    reference: impl Into<Option<Side>>,
    current: impl Into<Option<Side>>,
    settings: &Settings,
) -> (ColumnDrift, DriftReport) {
    let strange = Column::of("strange", reference.into(), current.into());
    let sound = Column::of("sound", Some(numbers(ramp(100))), Some(numbers(ramp(100))));
    let measured = [strange, sound].iter().map(|column| measure(column, settings)).collect();
    let report = conclude(measured, settings);
    assert_eq!(report.columns[1].drifted, Some(false), "{report:?}");
    (report.columns[0].clone(), report)
}

fn codes(column: &ColumnDrift) -> Vec<DriftCode> {
    column.findings.iter().map(|finding| finding.code).collect()
}

fn asking(test: Test) -> Settings {
    Settings { test: Some(test), ..Settings::default() }
}

/// A test that is asked of one column alone.
fn asked(test: Test, reference: impl Into<Option<Side>>, current: impl Into<Option<Side>>) -> ColumnDrift {
    let column = Column::of("strange", reference.into(), current.into());
    conclude(vec![measure(&column, &asking(test))], &asking(test)).columns.remove(0)
}

#[test]
fn likelihood_ratios_need_no_equal_numbers_of_rows() {
    let (before, now) = ([("a", 200), ("b", 200)], [("a", 100), ("b", 200)]);
    let column = asked(Test::GTest, categories(&before), categories(&now));
    assert_eq!((column.drifted, codes(&column)), (Some(true), vec![]));
}

#[test]
fn nor_does_the_exact_test() {
    let (before, now) = ([("a", 200), ("b", 200)], [("a", 100), ("b", 200)]);
    let column = asked(Test::FisherExact, categories(&before), categories(&now));
    assert_eq!((column.drifted, codes(&column)), (Some(true), vec![]));
    let three = asked(Test::FisherExact, categories(&[("a", 2), ("b", 2), ("c", 2)]), categories(&now));
    assert_eq!((three.drifted, three.findings[0].code), (None, DriftCode::GoneCategories));
    assert!(codes(&three).contains(&DriftCode::NotApplicable));
}

#[test]
fn a_handful_of_rows_has_an_exact_answer() {
    let column = asked(Test::CramerVonMises, numbers(ramp(7)), numbers(ramp(5).map(|value| value + 20.0)));
    assert_eq!(column.drifted, Some(true));
    assert!((0.0..0.01).contains(&column.p_value.unwrap()), "{column:?}");
}

#[test]
fn equal_constants_have_not_drifted() {
    let column = asked(Test::CramerVonMises, numbers([5.0; 40]), numbers([5.0; 30]));
    assert_ne!(column.drifted, Some(true), "{column:?}");
    let (column, _) = beside(numbers([5.0; 40]), numbers([5.0; 30]), &Settings::default());
    assert_eq!((column.drifted, codes(&column)), (None, vec![DriftCode::NotApplicable]));
}

#[test]
fn an_infinite_value_is_told_and_is_no_drift() {
    for profile in [DriftProfile::Default, DriftProfile::Evidently] {
        let settings = Settings { profile, ..Settings::default() };
        let (column, report) =
            beside(numbers(ramp(100)), numbers(ramp(100).chain([f64::INFINITY])), &settings);
        assert_eq!((column.drifted, codes(&column)), (Some(false), vec![DriftCode::InfiniteValues]));
        assert!(report.dataset.share <= 0.0, "the whole says what its columns say: {report:?}");
    }
}

#[test]
fn a_missing_column_is_unknown_and_the_others_are_judged() {
    let (column, report) = beside(numbers(ramp(100)), None, &Settings::default());
    assert_eq!((column.drifted, codes(&column)), (None, vec![DriftCode::MissingColumn]));
    assert_eq!(report.dataset.drifted, None, "half of the columns are unknown");
}

#[test]
fn a_column_without_a_value_has_lost_them() {
    let (column, _) = beside(numbers(ramp(100)), numbers([f64::NAN; 100]), &Settings::default());
    assert_eq!(
        (column.drifted, codes(&column)),
        (Some(true), vec![DriftCode::NoValues, DriftCode::MissingShare])
    );
    let evidently = Settings { profile: DriftProfile::Evidently, ..Settings::default() };
    let (column, _) = beside(numbers(ramp(100)), numbers([f64::NAN; 100]), &evidently);
    assert_eq!((column.drifted, codes(&column)), (None, vec![DriftCode::NoValues]));
}

#[test]
fn another_type_is_unknown() {
    let (column, _) = beside(numbers(ramp(100)), categories(&[("a", 50), ("b", 50)]), &Settings::default());
    assert_eq!((column.drifted, codes(&column)), (None, vec![DriftCode::TypeChanged]));
}

#[test]
fn no_rows_are_no_pass() {
    let (column, report) = beside(numbers(ramp(100)), numbers([]), &Settings::default());
    assert_eq!((column.drifted, codes(&column)), (None, vec![DriftCode::NoValues]));
    assert_ne!(report.dataset.drifted, Some(false));
}

#[test]
fn heavy_tails_hide_nothing() {
    let cauchy = |scale: f64| {
        ramp(1009).map(move |value| scale * (std::f64::consts::PI * ((value + 0.5) / 1009.0 - 0.5)).tan())
    };
    let (column, _) = beside(numbers(cauchy(1.0)), numbers(cauchy(4.0)), &Settings::default());
    assert!(column.stability_index.unwrap() > 0.25, "{column:?}");
    assert!(column.p_value.unwrap() < 1e-12, "{column:?}");
}

#[test]
fn a_small_unit_of_measurement_hides_no_shift() {
    let small = |shift: f64| numbers(ramp(300).map(move |value| (value / 300.0 + shift) * 1e-5));
    let (column, _) = beside(small(0.0), small(1.0), &Settings::default());
    assert_eq!(column.drifted, Some(true), "{column:?}");
    assert!(column.effect.is_some_and(|effect| effect > 1.0), "{column:?}");
}

#[test]
fn numbers_whose_distance_cannot_be_summed_are_not_called_alike() {
    let (column, _) =
        beside(numbers(ramp(300)), numbers(ramp(300).chain([-1.79e308, 1.79e308])), &Settings::default());
    let (other, _) = beside(numbers(ramp(300).chain([-1.79e308])), numbers(ramp(300)), &Settings::default());
    assert!(column.drifted != Some(false) || column.effect.is_some(), "{column:?}");
    // Its squares are too large, and its quartiles are not: one value of 301 is chance, however far off it lies.
    assert_eq!((other.drifted, other.effect), (Some(false), Some(1e9)), "{other:?}");
}

//! Verdicts on columns that are made here.

use std::collections::{BTreeMap, BTreeSet};

use tagship_domain::drift::{ColumnDrift, DriftCode, DriftProfile, DriftReport};
use tagship_stats::{normal, random::Random};

use super::*;

/// Draws of a normal distribution.
fn normal_values(seed: u64, rows: usize, mean: f64) -> Vec<f64> {
    let mut random = Random::new(seed);
    (0..rows).map(|_| mean + normal::quantile(random.unit().clamp(1e-12, 1.0 - 1e-12))).collect()
}

/// Draws of some categories that are equally frequent.
fn categories(seed: u64, rows: usize, kinds: usize) -> BTreeMap<String, u64> {
    let mut random = Random::new(seed);
    let mut counts = BTreeMap::new();
    for _ in 0..rows {
        *counts.entry(format!("c{:03}", random.below(kinds))).or_insert(0) += 1;
    }
    counts
}

fn numbers(name: &str, reference: Vec<f64>, current: Vec<f64>) -> Column {
    let side = |values| Some(Side::of_numbers(values, 0));
    Column { name: name.to_owned(), reference: side(reference), current: side(current) }
}

fn counted(name: &str, reference: BTreeMap<String, u64>, current: BTreeMap<String, u64>) -> Column {
    let side = |counts| Some(Side::of_categories(counts, 0));
    Column { name: name.to_owned(), reference: side(reference), current: side(current) }
}

fn report(columns: &[Column], settings: &Settings) -> DriftReport {
    conclude(columns.iter().map(|column| measure(column, settings)).collect(), settings)
}

fn one(column: Column) -> ColumnDrift {
    report(&[column], &Settings::default()).columns.remove(0)
}

fn codes(column: &ColumnDrift) -> Vec<DriftCode> {
    column.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_shift_is_drift_and_a_certain_but_tiny_one_is_not() {
    let reference = normal_values(1, 20_000, 0.0);
    let shifted = one(numbers("x", reference.clone(), normal_values(2, 20_000, 0.5)));
    assert_eq!((shifted.drifted, shifted.test.as_deref()), (Some(true), Some("ks")));
    assert!(shifted.effect.unwrap() > 0.4 && shifted.stability_index.unwrap() > 0.1);
    let tiny = one(numbers("x", reference, normal_values(2, 20_000, 0.05)));
    assert!(tiny.p_value.unwrap() < 0.001, "it is certain: {tiny:?}");
    assert_eq!(tiny.drifted, Some(false), "and does not matter");
}

#[test]
fn categories_are_compared_with_rare_ones_taken_together() {
    let counts =
        |pairs: &[(&str, u64)]| pairs.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    let reference: BTreeMap<String, u64> = counts(&[("a", 500), ("b", 480), ("rare", 2)]);
    let drifted = one(counted("plan", reference.clone(), counts(&[("a", 200), ("b", 700), ("new", 3)])));
    assert_eq!((drifted.drifted, drifted.test.as_deref()), (Some(true), Some("contingency")));
    assert_eq!(codes(&drifted), [DriftCode::NewCategories, DriftCode::GoneCategories]);
    assert!(drifted.findings[0].message.contains("\"new\" (3)"), "{:?}", drifted.findings);
    let same = one(counted("plan", reference.clone(), reference));
    assert_eq!((same.drifted, same.effect), (Some(false), Some(0.0)));
}

#[test]
fn what_cannot_be_said_is_never_no_drift() {
    let some = normal_values(1, 100, 0.0);
    let gone = Column { current: None, ..numbers("gone", some.clone(), vec![]) };
    let added = Column { reference: None, ..numbers("added", vec![], some.clone()) };
    let mut changed = numbers("changed", some.clone(), vec![]);
    changed.current = Some(Side::of_categories(categories(1, 100, 3), 0));
    let empty = numbers("empty", some.clone(), vec![f64::NAN; 50]);
    let few = numbers("few", some[..20].to_vec(), some.clone());
    let constant = numbers("constant", vec![3.0; 100], vec![3.0; 100]);
    let columns = [gone, added, changed, empty, few, constant];
    let all = report(&columns, &Settings::default());
    let seen: Vec<_> = all.columns.iter().map(|column| (column.drifted, codes(column))).collect();
    let one = |code| (None, vec![code]);
    assert_eq!(seen[0], one(DriftCode::MissingColumn));
    assert_eq!(seen[1], one(DriftCode::AddedColumn));
    assert_eq!(seen[2], one(DriftCode::TypeChanged));
    assert_eq!(seen[3], (Some(true), vec![DriftCode::NoValues, DriftCode::MissingShare]), "all are missing");
    assert_eq!(seen[4].0, None);
    assert!(seen[4].1.contains(&DriftCode::TooFewRows));
    assert_eq!(seen[5], one(DriftCode::NotApplicable));
    assert_eq!(all.dataset.drifted, None, "half of the columns could not be judged");
    let nothing = report(&[], &Settings::default());
    assert_eq!(nothing.dataset.drifted, None);
}

#[test]
fn a_constant_that_begins_to_change_is_seen() {
    let mut now = vec![3.0; 300];
    now[..60].fill(4.0);
    let column = one(numbers("flag", vec![3.0; 400], now));
    assert_eq!((column.drifted, column.test.as_deref()), (Some(true), Some("contingency")));
    assert_eq!(codes(&column), [DriftCode::OutOfRange]);
}

#[test]
fn infinite_values_are_a_finding_and_no_drift() {
    let mut now = normal_values(2, 1_000, 0.0);
    now[7] = f64::INFINITY;
    let column = one(numbers("x", normal_values(1, 1_000, 0.0), now));
    assert_eq!((column.drifted, column.n), (Some(false), [1_000, 999]));
    assert!(codes(&column).contains(&DriftCode::InfiniteValues));
}

#[test]
fn a_larger_share_of_missing_values_is_drift() {
    let mut now = normal_values(2, 500, 0.0);
    now[..150].fill(f64::NAN);
    let column = one(numbers("x", normal_values(1, 500, 0.0), now));
    assert_eq!((column.drifted, column.missing), (Some(true), [0.0, 0.3]));
    assert_eq!(codes(&column), [DriftCode::MissingShare]);
    let evidently = Settings { profile: DriftProfile::Evidently, ..Settings::default() };
    let mut now = normal_values(2, 500, 0.0);
    now[..150].fill(f64::NAN);
    let unseen = report(&[numbers("x", normal_values(1, 500, 0.0), now)], &evidently).columns.remove(0);
    assert_eq!(unseen.drifted, Some(false), "Evidently does not look at them");
}

#[test]
fn many_columns_do_not_alarm_by_chance() {
    let mut alarms = 0;
    for run in 0..40 {
        let columns: Vec<Column> = (0..20)
            .map(|at| {
                let seed = run * 100 + at;
                let name = format!("x{at}");
                numbers(&name, normal_values(seed, 200, 0.0), normal_values(seed + 10_000, 150, 0.0))
            })
            .collect();
        let all = report(&columns, &Settings::default());
        assert_ne!(all.dataset.drifted, Some(true));
        alarms += usize::from(all.columns.iter().any(|column| column.drifted == Some(true)));
    }
    assert!(alarms <= 5, "{alarms} of 40 runs called a column drifted");
}

#[test]
fn one_critical_column_makes_the_whole_drift() {
    let columns: Vec<Column> = (0..5)
        .map(|at| {
            let mean = if at == 0 { 1.0 } else { 0.0 };
            numbers(&format!("x{at}"), normal_values(at, 500, 0.0), normal_values(at + 50, 500, mean))
        })
        .collect();
    let plain = report(&columns, &Settings::default()).dataset;
    assert_eq!((plain.drifted, plain.share), (Some(false), 0.2));
    let critical = Settings { critical: BTreeSet::from(["x0".to_owned()]), ..Settings::default() };
    assert_eq!(report(&columns, &critical).dataset.drifted, Some(true));
}

#[test]
fn evidently_chooses_by_rows_and_distinct_values() {
    let settings = Settings { profile: DriftProfile::Evidently, ..Settings::default() };
    let chosen = |column: Column| report(&[column], &settings).columns.remove(0).test.unwrap();
    let normal = |rows| numbers("x", normal_values(1, rows, 0.0), normal_values(2, 300, 0.0));
    assert_eq!((chosen(normal(1_000)), chosen(normal(1_001))), ("ks".to_owned(), "wasserstein".to_owned()));
    let kinds = |rows, count| counted("c", categories(1, rows, count), categories(2, 300, count));
    assert_eq!(chosen(kinds(1_000, 4)), "chisquare");
    assert_eq!(chosen(kinds(1_000, 2)), "z");
    assert_eq!(chosen(kinds(1_001, 2)), "jensenshannon");
}

#[test]
fn one_test_can_be_asked_of_every_column() {
    for test in Test::ALL {
        assert_eq!(test.name().parse::<Test>(), Ok(test));
        let settings = Settings { test: Some(test), ..Settings::default() };
        let column = numbers("x", normal_values(1, 300, 0.0), normal_values(2, 300, 3.0));
        let judged = report(&[column], &settings).columns.remove(0);
        if test == Test::FisherExact {
            assert_eq!((judged.drifted, codes(&judged).contains(&DriftCode::NotApplicable)), (None, true));
        } else {
            assert_eq!(judged.test.as_deref(), Some(test.name()));
            assert!(judged.threshold.is_some() && judged.drifted.is_some(), "{judged:?}");
        }
        let words = counted("c", categories(1, 300, 3), categories(2, 300, 3));
        let judged = report(&[words], &settings).columns.remove(0);
        assert_eq!(judged.test.is_some(), test.fits(judged.kind.unwrap()) && test != Test::FisherExact);
    }
    let unknown = "kolmogorov".parse::<Test>().unwrap_err().to_string();
    assert!(unknown.contains("ks, chisquare"), "{unknown}");
}

//! How often tables in which nothing has changed are called drifted, and changed ones are not. Draws are the same each time.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "simulated counts are small"
)]

use std::collections::BTreeMap;

use tagship_domain::drift::{DriftProfile, DriftReport};
use tagship_stats::random::Random;

use super::*;

/// Tables that are drawn of each kind.
const TABLES: u64 = 100;
/// So many alarms in [`TABLES`] tables come once in a thousand times where 5 in 100 are due.
const MOST_ALARMS: usize = 13;

/// What a column is drawn from.
#[derive(Clone, Copy)]
enum Law {
    Even,
    /// Without a mean.
    Cauchy,
    /// Of so many categories, each half as frequent as the one before it or a little more.
    Categories(usize),
    /// With so large a share of rows that have no value.
    Missing(f64),
}

/// A change of a column.
#[derive(Clone, Copy)]
struct Change(f64);

fn side(law: Law, rows: usize, random: &mut Random, Change(change): Change) -> Side {
    let mut numbers = |of: &dyn Fn(f64) -> f64| {
        let values = (0..rows).map(|_| of(random.unit())).collect();
        Side::of_numbers(values, 0)
    };
    match law {
        Law::Even => numbers(&|share| share + change),
        Law::Cauchy => numbers(&|share| (std::f64::consts::PI * (share - 0.5)).tan() * (1.0 + 4.0 * change)),
        Law::Missing(part) => numbers(&|share| {
            let part = part + change;
            if share < part { f64::NAN } else { (share - part) / (1.0 - part) }
        }),
        Law::Categories(kinds) => {
            let mut counts = BTreeMap::new();
            for _ in 0..rows {
                let at = (random.unit().powf(1.5 + 3.0 * change) * kinds as f64) as usize;
                *counts.entry(format!("c{at:03}")).or_insert(0) += 1;
            }
            Side::of_categories(counts, 0)
        }
    }
}

const LAWS: [Law; 6] = [
    Law::Even,
    Law::Cauchy,
    Law::Categories(5),
    Law::Categories(50),
    Law::Categories(500),
    Law::Missing(0.2),
];

fn table(seed: u64, [before, now]: [usize; 2], change: Change, settings: &Settings) -> DriftReport {
    let mut random = Random::new(seed);
    let measured = LAWS.iter().enumerate().map(|(place, law)| {
        let reference = side(*law, before, &mut random, Change(0.0));
        let current = side(*law, now, &mut random, change);
        measure(&Column::of(&place.to_string(), Some(reference), Some(current)), settings)
    });
    conclude(measured.collect(), settings)
}

/// Tables in which any column has drifted.
fn alarms(rows: [usize; 2], change: Change, profile: DriftProfile) -> usize {
    let settings = Settings { profile, ..Settings::default() };
    let is_alarm = |seed: &u64| {
        let report = table(*seed, rows, change, &settings);
        report.columns.iter().any(|column| column.drifted == Some(true))
    };
    (0..TABLES).filter(is_alarm).count()
}

#[test]
fn where_nothing_has_changed_few_tables_alarm_by_any_column() {
    for rows in [[100, 100], [400, 300], [2000, 300]] {
        let ours = alarms(rows, Change(0.0), DriftProfile::Default);
        assert!(ours <= MOST_ALARMS, "{ours} of {TABLES} alarms with {rows:?} rows");
    }
    let theirs = alarms([400, 300], Change(0.0), DriftProfile::Evidently);
    assert!(theirs > 90, "the same tables make the rules of Evidently alarm: {theirs}");
}

#[test]
fn where_everything_has_changed_every_table_alarms() {
    assert_eq!(alarms([400, 300], Change(0.3), DriftProfile::Default) as u64, TABLES);
}

//! Incidents over looks that are made here.

use tagship_domain::slo::Severity;

use super::*;

fn finding(standing: Standing) -> Finding {
    Finding {
        topic: "slo/errors".to_owned(),
        standing,
        severity: Severity::Ticket,
        is_regression: true,
        value: Some(1.0),
        limit: None,
        threshold: String::new(),
        window: String::new(),
        sentence: "errors".to_owned(),
    }
}

fn minute(minutes: i64) -> Timestamp {
    Timestamp::from_seconds(minutes * 60).unwrap()
}

/// What was told at each look, one a minute.
fn told(looks: &[Standing], policy: &Policy) -> Vec<(usize, String, IncidentChange)> {
    let (mut incidents, mut told) = (vec![], vec![]);
    for (at, standing) in looks.iter().enumerate() {
        let now = minute(i64::try_from(at).unwrap());
        let (next, changes) = advance(&incidents, &[finding(*standing)], policy, now);
        told.extend(changes.into_iter().map(|change| (at, change.incident.topic, change.change)));
        incidents = next;
    }
    told
}

use IncidentChange::{Opened, Resolved, Updated};
use Standing::{Bad, Good, NoData, Unknown};

fn of_errors(told: Vec<(usize, String, IncidentChange)>) -> Vec<(usize, IncidentChange)> {
    assert!(told.iter().all(|(_, topic, _)| topic == "slo/errors"), "{told:?}");
    told.into_iter().map(|(at, _, change)| (at, change)).collect()
}

#[test]
fn an_incident_is_told_once_and_closed_after_two_good_looks() {
    let looks = [Good, Bad, Bad, Bad, Good, Bad, Good, Good, Good];
    assert_eq!(of_errors(told(&looks, &Policy::default())), [(1, Opened), (7, Resolved)]);
    let slow = Policy { open_after: 3, ..Policy::default() };
    assert_eq!(of_errors(told(&[Bad, Bad, Good, Bad, Bad, Bad], &slow)), [(5, Opened)]);
}

#[test]
fn unknown_neither_opens_nor_closes() {
    assert_eq!(
        of_errors(told(&[Unknown, Bad, Unknown, Unknown, Unknown], &Policy::default())),
        [(1, Opened)]
    );
}

#[test]
fn missing_data_is_an_incident_of_its_own_and_leaves_the_other_open() {
    let told = told(&[Bad, NoData, NoData, Bad, Bad], &Policy::default());
    let no_data = "slo/errors/no-data".to_owned();
    assert_eq!(
        told,
        [(0, "slo/errors".to_owned(), Opened), (1, no_data.clone(), Opened), (4, no_data, Resolved)]
    );
}

#[test]
fn what_flaps_is_closed_later_each_time() {
    let mut looks = vec![];
    for _ in 0..3 {
        looks.push(Bad);
        looks.extend([Good; 8]);
    }
    let told = of_errors(told(&looks, &Policy::default()));
    assert_eq!(told, [(0, Opened), (2, Resolved), (9, Opened), (13, Resolved), (18, Opened), (26, Resolved)]);
}

#[test]
fn an_open_incident_is_told_again_after_a_day_or_when_it_gets_urgent() {
    let (incidents, _) = advance(&[], &[finding(Bad)], &Policy::default(), minute(0));
    let quiet = advance(&incidents, &[finding(Bad)], &Policy::default(), minute(60)).1;
    assert_eq!(quiet, []);
    let later = advance(&incidents, &[finding(Bad)], &Policy::default(), minute(24 * 60)).1;
    assert_eq!(later[0].change, Updated);
    let urgent = Finding { severity: Severity::Page, ..finding(Bad) };
    assert_eq!(advance(&incidents, &[urgent], &Policy::default(), minute(1)).1[0].change, Updated);
}

#[test]
fn what_is_no_longer_watched_is_over_and_forgotten_after_a_day() {
    let (incidents, _) = advance(&[], &[finding(Bad)], &Policy::default(), minute(0));
    let (incidents, changes) = advance(&incidents, &[], &Policy::default(), minute(1));
    assert_eq!(changes[0].change, Resolved);
    assert_eq!(advance(&incidents, &[], &Policy::default(), minute(2)), (incidents.clone(), vec![]));
    assert_eq!(advance(&incidents, &[finding(Good)], &Policy::default(), minute(25 * 60)).0, []);
}

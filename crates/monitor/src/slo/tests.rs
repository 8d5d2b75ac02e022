//! Burn rates of counters that are made here.

use std::collections::BTreeMap;

use serde_json::json;
use tagship_domain::{
    Duration, Timestamp,
    quality::QualityBound,
    slo::{Severity, SloState},
    tally::Tally,
    threshold::Point,
    traffic::Histogram,
};

use super::*;

const NOW: f64 = 40.0 * 86_400.0;

fn share() -> Share {
    Share { name: "availability".to_owned(), target: 0.99, below: None }
}

/// Counters whose errors began `since` seconds ago, at a rate per second and a share of bad ones.
fn looks(rate: f64, before: f64, since: f64, bad: f64) -> Vec<Look> {
    let look = |ago: Duration| {
        let age = ago.as_secs_f64();
        let good_time = (NOW - age).min(NOW - since);
        let bad_time = (NOW - age - good_time).max(0.0);
        let total = rate * (good_time + bad_time);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small counts")]
        let series = |count: f64| [("a".to_owned(), count as u64)].into();
        let bad = rate * (good_time * before + bad_time * bad);
        let tally = Tally { total: series(total), bad: series(bad), ..Tally::default() };
        Look { ago, seen: Seen::Counted(tally) }
    };
    instants().into_iter().map(look).collect()
}

fn state(looks: &[Look]) -> (SloState, Option<Severity>) {
    let report = judge_share(&share(), looks).unwrap();
    (report.state, report.severity)
}

#[test]
fn a_fast_burn_pages_a_slow_one_is_a_ticket_and_a_good_service_is_kept() {
    assert_eq!(state(&looks(10.0, 0.001, 0.0, 0.0)), (SloState::Kept, None));
    assert_eq!(state(&looks(10.0, 0.001, 3600.0, 0.2)), (SloState::Burning, Some(Severity::Page)));
    assert_eq!(
        state(&looks(10.0, 0.001, 3.0 * 86_400.0, 0.015)),
        (SloState::Burning, Some(Severity::Ticket))
    );
    // Two minutes of errors are 0.33 times the short window: the long one has not seen enough.
    assert_eq!(state(&looks(10.0, 0.001, 120.0, 0.2)), (SloState::Kept, None));
}

#[test]
fn what_is_over_alarms_no_longer() {
    let mut over = looks(10.0, 0.001, 3600.0, 0.5);
    // The last half hour was good: newer counters have no more bad ones than that of half an hour ago.
    let bad = |look: &Look| match &look.seen {
        Seen::Counted(tally) => tally.all_bad(),
        _ => 0,
    };
    let then = bad(over.iter().find(|look| look.ago == Duration::from_secs(1800)).unwrap());
    for look in over.iter_mut().filter(|look| look.ago < Duration::from_secs(1800)) {
        if let Seen::Counted(tally) = &mut look.seen {
            tally.bad.insert("a".to_owned(), then);
        }
    }
    let report = judge_share(&share(), &over).unwrap();
    assert_eq!(report.windows[0].fires, Some(false), "{report:?}");
    assert!(report.windows[0].burn[0].unwrap() > 14.4);
}

#[test]
fn no_data_is_not_all_well_and_few_requests_are_no_verdict() {
    let mut gone = looks(10.0, 0.001, 0.0, 0.0);
    gone[0].seen = Seen::Absent("the series are gone".to_owned());
    assert_eq!(state(&gone), (SloState::NoData, None));
    gone[0].seen = Seen::Failed("connection refused".to_owned());
    assert_eq!(state(&gone), (SloState::Unknown, None));
    assert_eq!(state(&[]), (SloState::Unknown, None));
    // 36 requests an hour, three quarters bad: chance or not, 200 are needed at 99%.
    let quiet = judge_share(&share(), &looks(0.01, 0.0, 3600.0, 0.75)).unwrap();
    assert_eq!((quiet.windows[0].fires, quiet.windows[0].events), (None, 36));
    assert_eq!(state(&looks(0.0, 0.0, 0.0, 0.0)), (SloState::Unknown, None), "no request at all");
    assert_eq!(state(&looks(0.001, 0.0, 0.0, 0.0)), (SloState::Kept, None), "few, and none of them bad");
}

#[test]
fn counters_begin_again_and_versions_are_young() {
    let mut young = looks(10.0, 0.001, 1800.0, 0.5);
    for look in young.iter_mut().filter(|look| look.ago > Duration::from_secs(3600)) {
        look.seen = Seen::Absent("no series".to_owned());
    }
    assert_eq!(state(&young), (SloState::Burning, Some(Severity::Page)));
    let mut gap = looks(10.0, 0.001, 0.0, 0.0);
    let at = gap.iter().position(|look| look.ago == Duration::from_secs(1800)).unwrap();
    gap[at].seen = Seen::Absent("no series".to_owned());
    let report = judge_share(&share(), &gap).unwrap();
    assert_eq!(report.windows[0].events, 36_000, "a gap is no beginning");
    assert_eq!(report.windows[1].burn[1], None);
}

#[test]
fn durations_count_at_a_bucket() {
    let histogram = |counts: [u64; 3]| Histogram { bounds: vec![50.0, 100.0], counts: counts.to_vec() };
    let looks: Vec<Look> = instants()
        .into_iter()
        .map(|ago| {
            let counts = if ago == Duration::default() { [9000, 500, 500] } else { [0, 0, 0] };
            let latency = [("a".to_owned(), histogram(counts))].into();
            Look { ago, seen: Seen::Counted(Tally { latency, ..Tally::default() }) }
        })
        .collect();
    let slow = Share { below: Some(100.0), target: 0.999, ..share() };
    let report = judge_share(&slow, &looks).unwrap();
    assert_eq!((report.state, report.windows[0].bad), (SloState::Burning, 500));
    let why = judge_share(&Share { below: Some(75.0), ..share() }, &looks).unwrap_err();
    assert_eq!(why, "no bucket ends at 75 ms; choose one of 50, 100");
}

#[test]
fn a_value_burns_where_the_whole_window_breaks_the_bound() {
    let limit =
        Limit { name: "cpu".to_owned(), bound: QualityBound::AtMost(0.8), severity: Severity::Ticket };
    let at = Timestamp::from_seconds(0).unwrap();
    let judged = |values: &[serde_json::Value]| {
        let points: Vec<Point> = values.iter().map(|value| Point { at, value: value.clone() }).collect();
        judge_values(&limit, Ok(&points)).state
    };
    assert_eq!(judged(&[json!(0.9), json!(0.95)]), SloState::Burning);
    assert_eq!(judged(&[json!(0.5), json!(0.95)]), SloState::Kept);
    assert_eq!(judged(&[json!(null), json!(null), json!(0.5)]), SloState::Unknown);
    assert_eq!(judged(&[json!(null)]), SloState::NoData);
    for (is_absent, state) in [(true, SloState::NoData), (false, SloState::Unknown)] {
        assert_eq!(judge_values(&limit, Err(Missed { is_absent, why: "refused" })).state, state);
    }
}

#[test]
fn a_missed_scrape_is_no_new_program() {
    let mut looks = looks(10.0, 0.001, 0.0, 0.0);
    for look in &mut looks {
        if let Seen::Counted(tally) = &mut look.seen {
            let of_b = |series: &BTreeMap<String, u64>| series["a"];
            let (total, bad) = (of_b(&tally.total), of_b(&tally.bad));
            // Five minutes ago the second program was not asked.
            if look.ago != Duration::from_secs(300) {
                tally.total.insert("b".to_owned(), total);
                tally.bad.insert("b".to_owned(), bad);
            }
        }
    }
    let report = judge_share(&share(), &looks).unwrap();
    assert_eq!((report.state, report.windows[0].events), (SloState::Kept, 72_000), "{report:?}");
}

#[test]
fn a_counter_of_errors_that_begins_with_the_first_one_hides_nothing() {
    let mut looks = looks(100.0, 0.0, 5.0 * 3600.0, 0.01);
    for look in &mut looks {
        if look.ago >= Duration::from_secs(6 * 3600) {
            look.seen = Seen::Absent("there is no series".to_owned());
        }
    }
    let strict = Share { target: 0.999, ..share() };
    let report = judge_share(&strict, &looks).unwrap();
    assert_eq!(report.state, SloState::Unknown, "{report:?}");
    assert_eq!(report.budget_left, None);
}

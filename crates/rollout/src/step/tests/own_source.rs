//! Metrics that a source of their own counts are judged like those of the target, and fall silent by themselves.

use std::collections::BTreeMap;

use tagship_domain::{
    Version,
    analysis::MetricPhase,
    plan::RolloutPlan,
    rollout::{MissedLook, Observation, Phase, Reason},
    tally::Tally,
};

use crate::{
    step,
    tests::walk::{Walk, analysis, canary, errors, minutes, sourced},
};

fn plan() -> RolloutPlan {
    RolloutPlan { analysis: Some(analysis(vec![sourced()])), ..canary() }
}

#[test]
fn a_good_candidate_is_promoted_and_a_bad_one_goes_back() {
    let mut walk = Walk::begin(&plan(), true).under(200, [10, 10]);
    walk.until(Phase::Succeeded, 3600);
    let mut walk = Walk::begin(&plan(), true).under(100, [10, 50]);
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!((end.reason, end.judges["errors"].phase), (Reason::AnalysisFailed, MetricPhase::Failed));
}

#[test]
fn the_target_may_be_silent_where_a_source_counts() {
    let mut walk = Walk::begin(&plan(), true).under(200, [10, 10]);
    walk.outage = Some("the target counts nothing".to_owned());
    walk.until(Phase::Succeeded, 3600);
    assert_eq!(walk.state.judges["errors"].phase, MetricPhase::Successful);
}

#[test]
fn a_source_that_cannot_be_asked_is_an_error_of_its_metric_alone_and_never_a_pass() {
    let other = tagship_domain::analysis::Metric { name: "other".to_owned(), ..errors() };
    let plan = RolloutPlan { analysis: Some(analysis(vec![sourced(), other])), ..canary() };
    let mut walk = Walk::begin(&plan, true).under(200, [10, 10]);
    walk.own_outage = Some("no series matches".to_owned());
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!(end.reason, Reason::AnalysisError);
    assert!(end.cause.as_deref().unwrap().contains("no series matches"), "{:?}", end.cause);
    assert_ne!(end.judges["other"].phase, MetricPhase::Error);
}

#[test]
fn a_source_that_answers_again_goes_on_without_counting_twice() {
    let mut walk = Walk::begin(&plan(), true).under(10, [10, 10]);
    walk.until(Phase::Progressing, 60);
    walk.passes(70);
    walk.own_outage = Some("no answer in time".to_owned());
    walk.passes(60);
    assert_eq!(walk.state.judges["errors"].looks.consecutive_errors, 1);
    walk.own_outage = None;
    walk.passes(60);
    let judge = &walk.state.judges["errors"];
    assert_eq!(judge.looks.consecutive_errors, 0);
    let measured = walk.now.since(walk.state.since).as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let n = judge.n as f64;
    assert!(n > 100.0 && n <= measured.mul_add(1.0, 60.0), "one request a second: {n} in {measured} s");
}

#[test]
fn looks_that_were_missed_are_taken_one_by_one_and_count_once() {
    let mut walk = Walk::begin(&plan(), true).under(10, [10, 10]);
    walk.until(Phase::Progressing, 60);
    walk.passes(70);
    let (before, looked) = (walk.state.judges["errors"].clone(), walk.state.looked.clone().unwrap());
    let counted = |minutes: u64| -> BTreeMap<Version, Tally> {
        let more = |tally: &Tally| {
            let mut tally = tally.clone();
            *tally.total.get_mut("a").unwrap() += 100 * minutes;
            *tally.bad.get_mut("a").unwrap() += minutes;
            tally
        };
        looked.own["errors"].iter().map(|(version, tally)| (version.clone(), more(tally))).collect()
    };
    let missed = |minute| MissedLook {
        at: looked.at.after(minutes(minute)),
        own: [("errors".to_owned(), counted(minute))].into(),
        values: BTreeMap::new(),
    };
    walk.now = looked.at.after(minutes(3));
    let observation = Observation {
        own: [("errors".to_owned(), Ok(counted(3)))].into(),
        missed: vec![missed(1), missed(2)],
        ..walk.observation(vec![])
    };
    let state = step(&walk.state, &observation).state;
    let judge = &state.judges["errors"];
    assert_eq!(judge.looks.measured, before.looks.measured + 3);
    assert_eq!(judge.n, before.n + 300, "{}", judge.message);
    assert_eq!(
        step(&state, &observation).state.judges["errors"],
        *judge,
        "a look that was taken is not taken again"
    );
}

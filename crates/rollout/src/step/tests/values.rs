//! Metrics on values lead a rollout on and back, with and without stable traffic, and looks that were missed are taken.

use serde_json::json;
use tagship_domain::{
    Duration,
    analysis::{Metric, MetricPhase},
    plan::{RolloutPlan, Strategy},
    rollout::{Kind, Phase, Reason, RolloutState},
};
use tagship_ports::{OwnSource, Problem, fake::FakeValueSource};

use crate::{
    Never, Told,
    step::missed_looks,
    tests::{
        sample::{noon, version},
        stage::Story,
        walk::{Walk, analysis, canary, minutes, valued},
    },
};

fn plan(condition: &str) -> RolloutPlan {
    RolloutPlan { analysis: Some(analysis(vec![valued(condition)])), ..canary() }
}

#[test]
fn good_values_promote_and_bad_ones_lead_back() {
    for condition in ["result <= 0.03", "result <= stable * 1.5"] {
        let mut walk = Walk::begin(&plan(condition), true).under(200, [10, 10]);
        walk.until(Phase::Succeeded, 3600);
        let mut walk = Walk::begin(&plan(condition), true).under(200, [10, 50]);
        let end = walk.until(Phase::RolledBack, 3600);
        assert_eq!((end.reason, end.judges["share"].phase), (Reason::AnalysisFailed, MetricPhase::Failed));
        assert!(end.cause.as_deref().unwrap().contains("result is 0.05"), "{:?}", end.cause);
    }
}

#[test]
fn steps_take_as_many_looks_as_they_last_and_no_more_follow() {
    // Twice five minutes with a look a minute; without a bake, nothing is to be shown anew with all traffic.
    let mut walk = Walk::begin(&plan("result <= 0.03"), true).under(200, [10, 10]);
    assert_eq!(walk.until(Phase::Succeeded, 3600).judges["share"].looks.measured, 10);
    let baking = RolloutPlan { bake: minutes(3), ..plan("result <= 0.03") };
    let mut walk = Walk::begin(&baking, true).under(200, [10, 10]);
    let looks = walk.until(Phase::Succeeded, 3600).judges["share"].looks;
    assert_eq!(looks.measured, 3, "a bake has looks of its own");
}

#[test]
fn values_are_judged_without_stable_too() {
    let first = RolloutPlan { strategy: Strategy::AllAtOnce, bake: minutes(10), ..plan("result <= 0.03") };
    let mut walk = Walk::begin(&first, false).under(200, [0, 10]);
    walk.until(Phase::Succeeded, 3600);
    let mut walk = Walk::begin(&first, false).under(200, [0, 50]);
    assert_eq!(walk.until(Phase::RolledBack, 3600).reason, Reason::AnalysisFailed);
    let comparing = RolloutPlan { analysis: Some(analysis(vec![valued("result <= stable")])), ..first };
    let walk = Walk::begin(&comparing, false);
    assert!(walk.state.plan.analysis.is_none(), "there is nothing to compare with");
}

#[test]
fn no_value_ends_with_a_person_and_no_answer_leads_back() {
    let mut walk = Walk::begin(&plan("result <= 0.03"), true).under(0, [0, 0]);
    let end = walk.until(Phase::Paused, 7200);
    assert_eq!(end.reason, Reason::NoData, "{}", end.message);
    let mut walk = Walk::begin(&plan("result <= 0.03"), true).under(200, [10, 10]);
    walk.own_outage = Some("connection refused".to_owned());
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!(end.reason, Reason::AnalysisError);
    assert!(end.cause.as_deref().unwrap().contains("connection refused"), "{:?}", end.cause);
}

#[test]
fn looks_that_were_due_are_known() {
    let mut walk = Walk::begin(&plan("result <= 0.03"), true).under(200, [10, 10]);
    walk.until(Phase::Progressing, 60);
    walk.passes(61);
    let looked = walk.state.looked.as_ref().unwrap().at;
    let missed = |seconds| missed_looks(&walk.state, looked.after(Duration::from_secs(seconds)));
    assert!(missed(60).is_empty() && missed(119).is_empty());
    assert_eq!(missed(120), [looked.after(minutes(1))]);
    assert_eq!(
        missed(200),
        [1, 2].map(|minute| looked.after(minutes(minute))),
        "the third is the one that is due"
    );
    let many = missed(60 * 500);
    assert_eq!((many.len(), many.last()), (60, Some(&looked.after(minutes(499)))));
}

/// Values of the candidate in the middle of each minute after noon.
fn minute_by_minute(values: &[f64]) -> FakeValueSource {
    let source = FakeValueSource::default();
    for (minute, value) in (0..).zip(values) {
        source.answer(&version("v1.1.0"), noon().after(Duration::from_secs(60 * minute + 30)), json!(value));
    }
    source
}

/// A rollout that was led to its first share at noon, then left alone for this long.
async fn left_alone(source: FakeValueSource, length: Duration) -> RolloutState {
    let mut stage = Story::GoesStepByStep.stage().await;
    stage.sources.insert("share".to_owned(), OwnSource::Value(Box::new(source)));
    let metric = Metric { failure_limit: 1, consecutive_error_limit: 1, ..valued("result <= 0.03") };
    let plan = RolloutPlan { analysis: Some(analysis(vec![metric])), ..canary() };
    let mut driver = stage.driver(&Never);
    stage.begin(&mut driver, Kind::Deploy, &plan).await.unwrap();
    driver.once(Told::default()).await.unwrap();
    // Transitions at one moment lie milliseconds apart in the journal.
    stage.clock.advance(length.plus(Duration::from_secs(1)));
    stage.driver(&Never).once(Told::default()).await.unwrap().state().unwrap().clone()
}

#[tokio::test]
async fn looks_that_nobody_took_are_taken_later() {
    let state = left_alone(minute_by_minute(&[0.01; 4]), minutes(4)).await;
    assert_eq!((state.phase, state.judges["share"].looks.measured), (Phase::Progressing, 4));

    // The third minute was the second bad one; what came after it no longer matters.
    let state = left_alone(minute_by_minute(&[0.5, 0.01, 0.5, 0.01]), minutes(4)).await;
    assert_eq!((state.phase, state.reason), (Phase::RolledBack, Reason::AnalysisFailed));
    assert_eq!(state.judges["share"].looks.measured, 3);
}

#[tokio::test]
async fn a_source_that_does_not_answer_about_the_past_is_asked_once_about_now() {
    let source = minute_by_minute(&[0.01; 4]);
    source.faults.always("values", Problem::Unreachable);
    let state = left_alone(source, minutes(4)).await;
    assert_eq!((state.phase, state.judges["share"].looks.consecutive_errors), (Phase::Progressing, 1));
}

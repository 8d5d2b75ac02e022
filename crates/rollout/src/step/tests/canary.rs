//! Canary: shares of traffic grow as planned, and a verdict comes before stable loses its last request.

use tagship_domain::{
    analysis::{MetricPhase, OnNoData},
    event::Command,
    plan::{OnNewer, RolloutPlan, Step, Strategy},
    rollout::{Phase, Reason},
};

use crate::tests::{
    sample::release,
    walk::{Walk, analysis, canary, errors, judged, minutes, percent},
};

fn weights(walk: &Walk) -> Vec<u8> {
    let mut weights: Vec<u8> = walk.story.iter().map(|(_, weight)| *weight).collect();
    weights.dedup();
    weights
}

#[test]
fn without_metrics_time_leads_it_on() {
    let mut walk = Walk::begin(&canary(), true);
    walk.until(Phase::Succeeded, 11 * 60);
    assert_eq!(weights(&walk), [0, 10, 50, 100]);
    assert!(walk.now.since(walk.state.started) >= minutes(10), "no pause was cut short");
}

#[test]
fn a_good_candidate_is_promoted_step_by_step() {
    let mut walk = Walk::begin(&judged(), true).under(200, [10, 10]);
    walk.until(Phase::Succeeded, 3600);
    assert_eq!(weights(&walk), [0, 10, 50, 100]);
    assert_eq!(walk.state.judges["errors"].phase, MetricPhase::Successful);
    assert_eq!(walk.state.waived, None);
}

#[test]
fn a_bad_candidate_goes_back_and_says_why_with_the_numbers() {
    let mut walk = Walk::begin(&judged(), true).under(100, [10, 50]);
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!((end.reason, end.judges["errors"].phase), (Reason::AnalysisFailed, MetricPhase::Failed));
    let cause = end.cause.as_deref().unwrap();
    assert!(cause.starts_with("at 10%: ") && cause.contains("errors"), "{cause}");
    assert_eq!(weights(&walk), [0, 10, 0]);
}

#[test]
fn stable_keeps_traffic_until_there_is_a_verdict() {
    let steps = [10, 100].map(|share| [Step::SetWeight(percent(share)), Step::Pause(Some(minutes(1)))]);
    let strategy = Strategy::Canary { steps: steps.concat() };
    let plan = RolloutPlan { strategy, ..judged() };
    let mut walk = Walk::begin(&plan, true).under(1, [10, 10]);
    walk.until(Phase::Paused, 40 * 60);
    assert_eq!((walk.state.reason, weights(&walk).as_slice()), (Reason::InconclusiveAnalysis, &[0, 10][..]));
    assert_eq!(walk.state.judges["errors"].phase, MetricPhase::Inconclusive);
    assert!(walk.state.message.contains("waiting for alice"), "{}", walk.state.message);
}

#[test]
fn without_any_data_a_person_is_asked_and_nothing_is_called_good() {
    let mut walk = Walk::begin(&judged(), true);
    let state = walk.until(Phase::Paused, 3600);
    assert_eq!((state.reason, state.step), (Reason::NoData, 3));
    assert!(state.message.contains("no data for errors"), "{}", state.message);
    assert_eq!(walk.state.deadline, None, "a person's time is not counted");
    for _ in 0..50 {
        walk.passes(3600);
    }
    assert_eq!(walk.state.phase, Phase::Paused);
}

#[test]
fn what_no_data_means_is_configured() {
    let plan = |on_no_data| {
        let metric = tagship_domain::analysis::Metric { on_no_data, ..errors() };
        RolloutPlan { analysis: Some(analysis(vec![metric])), ..canary() }
    };
    let mut fails = Walk::begin(&plan(OnNoData::Fail), true);
    assert_eq!(fails.until(Phase::RolledBack, 600).reason, Reason::AnalysisFailed);
    let mut asks = Walk::begin(&plan(OnNoData::Inconclusive), true);
    asks.until(Phase::Paused, 600);
    assert_eq!(asks.state.weight.desired, percent(10));
}

#[test]
fn a_source_that_stays_dead_ends_in_a_rollback_and_a_short_outage_does_not() {
    let mut walk = Walk::begin(&judged(), true).under(200, [10, 10]);
    walk.passes(70);
    walk.outage = Some("connection refused".to_owned());
    walk.passes(180);
    walk.outage = None;
    walk.passes(60);
    assert_eq!(walk.state.phase, Phase::Progressing, "three looks were missed: {}", walk.state.message);
    walk.outage = Some("connection refused".to_owned());
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!((end.reason, end.judges["errors"].phase), (Reason::AnalysisError, MetricPhase::Error));
    assert!(end.message.contains("connection refused"), "{}", end.message);
}

#[test]
fn a_person_can_hold_it_and_let_it_go_on_where_it_was() {
    let mut walk = Walk::begin(&canary(), true);
    walk.passes(1);
    walk.passes(240);
    let held = walk.told(Command::Pause);
    assert_eq!(
        (held.phase, held.reason, held.weight.desired),
        (Phase::Paused, Reason::ManualPause, percent(10))
    );
    walk.passes(24 * 3600);
    assert_eq!(walk.state.phase, Phase::Paused);
    assert_eq!(walk.told(Command::Resume).phase, Phase::Progressing);
    assert_eq!(walk.passes(50).weight.desired, percent(10), "time that it was held does not count");
    assert_eq!(walk.passes(20).weight.desired, percent(50), "time before it was held does");
}

#[test]
fn a_pause_without_a_length_is_for_a_person() {
    let steps = vec![Step::SetWeight(percent(10)), Step::Pause(None)];
    let plan = RolloutPlan { strategy: Strategy::Canary { steps }, ..canary() };
    let mut walk = Walk::begin(&plan, true);
    assert_eq!(walk.until(Phase::Paused, 60).reason, Reason::StepPause);
    assert_eq!(walk.told(Command::Promote).phase, Phase::Succeeded);
    assert_eq!(walk.state.waived, None, "the plan asked for it");
}

#[test]
fn a_person_can_lead_it_on_past_a_verdict_and_that_is_on_record() {
    let mut walk = Walk::begin(&judged(), true);
    walk.until(Phase::Paused, 3600);
    let end = walk.told(Command::Promote);
    assert_eq!(end.phase, Phase::Succeeded);
    assert_eq!(end.waived.as_ref().map(|by| by.actor.as_str()), Some("bob"));
    assert_eq!(end.judges["errors"].phase, MetricPhase::Inconclusive, "nobody calls it good");
}

#[test]
fn resuming_what_was_not_decided_gives_it_the_whole_time_again() {
    let mut walk = Walk::begin(&judged(), true);
    walk.until(Phase::Paused, 3600);
    assert_eq!(walk.told(Command::Resume).phase, Phase::Progressing);
    walk.passes(30 * 60);
    assert_eq!(walk.state.phase, Phase::Progressing);
    (walk.rate, walk.errors) = (300, [10, 10]);
    walk.until(Phase::Succeeded, 3600);
}

#[test]
fn promoted_in_full_it_skips_steps_and_metrics_but_not_the_smoke_check() {
    let mut walk = Walk::begin(&judged(), true);
    walk.told(Command::PromoteFull);
    assert_eq!(walk.state.phase, Phase::Progressing, "before it has traffic there is nothing to promote");
    let end = walk.told(Command::PromoteFull);
    assert_eq!((end.phase, end.judges["smoke"].phase), (Phase::Succeeded, MetricPhase::Successful));
}

#[test]
fn a_pause_does_not_protect_a_bad_candidate() {
    let mut walk = Walk::begin(&judged(), true).under(100, [10, 200]);
    walk.passes(1);
    walk.told(Command::Pause);
    walk.until(Phase::RolledBack, 1800);
}

#[test]
fn a_newer_version_waits_or_takes_over_as_planned() {
    let mut waits = Walk::begin(&canary(), true);
    waits.passes(70);
    waits.newer = Some(release("v1.2.0"));
    waits.passes(1);
    waits.newer = Some(release("v1.1.5"));
    waits.until(Phase::Succeeded, 1200);
    assert_eq!(waits.state.queued, Some(release("v1.2.0")), "of several, the newest is next");

    let mut gives_way = Walk::begin(&RolloutPlan { on_newer: OnNewer::Supersede, ..canary() }, true);
    gives_way.passes(70);
    gives_way.newer = Some(release("v1.2.0"));
    let end = gives_way.until(Phase::Superseded, 60);
    assert_eq!((end.reason, end.queued.clone()), (Reason::NewerVersion, Some(release("v1.2.0"))));
    assert_eq!(weights(&gives_way), [0, 10, 0], "stable serves before the newer one begins");
}

#[test]
fn an_abort_ends_every_stage_of_it() {
    for seconds in [1, 70, 400] {
        let mut walk = Walk::begin(&canary(), true);
        walk.passes(seconds);
        let end = walk.told(Command::Abort);
        assert_eq!((end.phase, end.reason), (Phase::RolledBack, Reason::ManualAbort));
    }
}

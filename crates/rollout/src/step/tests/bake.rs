//! Blue-green, bake, and first deployments: fixed bounds where nothing can be compared.

use tagship_domain::{
    Duration,
    analysis::MetricPhase,
    event::Command,
    plan::{RolloutPlan, Strategy},
    rollout::{Phase, Reason},
};

use crate::tests::{
    sample::plan,
    walk::{Walk, analysis, bounded, canary, errors, judged, minutes, percent},
};

fn blue_green(auto_promote: bool) -> RolloutPlan {
    let strategy = Strategy::BlueGreen { preview: minutes(2), auto_promote, mirror: percent(0) };
    RolloutPlan { strategy, bake: minutes(10), analysis: Some(analysis(vec![bounded()])), ..plan() }
}

fn shares(walk: &Walk) -> Vec<(Phase, u8)> {
    let mut story = walk.story.clone();
    story.dedup();
    story
}

#[test]
fn blue_green_previews_flips_bakes_and_promotes() {
    let mut walk = Walk::begin(&blue_green(true), true).under(50, [10, 10]);
    walk.until(Phase::Succeeded, 3600);
    let expected = [
        (Phase::Validating, 0),
        (Phase::Progressing, 0),
        (Phase::Baking, 100),
        (Phase::Promoting, 100),
        (Phase::Finalising, 100),
        (Phase::Succeeded, 100),
    ];
    assert_eq!(shares(&walk), expected);
    assert_eq!(walk.state.judges["errors"].phase, MetricPhase::Successful);
}

#[test]
fn blue_green_waits_for_a_person_where_the_plan_says_so() {
    let mut walk = Walk::begin(&blue_green(false), true).under(50, [10, 10]);
    let state = walk.until(Phase::Paused, 300);
    assert_eq!((state.reason, state.weight.desired.get()), (Reason::StepPause, 0));
    assert_eq!(walk.told(Command::Resume).phase, Phase::Baking);
}

#[test]
fn a_flip_that_goes_wrong_goes_back_within_the_bake() {
    let mut walk = Walk::begin(&blue_green(true), true).under(50, [10, 80]);
    let end = walk.until(Phase::RolledBack, 3600);
    assert_eq!(end.reason, Reason::AnalysisFailed);
    assert!(end.cause.as_deref().unwrap().starts_with("while baking at 100%: "), "{:?}", end.cause);
}

#[test]
fn what_is_held_back_serves_until_the_bake_has_ended() {
    let plan = RolloutPlan { bake: minutes(10), hold_back: percent(5), ..judged() };
    let mut walk = Walk::begin(&plan, true).under(500, [10, 10]);
    walk.until(Phase::Baking, 3600);
    assert_eq!(walk.state.weight.desired, percent(95));
    walk.errors = [10, 60];
    let end = walk.until(Phase::RolledBack, 3600);
    assert!(end.cause.as_deref().unwrap().contains("while baking at 95%"), "{:?}", end.cause);
}

#[test]
fn a_bake_that_proves_nothing_ends_with_a_person() {
    let mut walk = Walk::begin(&blue_green(true), true);
    assert_eq!(walk.until(Phase::Paused, 7200).reason, Reason::NoData);
    assert_eq!(walk.state.weight.desired.get(), 100, "it serves, and is not stable");
}

#[test]
fn a_fixed_bound_takes_over_where_stable_has_no_traffic_left() {
    let metrics = vec![bounded()];
    let plan = RolloutPlan { bake: minutes(10), analysis: Some(analysis(metrics)), ..canary() };
    let mut walk = Walk::begin(&plan, true).under(500, [10, 10]);
    walk.until(Phase::Baking, 3600);
    assert!(!walk.state.judges.contains_key("errors"), "what was compared says nothing about the bound");
    walk.errors = [10, 90];
    walk.until(Phase::RolledBack, 3600);
}

#[test]
fn a_first_deployment_is_all_at_once_and_held_to_its_bounds() {
    let plan = RolloutPlan {
        bake: minutes(10),
        analysis: Some(analysis(vec![
            bounded(),
            tagship_domain::analysis::Metric { name: "other".to_owned(), ..errors() },
        ])),
        ..canary()
    };
    let mut good = Walk::begin(&plan, false).under(100, [0, 10]);
    good.until(Phase::Succeeded, 3600);
    assert!(shares(&good).contains(&(Phase::Baking, 100)));
    assert!(!good.state.judges.contains_key("other"), "there is nothing to compare with");

    let mut bad = Walk::begin(&plan, false).under(100, [0, 100]);
    let end = bad.until(Phase::RolledBack, 3600);
    assert!(end.message.contains("was taken out of service"), "{}", end.message);

    let mut unbounded = Walk::begin(&judged(), false);
    unbounded.passes(1);
    assert_eq!((unbounded.state.phase, unbounded.state.plan.bake), (Phase::Succeeded, Duration::default()));
}

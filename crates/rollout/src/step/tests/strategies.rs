//! Shadow, A/B, copies before a canary, and versions that stay loaded for a while.

use tagship_domain::{
    analysis::{Bound, Metric, MetricKind, MetricPhase},
    event::Command,
    plan::{RolloutPlan, Strategy},
    rollout::{Effect, Phase, Reason},
    routing::{HeaderName, Routing},
};

use crate::step::change::is_report;
use crate::tests::{
    sample::{plan, version},
    walk::{Walk, analysis, beta, bounded, errors, judged, minutes, percent, shadowed},
};

fn disagreement() -> Metric {
    Metric {
        bound: Some(Bound::MaxDisagreement(0.05)),
        ..Metric::with_defaults("disagreement", MetricKind::Disagreement)
    }
}

fn paired() -> Metric {
    Metric::with_defaults("pairs", MetricKind::PairedAccuracy)
}

/// Copies of half the requests for ten minutes.
fn shadow(metrics: Vec<Metric>) -> RolloutPlan {
    let strategy = Strategy::Shadow { mirror: percent(50), length: minutes(10) };
    RolloutPlan { strategy, analysis: Some(analysis(metrics)), ..plan() }
}

fn phases(walk: &Walk) -> Vec<(Phase, u8)> {
    let mut story = walk.story.clone();
    story.dedup();
    story
}

#[test]
fn a_shadow_answers_copies_without_traffic_and_takes_all_when_every_metric_is_good() {
    let mut walk = Walk::begin(&shadow(vec![disagreement(), paired(), errors()]), true).under(50, [10, 10]);
    walk.passes(1);
    assert_eq!((walk.state.phase, walk.state.weight.desired.get()), (Phase::Progressing, 0));
    let shadow = walk.state.routing.shadow.clone().unwrap();
    assert_eq!((shadow.version, shadow.share), (version("v1.1.0"), percent(50)));
    walk.until(Phase::Succeeded, 7200);
    for metric in ["disagreement", "pairs", "errors"] {
        assert_eq!(walk.state.judges[metric].phase, MetricPhase::Successful, "{metric}");
    }
    let expected = [
        (Phase::Validating, 0),
        (Phase::Progressing, 0),
        (Phase::Progressing, 100),
        (Phase::Promoting, 100),
        (Phase::Finalising, 100),
        (Phase::Succeeded, 100),
    ];
    assert_eq!(phases(&walk), expected);
    assert!(walk.state.routing.is_plain(), "nothing is copied any more");
}

#[test]
fn a_shadow_that_disagrees_or_fails_or_is_wrong_never_has_traffic() {
    type Spoil = fn(&mut Walk);
    let spoil: [(&str, Spoil); 3] = [
        ("disagreement", |walk| walk.differs = [200, 5]),
        ("pairs", |walk| walk.differs = [10, 120]),
        ("errors", |walk| walk.errors = [10, 100]),
    ];
    for (metric, spoil) in spoil {
        let mut walk =
            Walk::begin(&shadow(vec![disagreement(), paired(), errors()]), true).under(50, [10, 10]);
        spoil(&mut walk);
        let end = walk.until(Phase::RolledBack, 3600);
        assert_eq!(end.reason, Reason::AnalysisFailed, "{metric}");
        let cause = end.cause.clone().unwrap();
        assert!(cause.starts_with("on copies of 50% of the requests: "), "{cause}");
        assert!(cause.contains(&format!("{metric}: ")), "{cause}");
        assert!(phases(&walk).iter().all(|(_, share)| *share == 0), "{:?}", phases(&walk));
        assert!(walk.state.routing.is_plain());
    }
}

#[test]
fn a_shadow_without_requests_or_a_verdict_waits_for_a_person() {
    let mut silent = Walk::begin(&shadow(vec![disagreement()]), true);
    assert_eq!(silent.until(Phase::Paused, 7200).reason, Reason::NoData);
    assert!(silent.state.routing.shadow.is_some(), "it goes on being measured");

    let many = Metric { min_samples: 1_000_000, ..paired() };
    let mut open = Walk::begin(&shadow(vec![many]), true).under(50, [0, 0]);
    assert_eq!(open.until(Phase::Paused, 7200).reason, Reason::InconclusiveAnalysis);
    let led = open.told(Command::Promote);
    assert_eq!((led.phase, led.weight.desired.get()), (Phase::Succeeded, 100), "{}", led.message);
    assert!(led.waived.is_some());
}

#[test]
fn what_only_copies_show_is_decided_before_they_end() {
    let plan = RolloutPlan { analysis: Some(analysis(vec![disagreement(), errors()])), ..shadowed() };
    let mut walk = Walk::begin(&plan, true).under(50, [10, 10]);
    walk.until(Phase::Succeeded, 7200);
    let shares: Vec<u8> = phases(&walk).into_iter().map(|(_, share)| share).collect();
    assert!(shares.windows(2).all(|pair| pair[0] <= pair[1]), "{shares:?}");

    let mut silent = Walk::begin(&plan, true);
    assert_eq!(silent.until(Phase::Paused, 7200).reason, Reason::NoData);
    assert!(silent.state.message.contains("no data for disagreement;"), "{}", silent.state.message);
    assert_eq!(silent.state.weight.desired.get(), 0);
}

#[test]
fn the_order_to_copy_or_to_keep_sides_comes_before_the_share_that_needs_it() {
    let mut walk = Walk::begin(&shadowed(), true).under(50, [10, 10]);
    walk.until(Phase::Succeeded, 7200);
    let orders = walk.done.iter().filter_map(|effect| match effect {
        Effect::Route { routing } if routing.shadow.is_some() => Some("copy".to_owned()),
        Effect::Route { routing } if routing.sticky.is_some() => Some("keep sides".to_owned()),
        Effect::Route { .. } => Some("plain".to_owned()),
        Effect::SetWeight { weight } => Some(weight.to_string()),
        Effect::Promote => Some("promote".to_owned()),
        _ => None,
    });
    let orders: Vec<String> = orders.collect();
    assert_eq!(orders, ["copy", "keep sides", "10%", "50%", "plain", "100%", "promote"]);
}

#[test]
fn clients_stay_on_their_side_while_traffic_is_shared_and_no_longer() {
    let mut walk = Walk::begin(&shadowed(), true).under(50, [10, 10]);
    walk.passes(1);
    assert!(walk.state.routing.shadow.is_some() && walk.state.routing.sticky.is_none());
    while walk.state.weight.desired.get() == 0 {
        walk.passes(10);
    }
    let header = HeaderName::new("x-user-id").unwrap();
    assert_eq!(walk.state.routing, Routing { sticky: Some(header), ..Routing::default() });
    walk.until(Phase::Succeeded, 7200);
    assert!(walk.state.routing.is_plain());
}

#[test]
fn an_ab_test_ends_with_its_time_and_not_before() {
    let strategy = Strategy::AB { share: percent(50), length: minutes(60) };
    let sticky = Some(HeaderName::new("x-user-id").unwrap());
    let mut walk = Walk::begin(&RolloutPlan { strategy, sticky, ..judged() }, true).under(100, [10, 10]);
    while walk.state.judges.get("errors").is_none_or(|judge| judge.phase != MetricPhase::Successful) {
        walk.passes(10);
    }
    let decided = walk.now;
    walk.until(Phase::Succeeded, 7200);
    let began = walk.state.started;
    assert!(decided.since(began) < minutes(50), "it was decided early");
    assert!(walk.now.since(began) >= minutes(60), "and went on to the end of its time");

    let strategy = Strategy::AB { share: percent(50), length: minutes(60) };
    let mut bad = Walk::begin(&RolloutPlan { strategy, ..judged() }, true).under(100, [10, 80]);
    bad.until(Phase::RolledBack, 3600);
    assert!(bad.now.since(bad.state.started) < minutes(30), "a bad one need not be endured");
}

fn by_header() -> RolloutPlan {
    RolloutPlan { strategy: Strategy::Matched { rule: beta(), length: minutes(60) }, ..judged() }
}

#[test]
fn a_test_by_header_leads_the_cohort_to_the_candidate_until_its_time_is_over() {
    let mut walk = Walk::begin(&by_header(), true).under(100, [10, 10]);
    walk.passes(10);
    let matched = walk.state.routing.matched.clone().unwrap();
    assert_eq!((&matched.version, matched.rule()), (&walk.state.candidate.version, beta()));
    assert_eq!(walk.state.weight.desired.get(), 0, "chance leads nobody there");
    walk.passes(60);
    assert!(
        walk.state.message.contains("answers the requests with `x-cohort: beta`"),
        "{}",
        walk.state.message
    );
    walk.until(Phase::Succeeded, 7200);
    assert!(walk.now.since(walk.state.started) >= minutes(60), "its time is fixed");
    assert!(walk.state.routing.is_plain(), "nobody is led by the header any more");
    let n = walk.state.judges["errors"].measurement.as_ref().unwrap().n;
    assert!(n[0] > 8 * n[1] && n[1] > 0, "both sides are evidence: {n:?}");
}

#[test]
fn a_bad_candidate_loses_its_cohort_at_once() {
    let mut bad = Walk::begin(&by_header(), true).under(100, [10, 80]);
    bad.until(Phase::RolledBack, 3600);
    assert!(bad.now.since(bad.state.started) < minutes(30), "a bad one need not be endured");
    assert!(bad.state.message.contains("on the requests with `x-cohort: beta`"), "{}", bad.state.message);
    let orders: Vec<&Effect> = bad.done.iter().filter(|effect| !is_report(effect)).collect();
    let back = orders.iter().position(|effect| **effect == Effect::Rollback).unwrap();
    assert!(matches!(orders[back + 1], Effect::Route { routing } if routing.is_plain()), "{orders:?}");
}

#[test]
fn a_freeze_keeps_the_cohort_with_stable() {
    let freeze = vec!["Tue 10:00 - Tue 14:00 UTC".parse().unwrap()];
    let mut walk = Walk::begin(&RolloutPlan { freeze, ..by_header() }, true);
    walk.passes(60);
    assert_eq!(walk.state.phase, Phase::Waiting);
    assert!(walk.state.routing.is_plain());
}

#[test]
fn blue_green_is_measured_on_copies_before_it_flips() {
    let strategy = Strategy::BlueGreen { preview: minutes(5), auto_promote: true, mirror: percent(100) };
    let plan =
        RolloutPlan { strategy, bake: minutes(5), analysis: Some(analysis(vec![bounded()])), ..plan() };
    let mut bad = Walk::begin(&plan, true).under(100, [10, 90]);
    let end = bad.until(Phase::RolledBack, 3600);
    assert!(end.cause.as_deref().unwrap().starts_with("on copies of 100%"), "{:?}", end.cause);

    let mut good = Walk::begin(&plan, true).under(100, [10, 10]);
    good.until(Phase::Baking, 3600);
    assert!(!good.state.judges.contains_key("errors"), "what was compared says nothing about the bound");
    good.until(Phase::Succeeded, 3600);
}

#[test]
fn the_version_from_before_stays_loaded_for_a_while() {
    let plan = RolloutPlan { scale_down_delay: minutes(2), ..plan() };
    let mut walk = Walk::begin(&plan, true);
    walk.passes(1);
    assert_eq!(walk.state.phase, Phase::Succeeded);
    let [left] = walk.state.intended.as_slice() else { panic!("{:?}", walk.state.intended) };
    assert_eq!(left.effect, Effect::Cleanup { version: version("v1.0.0") });
    assert!(!left.is_due(walk.now) && left.is_due(walk.state.since.after(minutes(2))));
    assert!(!walk.state.is_settled(), "someone has to unload it");
    walk.passes(60);
    assert_eq!(walk.state.intended.len(), 1, "not yet");
    walk.passes(61);
    assert!(walk.state.is_settled());
    assert_eq!(walk.done.last(), Some(&Effect::Cleanup { version: version("v1.0.0") }));
}

#[test]
fn an_order_to_copy_that_a_pause_cut_short_is_given_again() {
    let mut walk = Walk::begin(&shadow(vec![disagreement()]), true).under(50, [10, 10]);
    walk.refuses_to_route = true;
    walk.passes(1);
    assert_eq!(walk.state.phase, Phase::Progressing);
    assert!(walk.state.routing.is_plain(), "nothing was copied yet");
    assert_eq!(walk.told(Command::Pause).phase, Phase::Paused);
    walk.refuses_to_route = false;
    walk.told(Command::Resume);
    walk.passes(10);
    assert!(walk.state.routing.shadow.is_some(), "{}", walk.state.message);
    walk.until(Phase::Succeeded, 7200);
}

#[test]
fn the_way_back_takes_a_routing_back_that_nobody_confirmed() {
    let mut walk = Walk::begin(&shadow(vec![disagreement()]), true);
    walk.refuses_to_route = true;
    walk.passes(1);
    walk.refuses_to_route = false;
    walk.told(Command::Abort);
    assert_eq!(walk.state.phase, Phase::RolledBack);
    let plain = |effect: &&Effect| matches!(effect, Effect::Route { routing } if routing.is_plain());
    assert!(walk.done.iter().any(|effect| plain(&effect)), "{:?}", walk.done);
}

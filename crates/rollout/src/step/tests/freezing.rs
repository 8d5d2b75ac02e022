//! Freezes: nothing begins and nothing gets more traffic, the way back is open, and a person may overrule them.

use tagship_domain::{event::Command, plan::RolloutPlan, rollout::PersonCommand};

use super::*;
use crate::tests::{
    sample::{by, noon, plan},
    walk::{Walk, canary, judged},
};

/// A plan with a freeze, on the Tuesday at whose noon every story begins.
fn frozen(window: &str, plan: RolloutPlan) -> RolloutPlan {
    RolloutPlan { freeze: vec![window.parse().unwrap()], ..plan }
}

#[test]
fn nothing_begins_in_a_freeze_and_it_begins_by_itself_afterwards() {
    let mut walk = Walk::begin(&frozen("Tue 10:00 - Tue 13:00 UTC", plan()), true);
    let waiting = walk.until(Phase::Waiting, 10).clone();
    assert_eq!(
        (waiting.reason, waiting.deadline, waiting.weight.desired),
        (Reason::Schedule, None, Weight::NONE)
    );
    let message = "a freeze holds it until 2026-11-24 13:00:00 UTC, or until someone promotes it";
    assert_eq!(waiting.message, message);
    assert!(waiting.holds_lock() && waiting.exit() == tagship_domain::Exit::Running);
    walk.passes(3500);
    assert_eq!(walk.state.phase, Phase::Waiting);
    walk.passes(100);
    assert_eq!(walk.state.phase, Phase::Succeeded);
}

#[test]
fn a_share_of_traffic_stays_while_a_freeze_lasts() {
    let mut walk = Walk::begin(&frozen("Tue 12:03 - Tue 14:00 UTC", canary()), true);
    let state = walk.until(Phase::Waiting, 600);
    assert_eq!((state.step, state.weight.applied.get()), (1, 10));
    assert!(
        state.message.starts_with("v1.1.0 has 10% of the traffic; a freeze holds it"),
        "{}",
        state.message
    );
    walk.passes(7200);
    let state = walk.until(Phase::Succeeded, 600);
    assert_eq!(state.unfrozen, None);
}

#[test]
fn the_way_back_is_open_in_a_freeze() {
    let window = "Tue 12:03 - Tue 23:00 UTC";
    let mut bad = Walk::begin(&frozen(window, judged()), true).under(200, [10, 10]);
    bad.until(Phase::Waiting, 2400);
    bad.errors = [10, 600];
    assert_eq!(
        bad.until(Phase::RolledBack, 1800).reason,
        Reason::AnalysisFailed,
        "what is measured still counts"
    );

    let mut stopped = Walk::begin(&frozen(window, canary()), true);
    stopped.until(Phase::Waiting, 600);
    stopped.told(Command::Abort);
    assert_eq!(stopped.state.phase, Phase::RolledBack);
    let mut never_began = Walk::begin(&frozen("Tue 10:00 - Tue 13:00 UTC", canary()), true);
    never_began.until(Phase::Waiting, 10);
    never_began.told(Command::Abort);
    assert_eq!((never_began.state.phase, never_began.state.reason), (Phase::Failed, Reason::ManualAbort));

    let rollback =
        pending_over(Kind::Rollback, Some(&release("v1.0.0")), &frozen("Tue 10:00 - Tue 13:00 UTC", plan()));
    assert_eq!(
        step(&rollback, &seen(BOTH_BEFORE)).state.phase,
        Phase::Validating,
        "a rollback knows no freeze"
    );
}

#[test]
fn a_person_overrules_the_freeze_that_holds_and_no_later_one() {
    let mut walk = Walk::begin(&frozen("Tue 12:03 - Tue 14:00 UTC", canary()), true);
    walk.until(Phase::Waiting, 600);
    walk.told(Command::Promote);
    let state = walk.until(Phase::Succeeded, 900);
    let word = state.unfrozen.as_ref().unwrap();
    assert_eq!((word.by.actor.as_str(), word.until.clock().as_str()), ("bob", "14:00:00"));
    assert_eq!(state.waived, None, "only the calendar was overruled");

    let twice = RolloutPlan {
        freeze: vec![
            "Tue 11:00 - Tue 12:01 UTC".parse().unwrap(),
            "Tue 12:04 - Tue 14:00 UTC".parse().unwrap(),
        ],
        ..canary()
    };
    let mut walk = Walk::begin(&twice, true);
    walk.until(Phase::Waiting, 10);
    walk.told(Command::Promote);
    assert_eq!(walk.state.phase, Phase::Progressing);
    assert_eq!(walk.until(Phase::Waiting, 600).step, 1, "the second holds it again");
}

#[test]
fn a_person_who_promotes_in_a_freeze_is_followed_and_recorded() {
    let plan = frozen("Tue 12:03 - Tue 14:00 UTC", canary());
    let mut state = Walk::begin(&plan, true);
    state.until(Phase::Progressing, 10);
    state.passes(200);
    let promote = PersonCommand { command: Command::PromoteFull, by: by("bob") };
    let now = noon().after(Duration::from_secs(300));
    let weight = state.state.weight.desired.get();
    let look =
        Observation { now, commands: vec![promote], ..seen([("v1.0.0", 100 - weight), ("v1.1.0", weight)]) };
    let next = step(&state.state, &look).state;
    assert_eq!((next.phase, next.unfrozen.map(|word| word.by)), (Phase::Promoting, Some(by("bob"))));
}

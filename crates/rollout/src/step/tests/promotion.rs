//! A promotion that fails where stable can no longer serve, and the lock of a rollout that could not go back.

use super::*;
use crate::{
    StartRequest, start,
    tests::sample::{by, noon, plan},
};
use tagship_domain::rollout::Unlocked;

/// Nothing that the state intends works, and v1.0.0 is not ready any more.
fn stable_is_lost(state: &RolloutState, share: u8) -> Observation {
    let mut lost = arm("v1.0.0", 100 - share);
    lost.ready = false;
    let outcomes = outcome(state, EffectResult::Refused("no such route".to_owned()));
    Observation { outcomes, ..look(&[lost, arm("v1.1.0", share)]) }
}

#[test]
fn what_still_serves_keeps_the_traffic_when_a_promotion_fails() {
    let state = in_phase(Kind::Deploy, Phase::Promoting);
    let kept = step(&state, &stable_is_lost(&state, 100)).state;
    assert_eq!((kept.phase, kept.reason), (Phase::Finalising, Reason::PromotionFailed));
    assert_eq!(effects(&kept), [&Effect::Publish, &Effect::AssignStage { version: version("v1.1.0") }]);
    let end = step(&kept, &done(&kept, seen(BOTH_AFTER))).state;
    assert_eq!((end.phase, end.reason, end.holds_lock()), (Phase::Failed, Reason::PromotionFailed, false));
    let message = "v1.1.0 serves production although it could not be made stable (could not make the candidate stable: \
                   no such route), for v1.0.0 cannot serve";
    assert_eq!(end.message, message);
    let unload = |effect: &&Effect| matches!(effect, Effect::Cleanup { .. });
    assert!(!effects(&end).iter().any(unload), "what serves stays loaded");
}

#[test]
fn a_healthy_stable_gets_the_traffic_back() {
    let state = in_phase(Kind::Deploy, Phase::Promoting);
    let refused = outcome(&state, EffectResult::Refused("no such route".to_owned()));
    let next = step(&state, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state;
    assert_eq!((next.phase, next.reason), (Phase::RollingBack, Reason::TargetFailed));
    let lost = Observation { commands: vec![abort()], ..stable_is_lost(&state, 100) };
    assert_eq!(step(&state, &lost).state.phase, Phase::RollingBack, "a person's word counts");
}

#[test]
fn where_nothing_can_be_done_a_person_is_told() {
    let mut state = in_phase(Kind::Deploy, Phase::Promoting);
    state.weight.applied = Weight::percent(95).unwrap();
    let kept = step(&state, &stable_is_lost(&state, 95)).state;
    let expected = [
        &Effect::Publish,
        &Effect::SetWeight { weight: Weight::ALL },
        &Effect::AssignStage { version: version("v1.1.0") },
    ];
    assert_eq!(effects(&kept), expected, "it gets what it does not have yet");
    let stuck = step(&kept, &stable_is_lost(&kept, 95)).state;
    assert_eq!((stuck.phase, stuck.reason), (Phase::RollbackFailed, Reason::PromotionFailed));
    assert!(stuck.holds_lock() && stuck.exit() == tagship_domain::Exit::RollbackFailed);

    let finalising = in_phase(Kind::Deploy, Phase::Finalising);
    let kept = step(&finalising, &stable_is_lost(&finalising, 100)).state;
    assert_eq!(effects(&kept), [&Effect::Publish], "a registry that refused is not asked again");
    let end = step(&kept, &seen(BOTH_AFTER)).state;
    assert_eq!((end.phase, end.reason), (Phase::Failed, Reason::PromotionFailed));
}

#[test]
fn what_serves_unpromoted_is_made_stable_before_anything_new() {
    let state = in_phase(Kind::Deploy, Phase::Promoting);
    let kept = step(&state, &stable_is_lost(&state, 100)).state;
    let end = step(&kept, &done(&kept, seen(BOTH_AFTER))).state;
    let over = |stable: &str| {
        start(&StartRequest {
            kind: Kind::Deploy,
            environment: &end.environment,
            candidate: &release("v1.2.0"),
            stable: Some(&release(stable)),
            plan: &plan(),
            previous: Some(&end),
            now: noon(),
            by: &by("alice"),
            fired: None,
        })
    };
    let next = over("v1.1.0").unwrap();
    assert_eq!(effects(&next), [&Effect::Rollback], "or the target gives the rest to what cannot serve");
    let refused = over("v1.0.0").unwrap_err().to_string();
    assert!(refused.contains("churn@v1.1.0 serves production since production-v1.1.0-1 ended"), "{refused}");
}

fn stuck() -> RolloutState {
    let back = going_back();
    let refused = outcome(&back, EffectResult::Refused("gone".to_owned()));
    let stuck = step(&back, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state;
    assert_eq!(stuck.phase, Phase::RollbackFailed);
    stuck
}

#[test]
fn a_named_person_takes_the_lock_away_after_a_look_at_what_serves() {
    let state = stuck();
    let unlock = Unlocked { by: by("carol"), reason: "moved by hand".to_owned(), at: at(60) };
    let blind = step(&state, &Observation { unlock: Some(unlock.clone()), ..unreachable() }).state;
    assert!(blind.holds_lock(), "what serves is unknown");
    let open = step(&state, &Observation { unlock: Some(unlock.clone()), ..seen(BOTH_AFTER) });
    assert!(open.changed && !open.state.holds_lock());
    let message = &open.state.message;
    let begins =
        "carol took the lock away (moved by hand): v1.1.0 has 100% of the traffic; a person is needed";
    assert!(message.starts_with(begins), "{message}");
    assert_eq!(open.state.unlocked.as_ref(), Some(&unlock));
    let again = step(&open.state, &Observation { commands: vec![abort()], ..seen(BOTH_AFTER) }).state;
    assert_eq!(again.phase, Phase::RollbackFailed, "others may have the place by now");
    let running = in_phase(Kind::Deploy, Phase::Progressing);
    let runs = step(&running, &Observation { unlock: Some(unlock), ..seen(BOTH_BEFORE) }).state;
    assert!(runs.holds_lock() && runs.unlocked.is_none(), "what runs is aborted, not unlocked");
}

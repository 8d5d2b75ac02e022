//! A rollback that cannot be completed: what it brought back stays, until a person says otherwise.

use tagship_domain::event::Command;

use super::*;
use crate::{
    StartRefusal,
    tests::sample::{by, plan},
};

/// A rollback from v1.0.0 to v1.1.0, for which the registry or the target refused everything in a phase.
fn refused_in(phase: Phase) -> RolloutState {
    let state = in_phase(Kind::Rollback, phase);
    let refused = outcome(&state, EffectResult::Refused("tags are protected".to_owned()));
    step(&state, &Observation { outcomes: refused, ..seen(BOTH_AFTER) }).state
}

fn asked(state: &RolloutState, command: Command) -> RolloutState {
    let commands = vec![PersonCommand { command, by: by("bob") }];
    step(state, &Observation { commands, ..seen(BOTH_AFTER) }).state
}

#[test]
fn a_registry_that_refuses_leaves_the_good_version_where_it_is() {
    let end = refused_in(Phase::Finalising);
    assert_eq!((end.phase, end.reason), (Phase::RollbackFailed, Reason::RegistryFailed));
    assert_eq!((end.exit(), end.holds_lock()), (tagship_domain::Exit::RollbackFailed, true));
    assert_eq!((end.weight.desired, end.weight.applied), (Weight::ALL, Weight::ALL));
    let told = [&Effect::SetDeployment { state: DeploymentState::Error }, &Effect::Publish];
    assert_eq!(effects(&end), told, "no traffic moves");
    let message = "a person is needed, going back to v1.1.0 failed: could not unassign v1.0.0 in the registry: tags are \
                   protected; v1.1.0 keeps 100% of the traffic";
    assert_eq!(end.message, message);
}

#[test]
fn a_registry_that_is_away_is_asked_until_the_deadline() {
    let state = in_phase(Kind::Rollback, Phase::Finalising);
    let away = outcome(&state, EffectResult::Retry("connection reset".to_owned()));
    let waits = step(&state, &Observation { outcomes: away.clone(), ..seen(BOTH_AFTER) }).state;
    assert_eq!((waits.phase, waits.intended[0].attempts), (Phase::Finalising, 1));
    let late = Observation { outcomes: away, now: at(1000), ..seen(BOTH_AFTER) };
    let end = step(&waits, &late).state;
    assert_eq!((end.phase, end.reason), (Phase::RollbackFailed, Reason::ProgressDeadlineExceeded));
    assert!(end.weight.desired == Weight::ALL && end.message.contains("connection reset"), "{}", end.message);
}

#[test]
fn a_person_has_it_completed() {
    for command in [Command::Retry, Command::Rollback] {
        let again = asked(&refused_in(Phase::Finalising), command);
        assert_eq!(again.phase, Phase::Promoting);
        assert!(effects(&again).contains(&&Effect::Promote) && !effects(&again).contains(&&Effect::Rollback));
        assert_eq!(again.message, "bob has going back tried again; making it stable");
        let records = step(&again, &done(&again, seen(BOTH_AFTER))).state;
        let (left, back) = (version("v1.0.0"), version("v1.1.0"));
        let expected = [&Effect::UnassignStage { version: left }, &Effect::AssignStage { version: back }];
        assert_eq!((records.phase, effects(&records)), (Phase::Finalising, expected.to_vec()));
        let end = step(&records, &done(&records, seen(BOTH_AFTER))).state;
        assert_eq!((end.phase, end.holds_lock()), (Phase::Succeeded, false));
    }
}

#[test]
fn only_a_person_returns_to_what_was_left() {
    let back = asked(&refused_in(Phase::Finalising), Command::Abort);
    assert_eq!((back.phase, back.reason), (Phase::RollingBack, Reason::ManualAbort));
    assert_eq!(back.message, "giving all traffic back to v1.0.0: bob stopped it");
    let back = step(&back, &done(&back, seen(BOTH_BEFORE))).state;
    let end = step(&back, &done(&back, seen(BOTH_BEFORE))).state;
    assert_eq!(end.phase, Phase::RolledBack, "and the registry names it again");

    for phase in [Phase::Progressing, Phase::Promoting] {
        let stuck = refused_in(phase);
        assert_eq!((stuck.phase, stuck.reason), (Phase::RollbackFailed, Reason::TargetFailed));
    }
    let lost = step(&in_phase(Kind::Rollback, Phase::Promoting), &look(&[arm("v1.0.0", 0)])).state;
    assert_eq!((lost.phase, lost.weight.desired), (Phase::RollbackFailed, Weight::ALL));
    assert!(lost.message.ends_with("the target does not have v1.1.0 loaded"), "{}", lost.message);
}

#[test]
fn what_serves_is_recorded_before_anything_else_begins() {
    let unlock = Unlocked { by: by("carol"), reason: "the registry is closed".to_owned(), at: at(2) };
    let stuck = refused_in(Phase::Finalising);
    let open = step(&stuck, &Observation { unlock: Some(unlock), ..seen(BOTH_AFTER) }).state;
    assert!(
        !open.holds_lock() && open.message.contains("v1.1.0 has 100% of the traffic"),
        "{}",
        open.message
    );
    let begin = |kind, candidate: &str| {
        crate::start(&crate::StartRequest {
            kind,
            environment: &open.environment,
            candidate: &release(candidate),
            stable: Some(&release("v1.0.0")),
            plan: &plan(),
            previous: Some(&open),
            now: at(3),
            by: &by("carol"),
            fired: None,
        })
    };
    assert!(matches!(begin(Kind::Deploy, "v1.2.0"), Err(StartRefusal::Unrecorded { .. })));
    let again = begin(Kind::Rollback, "v1.1.0").unwrap();
    assert!(!effects(&again).contains(&&Effect::Rollback), "the version that was left gets nothing");
}

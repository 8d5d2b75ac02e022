//! Which rollouts may start.

use super::*;
use crate::tests::sample::{at, by, in_phase, noon, pending, plan, release, version};

fn over(previous: &RolloutState, candidate: &str) -> Result<RolloutState, StartRefusal> {
    start(&StartRequest {
        kind: Kind::Deploy,
        environment: &"production".parse().unwrap(),
        candidate: &release(candidate),
        stable: Some(&release("v1.1.0")),
        plan: &plan(),
        previous: Some(previous),
        now: noon(),
        by: &by("carol"),
        fired: None,
    })
}

#[test]
fn the_first_rollout_is_number_one() {
    let state = pending(Kind::Deploy);
    assert_eq!((state.id.0.as_str(), state.phase, state.seq), ("production-v1.1.0-1", Phase::Pending, 0));
    assert_eq!(state.message, "alice deploys v1.1.0 to production, where v1.0.0 serves");
    assert_eq!(state.deadline, Some(at(600)));
}

#[test]
fn numbers_go_on_and_time_never_goes_back() {
    let previous = in_phase(Kind::Deploy, Phase::Succeeded);
    let next = over(&previous, "v1.2.0-rc.1").unwrap();
    assert_eq!(next.id.0, "production-v1.2.0-rc.1-2");
    assert!(next.seq >= previous.seq && next.since > previous.since, "even where this clock is behind");
}

#[test]
fn what_holds_the_lock_refuses() {
    let mut previous = in_phase(Kind::Deploy, Phase::Progressing);
    let refusal = over(&previous, "v1.2.0").unwrap_err().to_string();
    assert!(refusal.contains("production-v1.1.0-1 of alice holds production since 2026-11-24"), "{refusal}");
    previous.phase = Phase::RollbackFailed;
    assert!(
        over(&previous, "v1.2.0").unwrap_err().to_string().contains("tried again with `tagship rollback`")
    );
    for ended in [Phase::Succeeded, Phase::Failed, Phase::RolledBack, Phase::Superseded] {
        previous.phase = ended;
        assert!(over(&previous, "v1.2.0").is_ok(), "{ended}");
    }
}

#[test]
fn what_serves_already_is_not_rolled_out() {
    let previous = in_phase(Kind::Deploy, Phase::Succeeded);
    assert!(matches!(over(&previous, "v1.1.0"), Err(StartRefusal::AlreadyStable { .. })));
}

#[test]
fn what_was_left_to_unload_is_unloaded_unless_it_comes_back() {
    let previous = in_phase(Kind::Deploy, Phase::Succeeded);
    let next = over(&previous, "v1.2.0").unwrap();
    let effects: Vec<_> = next.intended.iter().map(|intended| &intended.effect).collect();
    assert_eq!(effects, [&Effect::Cleanup { version: version("v1.0.0") }]);
    assert!(next.intended[0].seq > previous.seq);
    let back = over(&previous, "v1.0.0").unwrap();
    assert_eq!(back.intended, []);
}

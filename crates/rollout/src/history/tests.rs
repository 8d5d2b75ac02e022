//! What the journals of earlier rollouts tell.

use tagship_domain::rollout::{Kind, Reason, RolloutState};

use super::*;
use crate::{
    journal::entry,
    tests::sample::{at, in_phase, pending, release},
};

/// Entries as a store gives them: newest first.
fn entries(states: &[RolloutState]) -> Vec<Entry> {
    let write = |(number, state): (usize, &RolloutState)| {
        let new = entry(state, &[], at(number as u64)).unwrap();
        let id = format!("{number:040x}").parse().unwrap();
        Entry { id, at: new.at, message: new.message, files: new.files }
    };
    states.iter().enumerate().map(write).rev().collect()
}

fn finished(number: u32, kind: Kind, candidate: &str, stable: &str, phase: Phase) -> RolloutState {
    let mut state = pending(kind);
    state.id = RolloutId(format!("production-{candidate}-{number}"));
    (state.candidate, state.stable) = (release(candidate), Some(release(stable)));
    (state.phase, state.reason, state.deadline) = (phase, Reason::Completed, None);
    state
}

#[test]
fn a_story_is_told_once_and_only_of_the_newest_rollout() {
    let old = finished(7, Kind::Deploy, "v1.0.0", "v0.9.0", Phase::Succeeded);
    let loading = in_phase(Kind::Deploy, Phase::Validating);
    let story =
        [old, pending(Kind::Deploy), loading.clone(), loading, in_phase(Kind::Deploy, Phase::Progressing)];
    let told = timeline(&entries(&story)).unwrap();
    let phases: Vec<_> = told.iter().map(|entry| entry.phase).collect();
    assert_eq!(phases, [Phase::Pending, Phase::Validating, Phase::Progressing]);
    assert_eq!(told[1].at, at(2), "when it was first said");
    assert_eq!(timeline(&[]).unwrap(), []);
}

#[test]
fn only_ends_are_ends() {
    let one = finished(1, Kind::Deploy, "v1.0.0", "v0.9.0", Phase::Succeeded);
    let draining = finished(2, Kind::Deploy, "v1.1.0", "v1.0.0", Phase::RolledBack);
    let running = pending(Kind::Deploy);
    let ended = ended(&entries(&[one, draining.clone(), draining, running])).unwrap();
    let ids: Vec<_> = ended.iter().map(|rollout| rollout.id.0.as_str()).collect();
    assert_eq!(ids, ["production-v1.1.0-2", "production-v1.0.0-1"], "newest first, each once");
}

#[test]
fn what_did_not_work_out_is_blocked_until_it_does() {
    let blocked_after = |states: &[RolloutState]| {
        let ended = ended(&entries(states)).unwrap();
        blocked(&ended).iter().map(|blocked| blocked.release.version.to_string()).collect::<Vec<_>>()
    };
    let good = finished(1, Kind::Deploy, "v1.0.0", "v0.9.0", Phase::Succeeded);
    let failed = finished(2, Kind::Deploy, "v1.1.0", "v1.0.0", Phase::Failed);
    assert_eq!(blocked_after(&[good.clone(), failed.clone()]), ["v1.1.0"]);
    let retried = finished(3, Kind::Deploy, "v1.1.0", "v1.0.0", Phase::Succeeded);
    assert_eq!(
        blocked_after(&[good.clone(), failed.clone(), retried.clone()]),
        [""; 0],
        "the last one decides"
    );
    let back = finished(4, Kind::Rollback, "v1.0.0", "v1.1.0", Phase::Succeeded);
    assert_eq!(blocked_after(&[good.clone(), failed, retried, back]), ["v1.1.0"], "left by a rollback");
    let stuck = finished(4, Kind::Rollback, "v0.9.0", "v1.0.0", Phase::RollbackFailed);
    assert_eq!(blocked_after(&[good, stuck]), ["v0.9.0"]);
}

//! What the journals of earlier rollouts tell.

use tagship_domain::{
    analysis::{Measurement, MetricPhase, MetricReading},
    rollout::{Kind, Reason, RolloutState},
    traffic::{Arm, Counters, Weight},
};

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

/// A look at the one metric of a rollout, in which the candidate had a share of the traffic.
fn look(rollout: &RolloutState, second: u64, weight: u8, value: Option<f64>) -> Look {
    let reading = MetricReading {
        name: "accuracy".to_owned(),
        phase: MetricPhase::Running,
        message: String::new(),
        measurement: Measurement { value, n: [100, 10], ..Measurement::default() },
    };
    let arm = Arm {
        version: rollout.candidate.version.clone(),
        digest: rollout.candidate.digest.clone(),
        ready: true,
        weight: Weight::percent(weight).unwrap(),
        counters: Counters::default(),
    };
    Look {
        at: at(second),
        rollout: rollout.id.clone(),
        unreachable: None,
        arms: vec![arm],
        smoke: None,
        metrics: vec![reading],
    }
}

/// A journal, newest first, of states with the looks that led to them.
fn journal(story: &[(&RolloutState, Vec<Look>)]) -> Vec<Entry> {
    let write = |(number, (state, looks)): (usize, &(&RolloutState, Vec<Look>))| {
        let new = entry(state, looks, at(number as u64)).unwrap();
        Entry {
            id: format!("{number:040x}").parse().unwrap(),
            at: new.at,
            message: new.message,
            files: new.files,
        }
    };
    story.iter().enumerate().map(write).rev().collect()
}

#[test]
fn a_series_holds_every_look_of_the_newest_rollout_once_and_in_order() {
    let old = finished(7, Kind::Deploy, "v1.0.0", "v0.9.0", Phase::Succeeded);
    let now = in_phase(Kind::Deploy, Phase::Progressing);
    let story = [
        (&old, vec![look(&old, 1, 100, Some(0.1))]),
        (&now, vec![look(&now, 10, 5, Some(0.9)), look(&now, 20, 5, None)]),
        (&now, vec![look(&now, 20, 5, None), look(&now, 30, 25, Some(0.8)), look(&old, 5, 5, Some(0.1))]),
        (&now, vec![]),
    ];
    let series = series(&journal(&story)).unwrap();
    assert_eq!(series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(), ["accuracy"]);
    let points = &series[0].points;
    let told: Vec<_> =
        points.iter().map(|point| (point.at, point.weight.unwrap().get(), point.value)).collect();
    assert_eq!(told, [(at(10), 5, Some(0.9)), (at(20), 5, None), (at(30), 25, Some(0.8))]);
    assert_eq!(series[0].looks, 3);
}

#[test]
fn a_look_that_cannot_be_read_is_an_error_and_no_looks_are_none() {
    let now = in_phase(Kind::Deploy, Phase::Progressing);
    let mut entries = journal(&[(&now, vec![])]);
    assert_eq!(series(&entries).unwrap(), []);
    entries[0].files.insert(LOOKS.to_owned(), b"{\"schema\":".to_vec());
    assert!(matches!(series(&entries), Err(JournalError::Unreadable { .. })));
    entries[0].files.remove(LOOKS);
    assert_eq!(series(&entries).unwrap(), [], "journals of an older build have none");
}

#[test]
fn a_share_that_changed_is_told_even_where_the_words_are_the_same() {
    let mut steps: Vec<RolloutState> = vec![in_phase(Kind::Deploy, Phase::Progressing); 2];
    steps[1].weight.applied = Weight::percent(25).unwrap();
    let told = timeline(&entries(&steps)).unwrap();
    assert_eq!(
        told.iter().map(|entry| entry.weight).collect::<Vec<_>>(),
        [steps[0].weight.applied.get(), 25]
    );
    assert_eq!(told[0].reason, Some(steps[0].reason));
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
    assert_eq!(blocked_after(&[good, stuck]), ["v0.9.0", "v1.0.0"], "a person decides about both");
}

#[test]
fn what_succeeded_counts_until_it_is_left_or_fails() {
    let digests = |rollouts: &[RolloutState]| {
        let made_it = succeeded(&ended(&entries(rollouts)).unwrap());
        ["v1.0.0", "v1.1.0", "v1.2.0"].map(|version| made_it.contains(&release(version).digest))
    };
    let first = finished(1, Kind::Deploy, "v1.0.0", "v0.9.0", Phase::Succeeded);
    let second = finished(2, Kind::Deploy, "v1.1.0", "v1.0.0", Phase::Succeeded);
    assert_eq!(digests(&[first.clone(), second.clone()]), [true, true, false]);
    let bad = finished(3, Kind::Deploy, "v1.2.0", "v1.1.0", Phase::RolledBack);
    assert_eq!(digests(&[first.clone(), second.clone(), bad]), [true, true, false]);
    let back = finished(3, Kind::Rollback, "v1.0.0", "v1.1.0", Phase::Succeeded);
    assert_eq!(digests(&[first, second.clone(), back]), [true, false, false], "it was left");
    let again = finished(3, Kind::Deploy, "v1.1.0", "v1.0.0", Phase::Failed);
    assert_eq!(digests(&[second, again]), [false, false, false], "the last word counts");
}

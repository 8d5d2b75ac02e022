//! Every disagreement by its name, and that agreement is silent and the unseen never is.

use proptest::prelude::*;
use tagship_domain::{
    Duration, Exit,
    examination::{Examination, ExaminedPlace},
    rollout::Kind,
    traffic::Counters,
};

use super::*;
use crate::tests::sample::{at, noon, pending, release};

/// An environment that can be seen whole.
#[derive(Debug)]
struct Seen {
    state: RolloutState,
    held: Option<Release>,
    target: TargetState,
    released: BTreeMap<Version, Digest>,
    now: Timestamp,
}

impl Seen {
    /// v1.1.0 was rolled out and serves.
    fn at_rest() -> Self {
        let mut state = pending(Kind::Deploy);
        (state.phase, state.deadline, state.assigned) = (Phase::Succeeded, None, true);
        state.intended.clear();
        let releases = ["v1.0.0", "v1.1.0", "v1.2.0"].map(release);
        let released = releases.iter().map(|one| (one.version.clone(), one.digest.clone())).collect();
        let target = TargetState { arms: vec![arm("v1.1.0", 100)] };
        Self { held: Some(state.candidate.clone()), state, target, released, now: noon() }
    }

    /// v1.1.0 has a quarter, v1.0.0 the rest.
    fn under_way() -> Self {
        let mut seen = Self::at_rest();
        let stable = seen.state.stable.clone();
        (seen.state.phase, seen.state.deadline) = (Phase::Progressing, Some(at(600)));
        seen.state.weight.desired = Weight::percent(25).unwrap();
        seen.state.weight.applied = seen.state.weight.desired;
        Self {
            held: stable,
            target: TargetState { arms: vec![arm("v1.0.0", 75), arm("v1.1.0", 25)] },
            ..seen
        }
    }

    fn views<'a>(&'a self, environment: &'a Environment) -> Views<'a> {
        Views {
            model: &self.state.model,
            environment,
            now: self.now,
            journal: Ok(Some(&self.state)),
            tags: Ok(Tags { held: self.held.as_ref(), rollout: None, released: &self.released }),
            target: Ok(&self.target),
        }
    }

    fn found(&self) -> Vec<Discrepancy> {
        discrepancies(&self.views(&self.state.environment))
    }

    fn codes(&self) -> Vec<Code> {
        self.found().iter().map(|one| one.code).collect()
    }
}

fn arm(text: &str, percent: u8) -> Arm {
    let Release { version, digest, .. } = release(text);
    let weight = Weight::percent(percent).unwrap();
    Arm { version, digest, ready: true, weight, counters: Counters::default() }
}

#[test]
fn three_that_agree_have_nothing_to_say() {
    assert_eq!(Seen::at_rest().found(), []);
    assert_eq!(Seen::under_way().found(), []);
}

#[test]
fn a_tag_that_names_another_version_than_what_serves_is_told_with_both_ways_out() {
    let mut seen = Seen::at_rest();
    seen.target = TargetState { arms: vec![arm("v1.0.0", 100)] };
    let found = seen.found();
    assert_eq!(seen.codes(), [Code::ForeignShare, Code::NotLoaded]);
    assert_eq!(found[0].sentence, "the tag says production holds v1.1.0, and v1.0.0 has 100% of the traffic");
    assert!(found[0].remedy.contains("gto assign churn --version v1.0.0 --stage production"), "{found:?}");
    assert!(
        found[0]
            .remedy
            .contains("tagship rollout --version v1.1.0 --retry --model churn --environment production"),
        "{found:?}"
    );
}

#[test]
fn what_a_dead_job_left_past_its_deadline_is_told_with_the_command_that_ends_it() {
    let mut seen = Seen::under_way();
    seen.now = at(600);
    assert_eq!(seen.found(), [], "not before");
    seen.now = at(900);
    let found = seen.found();
    assert_eq!(seen.codes(), [Code::RolloutOverdue]);
    assert!(found[0].sentence.contains("5m ago"), "{found:?}");
    assert_eq!(found[0].remedy, "tagship rollout --once --model churn --environment production");
}

#[test]
fn every_other_disagreement_has_its_name() {
    type Change = fn(&mut Seen);
    let at_rest: [(Change, &[Code]); 9] = [
        (|seen| seen.target.arms[0].ready = false, &[Code::NotReady]),
        (|seen| seen.target.arms[0].weight = Weight::NONE, &[Code::ShareDiffers]),
        (|seen| seen.target.arms.clear(), &[Code::NotLoaded]),
        (|seen| seen.target.arms.push(arm("v1.0.0", 0)), &[]),
        (|seen| seen.target.arms.push(arm("v9.0.0", 0)), &[Code::UnknownVersion]),
        (|seen| seen.target.arms[0].digest = release("v1.0.0").digest, &[Code::OtherBytes]),
        (|seen| seen.held = None, &[Code::StageDiffers, Code::ServesUnassigned]),
        (
            |seen| seen.held = Some(release("v1.2.0")),
            &[Code::StageDiffers, Code::ForeignShare, Code::NotLoaded],
        ),
        (|seen| seen.state.queued = Some(release("v1.2.0")), &[Code::RolloutUnfinished]),
    ];
    for (index, (change, codes)) in at_rest.into_iter().enumerate() {
        let mut seen = Seen::at_rest();
        change(&mut seen);
        assert_eq!(seen.codes(), codes, "at rest, {index}");
    }
    let under_way: [(Change, &[Code]); 8] = [
        (|seen| drop(seen.target.arms.remove(1)), &[Code::NotLoaded]),
        (|seen| seen.target.arms.clear(), &[Code::NotLoaded, Code::NotLoaded]),
        (|seen| (seen.state.phase, seen.target.arms) = (Phase::RollingBack, vec![arm("v1.1.0", 25)]), &[]),
        (|seen| seen.target.arms[1].weight = Weight::ALL, &[Code::ShareDiffers]),
        (|seen| seen.state.weight.desired = Weight::percent(50).unwrap(), &[]),
        (|seen| seen.target.arms.push(arm("v1.2.0", 10)), &[Code::ForeignShare]),
        (|seen| seen.state.phase = Phase::RollbackFailed, &[Code::RollbackFailed]),
        (|seen| (seen.state.phase, seen.target.arms[1].weight) = (Phase::RollingBack, Weight::NONE), &[]),
    ];
    for (index, (change, codes)) in under_way.into_iter().enumerate() {
        let mut seen = Seen::under_way();
        change(&mut seen);
        assert_eq!(seen.codes(), codes, "under way, {index}");
    }
}

#[test]
fn the_worst_decides_the_exit_code() {
    let exit = |codes: &[Code]| {
        let discrepancies = codes.iter().map(|code| Discrepancy {
            code: *code,
            sentence: String::new(),
            remedy: String::new(),
        });
        let place = ExaminedPlace {
            model: "churn".parse().unwrap(),
            environment: "production".parse().unwrap(),
            discrepancies: discrepancies.collect(),
        };
        Examination { at: noon(), places: vec![place] }.exit()
    };
    assert_eq!(exit(&[]), Exit::Done);
    assert_eq!(exit(&[Code::TargetUnknown]), Exit::Incomplete);
    assert_eq!(exit(&[Code::TargetUnknown, Code::NotLoaded]), Exit::Negative);
}

fn any_arm() -> impl Strategy<Value = Arm> {
    let version = prop::sample::select(vec!["v1.0.0", "v1.1.0", "v1.2.0", "v9.0.0"]);
    (version, prop::sample::select(vec![0_u8, 25, 75, 100]), any::<bool>())
        .prop_map(|(version, percent, ready)| Arm { ready, ..arm(version, percent) })
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let held = prop::option::of(prop::sample::select(vec!["v1.0.0", "v1.1.0", "v1.2.0"]));
    (any::<bool>(), held, prop::collection::vec(any_arm(), 0..4), 0_u64..2000).prop_map(
        |(rests, held, arms, seconds)| {
            let seen = if rests { Seen::at_rest() } else { Seen::under_way() };
            let target = TargetState { arms };
            Seen { held: held.map(release), target, now: noon().after(Duration::from_secs(seconds)), ..seen }
        },
    )
}

proptest! {
    /// Hiding a view never makes an environment look well, and never finds what is not found with all of them.
    #[test]
    fn what_cannot_be_seen_is_never_good(seen in any_seen(), hidden in 1_u8..8) {
        let views = seen.views(&seen.state.environment);
        let whole = discrepancies(&views);
        let unknown = || "no answer".to_owned();
        let partly = Views {
            journal: if hidden & 1 == 0 { views.journal.clone() } else { Err(unknown()) },
            tags: if hidden & 2 == 0 { views.tags.clone() } else { Err(unknown()) },
            target: if hidden & 4 == 0 { views.target.clone() } else { Err(unknown()) },
            ..views
        };
        let found = discrepancies(&partly);
        let unseen = found.iter().filter(|one| one.code.is_unknown()).count();
        prop_assert_eq!(unseen, hidden.count_ones() as usize);
        for one in found.iter().filter(|one| !one.code.is_unknown()) {
            prop_assert!(whole.contains(one), "{one:?}");
        }
    }

    /// Where nothing is found at rest, the version that the tag names has all traffic and is ready.
    #[test]
    fn silence_means_that_the_tag_tells_the_truth(seen in any_seen()) {
        let at_rest = !seen.state.holds_lock();
        if at_rest && seen.found().is_empty() {
            let held = seen.held.as_ref().unwrap();
            let arm = seen.target.arm(&held.version).unwrap();
            prop_assert!(arm.ready && arm.weight == Weight::ALL && arm.digest == held.digest);
            prop_assert_eq!(held, &seen.state.candidate);
        }
    }

    #[test]
    fn everything_that_is_found_says_what_to_do(seen in any_seen()) {
        for one in seen.found() {
            prop_assert!(!one.sentence.is_empty() && !one.remedy.is_empty(), "{one:?}");
        }
    }
}

//! Small examples of everything a rollout is made of.

use std::collections::BTreeMap;

use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp, Version,
    event::Command,
    golden::Tolerance,
    plan::{RolloutPlan, Smoke},
    rollout::{
        EffectOutcome, EffectResult, Intended, Kind, Observation, Observed, PersonCommand, Phase,
        RolloutState,
    },
    traffic::{Arm, Counters, TargetState, Weight},
    validation::{GoldenCase, GoldenReport, Status},
};

use crate::{StartRequest, start, step};

/// How many golden cases a sample release has.
pub(crate) const CASES: u64 = 2;

pub(crate) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    noon().after(Duration::from_secs(seconds))
}

pub(crate) fn version(text: &str) -> Version {
    text.parse().unwrap()
}

/// A release whose digests follow from its minor version.
pub(crate) fn release(text: &str) -> Release {
    let version = version(text);
    let byte = text.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Release {
        model: "churn".parse().unwrap(),
        version,
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte.wrapping_add(1); 32]),
        commit: format!("{byte:02x}").repeat(20).parse().unwrap(),
    }
}

pub(crate) fn by(actor: &str) -> Provenance {
    Provenance { actor: actor.to_owned(), run: None }
}

pub(crate) fn plan() -> RolloutPlan {
    RolloutPlan::all_at_once(
        Smoke::GoldenCases {
            count: CASES,
            tolerance: Tolerance { absolute: 1e-4, relative: 0.0 },
            max_latency: None,
        },
        Duration::from_secs(600),
    )
}

pub(crate) fn ready_only() -> RolloutPlan {
    RolloutPlan { smoke: Smoke::ReadyOnly, ..plan() }
}

/// A started rollout of v1.1.0 over v1.0.0.
pub(crate) fn pending(kind: Kind) -> RolloutState {
    pending_over(kind, Some(&release("v1.0.0")), &plan())
}

pub(crate) fn pending_over(kind: Kind, stable: Option<&Release>, plan: &RolloutPlan) -> RolloutState {
    start(&StartRequest {
        kind,
        environment: &"production".parse().unwrap(),
        candidate: &release("v1.1.0"),
        stable,
        plan,
        previous: None,
        now: noon(),
        by: &by("alice"),
        fired: None,
    })
    .unwrap()
}

pub(crate) fn arm(text: &str, weight: u8) -> Arm {
    let release = release(text);
    Arm {
        version: release.version,
        digest: release.digest,
        ready: true,
        weight: Weight::percent(weight).unwrap(),
        counters: Counters::default(),
    }
}

/// A look at a target with these arms, a second after noon.
pub(crate) fn look(arms: &[Arm]) -> Observation {
    Observation {
        now: at(1),
        target: Observed::Seen(TargetState { arms: arms.to_vec() }),
        smoke: None,
        counters: None,
        own: BTreeMap::new(),
        values: BTreeMap::new(),
        labelled: BTreeMap::new(),
        missed: vec![],
        newer: None,
        commands: vec![],
        unlock: None,
        outcomes: vec![],
    }
}

pub(crate) fn passed() -> GoldenReport {
    let case = |name: &str| GoldenCase {
        name: name.to_owned(),
        passed: true,
        max_difference: Some(0.0),
        latency_ms: 1.0,
        message: None,
    };
    GoldenReport { status: Status::Complete, cases: vec![case("one"), case("two")], message: None }
}

pub(crate) fn failed() -> GoldenReport {
    let mut report = passed();
    report.cases[1].passed = false;
    report.cases[1].message = Some("output \"y\": value 0 is 1, expected 2".to_owned());
    report
}

pub(crate) fn abort() -> PersonCommand {
    PersonCommand { command: Command::Abort, by: by("bob") }
}

/// The outcome `result` for everything that a state intends.
pub(crate) fn all(state: &RolloutState, result: &EffectResult) -> Vec<EffectOutcome> {
    let outcome = |intended: &Intended| EffectOutcome { seq: intended.seq, result: result.clone() };
    state.intended.iter().map(outcome).collect()
}

/// A rollout that went well until it entered `phase`, whose effects are not performed yet.
pub(crate) fn in_phase(kind: Kind, phase: Phase) -> RolloutState {
    let mut state = pending(kind);
    for _ in 0..8 {
        if state.phase == phase {
            return state;
        }
        let weight = state.weight.desired.get();
        let look = Observation {
            smoke: Some(passed()),
            outcomes: all(&state, &EffectResult::Applied),
            ..look(&[arm("v1.0.0", 100 - weight), arm("v1.1.0", weight)])
        };
        state = step(&state, &look).state;
    }
    assert_eq!(state.phase, phase, "the way forward leads there");
    state
}

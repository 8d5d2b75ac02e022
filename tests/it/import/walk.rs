//! Walks the real state machine through an imported plan, with recorded answers at each look.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_config::{Config, EnvironmentConfig};
use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp, Version,
    event::Command,
    import::Import,
    plan::{RolloutPlan, Smoke},
    rollout::{
        EffectOutcome, EffectResult, Kind, Measured, Observation, Observed, PersonCommand, Phase, Reason,
        RolloutState,
    },
    threshold::Point,
    traffic::{Arm, Counters, TargetState, Weight},
};
use tagship_import::{Naming, SourceFile, System, import};
use tagship_rollout::{StartRequest, start, step};

use super::looks::Answer;

/// Where a rollout came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    Promoted,
    RolledBack,
    Paused,
    /// The answers are used up.
    Open,
}

/// What a walk saw.
#[derive(Debug, Clone)]
pub(super) struct Walked {
    pub(super) end: End,
    /// Looks that were taken.
    pub(super) looks: usize,
    /// Shares of traffic, in order.
    pub(super) shares: Vec<u8>,
    pub(super) message: String,
}

/// A specification as it is imported.
pub(super) fn imported(system: System, text: &str) -> Import {
    let naming = Naming { model: None, environment: "production".parse().unwrap() };
    import(system, &[SourceFile { name: "spec.yml", text }], &naming).unwrap()
}

pub(super) fn environment(imported: &Import) -> EnvironmentConfig {
    let config = Config::parse("tagship.yml", &imported.config).unwrap();
    let model = config.models.into_values().next().unwrap();
    model.environments.into_values().next().unwrap()
}

pub(super) fn plan(imported: &Import) -> RolloutPlan {
    environment(imported).plan(Smoke::ReadyOnly)
}

/// Whether a note holds these words.
pub(super) fn notes(imported: &Import, words: &str) -> bool {
    imported.notes.iter().any(|note| note.text.contains(words))
}

/// Walks to the end, in steps of ten seconds; a person leads on where the plan asks for one. `answer` says what the source
/// of a metric answers at a look.
pub(super) fn walk(plan: &RolloutPlan, answers: usize, answer: impl Fn(&str, usize) -> Answer) -> Walked {
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let (stable, candidate) = (release("v1.0.0"), release("v1.1.0"));
    let mut state = start(&StartRequest {
        kind: Kind::Deploy,
        environment: &"production".parse().unwrap(),
        candidate: &candidate,
        stable: Some(&stable),
        plan,
        previous: None,
        now: noon,
        by: &by(),
        fired: None,
    })
    .unwrap();
    let (mut looks, mut shares) = (0, vec![]);
    for tick in 0..20_000 {
        let now = noon.after(Duration::from_secs(10 * tick));
        for _ in 0..20 {
            let mut seen = observation(&state, &stable, &candidate, now);
            seen.values = values(&state, now, |metric| answer(metric, looks));
            if state.phase == Phase::Paused && state.reason == Reason::StepPause {
                seen.commands = vec![PersonCommand { command: Command::Promote, by: by() }];
            }
            let next = step(&state, &seen);
            looks += usize::from(took_a_look(&state, &next.state, now));
            state = next.state;
            if shares.last() != Some(&state.weight.desired.get()) {
                shares.push(state.weight.desired.get());
            }
            if !next.changed {
                break;
            }
        }
        let end = match (state.phase, state.reason) {
            (Phase::Succeeded, _) => End::Promoted,
            (Phase::RolledBack, _) => End::RolledBack,
            (Phase::Paused, reason) if reason != Reason::StepPause => End::Paused,
            _ if looks >= answers => End::Open,
            _ => continue,
        };
        return Walked { end, looks, shares, message: state.cause.unwrap_or(state.message) };
    }
    panic!("it has no end: {}", state.message);
}

/// Whether a step took a look: a judge has seen it, or, where verdicts are forgotten with it, counting goes on from it.
fn took_a_look(before: &RolloutState, after: &RolloutState, now: Timestamp) -> bool {
    let newest = |state: &RolloutState| {
        state.judges.values().filter_map(|judge| judge.evidence.as_ref()).map(|known| known.end).max()
    };
    let counted = |state: &RolloutState| state.looked.as_ref().map(|looked| looked.at);
    let is_judged = newest(before) != newest(after) && newest(after) == Some(now);
    is_judged
        || (before.settled.is_some() && counted(before) != counted(after) && counted(after) == Some(now))
}

fn observation(state: &RolloutState, stable: &Release, candidate: &Release, now: Timestamp) -> Observation {
    let weight = state.weight.desired.get();
    let arm = |release: &Release, weight| Arm {
        version: release.version.clone(),
        digest: release.digest.clone(),
        ready: true,
        weight: Weight::percent(weight).unwrap(),
        counters: Counters::default(),
    };
    let counters = [stable, candidate].map(|release| (release.version.clone(), Counters::default()));
    Observation {
        now,
        target: Observed::Seen(TargetState { arms: vec![arm(stable, 100 - weight), arm(candidate, weight)] }),
        smoke: None,
        counters: Some(Measured::Counters(counters.into())),
        own: BTreeMap::new(),
        values: BTreeMap::new(),
        labelled: BTreeMap::new(),
        missed: vec![],
        newer: None,
        commands: vec![],
        unlock: None,
        outcomes: state
            .intended
            .iter()
            .filter(|intended| intended.is_due(now))
            .map(|intended| EffectOutcome { seq: intended.seq, result: EffectResult::Applied })
            .collect(),
    }
}

type Values = BTreeMap<String, Result<BTreeMap<Version, Vec<Point>>, String>>;

/// What the source of each metric answers, as an adapter hands it over.
fn values(state: &RolloutState, now: Timestamp, answer: impl Fn(&str) -> Answer) -> Values {
    let of = |name: &str| {
        let points = match answer(name) {
            Answer::Number(number) => vec![Point { at: now, value: number.into() }],
            Answer::NotANumber => vec![Point { at: now, value: Value::Null }],
            Answer::Empty => vec![],
            Answer::Broken => return Err("connection refused".to_owned()),
        };
        Ok(BTreeMap::from([(state.candidate.version.clone(), points)]))
    };
    let metrics = state.plan.analysis.iter().flat_map(|analysis| &analysis.metrics);
    metrics.map(|metric| (metric.name.clone(), of(&metric.name))).collect()
}

fn by() -> Provenance {
    Provenance { actor: "alice".to_owned(), run: None }
}

fn release(version: &str) -> Release {
    let byte = version.bytes().fold(7_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    Release {
        model: "scorer".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte.wrapping_add(1); 32]),
        commit: format!("{byte:02x}").repeat(20).parse().unwrap(),
    }
}

//! Asking `step` about one thing that can be seen.

use std::{collections::BTreeMap, fmt::Write as _};

use tagship_domain::{
    Duration, Release, Timestamp,
    event::Command,
    rollout::{
        Effect, EffectOutcome, EffectResult, Intended, Measured, Observation, Observed, PersonCommand, Phase,
        RolloutState, Unlocked,
    },
    traffic::{Arm, Counters, TargetState, Weight},
    validation::{GoldenCase, GoldenReport, Status},
};
use tagship_rollout::{questions, step};

use super::samples::person;

/// Where a rollout stands, and when.
pub(super) struct Standing {
    pub(super) state: RolloutState,
    pub(super) now: Timestamp,
    pub(super) newer: Release,
}

/// Something that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Well,
    WrongAnswers,
    Refused,
    RefusedAndStableLost,
    CandidateLost,
    BadMetric,
    NoData,
    Silence,
    Says(Command),
    Unlock,
    Newer,
}

/// Every cause, as it is called.
pub(super) const CAUSES: [(&str, Cause); 16] = [
    ("as planned", Cause::Well),
    ("golden cases fail", Cause::WrongAnswers),
    ("target or registry refuses", Cause::Refused),
    ("refused, and stable is lost", Cause::RefusedAndStableLost),
    ("the candidate is lost", Cause::CandidateLost),
    ("a metric is bad", Cause::BadMetric),
    ("no data", Cause::NoData),
    ("nothing for too long", Cause::Silence),
    ("`abort`", Cause::Says(Command::Abort)),
    ("`pause`", Cause::Says(Command::Pause)),
    ("`resume`", Cause::Says(Command::Resume)),
    ("`promote`", Cause::Says(Command::Promote)),
    ("`promote-full`", Cause::Says(Command::PromoteFull)),
    ("`rollback`", Cause::Says(Command::Rollback)),
    ("`unlock`", Cause::Unlock),
    ("a newer version", Cause::Newer),
];

/// Requests that come in a minute.
const REQUESTS: u64 = 100_000;

/// What comes of it; nothing where it means nothing here.
pub(super) fn ask(at: &Standing, cause: Cause) -> Option<Standing> {
    if cause == Cause::WrongAnswers && at.state.phase != Phase::Validating {
        return None;
    }
    if matches!(cause, Cause::BadMetric | Cause::NoData) && at.state.plan.analysis.is_none() {
        return None;
    }
    let passes = if cause == Cause::Silence { 3600 } else { 61 };
    let now = at.now.after(Duration::from_secs(passes));
    let observation = observe(at, cause, now);
    let state = step(&at.state, &observation).state;
    Some(Standing { state, now, newer: at.newer.clone() })
}

fn observe(at: &Standing, cause: Cause, now: Timestamp) -> Observation {
    let state = &at.state;
    let target = match cause {
        Cause::Silence => Observed::Unreachable("silent".to_owned()),
        _ => Observed::Seen(TargetState { arms: arms(state, cause) }),
    };
    let asked = questions(state, &target, now);
    Observation {
        now,
        smoke: asked.smoke.then(|| answers(cause != Cause::WrongAnswers)),
        counters: asked.counters.then(|| counted(state, cause)),
        values: <_>::default(),
        labelled: BTreeMap::new(),
        missed: vec![],
        own: BTreeMap::new(),
        target,
        newer: (cause == Cause::Newer).then(|| at.newer.clone()),
        commands: match cause {
            Cause::Says(command) => vec![PersonCommand { command, by: person("bob") }],
            _ => vec![],
        },
        unlock: (cause == Cause::Unlock).then(|| Unlocked {
            by: person("carol"),
            reason: "by hand".to_owned(),
            at: now,
        }),
        outcomes: outcomes(state, cause),
    }
}

fn arms(state: &RolloutState, cause: Cause) -> Vec<Arm> {
    let share = state.weight.desired;
    let arm = |release: &Release, weight: Weight, ready| Arm {
        version: release.version.clone(),
        digest: release.digest.clone(),
        ready,
        weight,
        counters: Counters::default(),
    };
    let rest = Weight::percent(100 - share.get()).unwrap_or_default();
    let stable = state.stable.as_ref().map(|stable| arm(stable, rest, cause != Cause::RefusedAndStableLost));
    let lost = cause == Cause::CandidateLost;
    let candidate = (!lost).then(|| arm(&state.candidate, share, true));
    stable.into_iter().chain(candidate).collect()
}

fn counted(state: &RolloutState, cause: Cause) -> Measured {
    let before = |release: &Release| {
        let known = state.looked.as_ref().and_then(|looked| looked.counters.get(&release.version));
        known.cloned().unwrap_or_default()
    };
    let more = |release: &Release, share: u64| {
        let mut counters = before(release);
        if cause != Cause::NoData {
            counters.requests += REQUESTS;
            counters.errors += REQUESTS * share / 1000;
        }
        (release.version.clone(), counters)
    };
    let bad = if cause == Cause::BadMetric { 500 } else { 10 };
    let stable = state.stable.as_ref().map(|stable| more(stable, 10));
    Measured::Counters(stable.into_iter().chain([more(&state.candidate, bad)]).collect())
}

fn outcomes(state: &RolloutState, cause: Cause) -> Vec<EffectOutcome> {
    let refuses = matches!(cause, Cause::Refused | Cause::RefusedAndStableLost);
    let outcome = |intended: &Intended| {
        let report = matches!(intended.effect, Effect::Publish | Effect::SetDeployment { .. });
        let result = match cause {
            _ if refuses && !report => EffectResult::Refused("no".to_owned()),
            Cause::Silence => EffectResult::Retry("silent".to_owned()),
            _ => EffectResult::Applied,
        };
        EffectOutcome { seq: intended.seq, result }
    };
    state.intended.iter().map(outcome).collect()
}

fn answers(right: bool) -> GoldenReport {
    let case = GoldenCase {
        name: "one".to_owned(),
        passed: right,
        max_difference: None,
        latency_ms: 1.0,
        message: (!right).then(|| "another answer".to_owned()),
    };
    GoldenReport { status: Status::Complete, cases: vec![case], message: None }
}

impl Standing {
    /// What makes a difference to what comes next.
    pub(super) fn key(&self) -> String {
        let state = &self.state;
        let age =
            |since: Option<Timestamp>| since.map(|since| (self.now.since(since).std().as_secs() / 60).min(4));
        let mut key = format!(
            "{} {} {:?} {} {:?} {:?} {:?} {}",
            state.phase,
            state.reason,
            state.interrupted,
            state.step,
            age(state.settled),
            state.waived.is_some(),
            state.unlocked.is_some(),
            state.weight.applied
        );
        for judge in state.judges.values() {
            let _ = write!(key, " {:?} {}", judge.phase, judge.looks.measured.min(3));
        }
        for intended in &state.intended {
            let _ = write!(key, " {:?}", intended.effect);
        }
        key
    }
}

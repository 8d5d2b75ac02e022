//! What is explored: a plan, a candidate, and how much may go wrong.

use tagship_domain::{
    Version,
    plan::{OnFailure, OnNewer, RolloutPlan, Step, Strategy},
    rollout::{Kind, RolloutState},
    traffic::Weight,
};

use crate::{
    StartRequest, Transition, step,
    tests::{
        sample::{by, noon, plan, release},
        walk::{analysis, bounded, errors, minutes, percent},
    },
};
use tagship_domain::rollout::Observation;

/// A rollout with everything that may happen to it.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) plan: RolloutPlan,
    /// Whether the candidate answers its golden cases.
    pub(super) sound: bool,
    /// Whether the candidate has the signature that is required.
    pub(super) signed: bool,
    /// Whether somebody has loaded the candidate by hand before it begins.
    pub(super) loaded: bool,
    /// Of a thousand answers of the candidate, how many are errors; stable makes ten.
    pub(super) errors: u64,
    /// Whether a newer release comes while it runs.
    pub(super) newer: bool,
    /// Whether another rollout is begun after it.
    pub(super) again: bool,
    /// Whether it has so few worlds that two faults are for every run of the suite.
    pub(super) small: bool,
    pub(super) faults: u8,
    pub(super) words: u8,
    /// Whether target and registry refuse orders of earlier entries.
    pub(super) fenced: bool,
    /// Whether only what has the required signature is handed out to the target.
    pub(super) verifies: bool,
    /// Whether the registry is told on the way back although there is nothing to take out.
    pub(super) reaffirms: bool,
    /// Whether an entry is only appended to the one that it was decided from.
    pub(super) swaps: bool,
    pub(super) step: fn(&RolloutState, &Observation) -> Transition,
}

impl Scenario {
    fn new(name: &'static str, plan: RolloutPlan) -> Self {
        Self {
            name,
            kind: Kind::Deploy,
            plan,
            sound: true,
            signed: true,
            loaded: false,
            errors: 10,
            newer: false,
            again: false,
            small: false,
            faults: 1,
            words: 1,
            fenced: true,
            verifies: true,
            reaffirms: true,
            swaps: true,
            step,
        }
    }

    /// The state with which it begins.
    pub(super) fn start(&self) -> RolloutState {
        let start = StartRequest {
            kind: self.kind,
            environment: &"production".parse().unwrap(),
            candidate: &release("v1.1.0"),
            stable: Some(&release("v1.0.0")),
            plan: &self.plan,
            previous: None,
            now: noon(),
            by: &by("alice"),
            fired: (self.kind == Kind::Rollback).then_some("errors rose"),
        };
        crate::start(&start).unwrap()
    }

    pub(super) fn all_at_once() -> Self {
        Self { again: true, ..Self::new("all at once, then back", plan()) }
    }

    pub(super) fn unsound() -> Self {
        Self { sound: false, small: true, ..Self::new("wrong answers", plan()) }
    }

    pub(super) fn unsigned(kind: Kind) -> Self {
        let name = match kind {
            Kind::Deploy => "without the required signature",
            Kind::Rollback => "back to what has no required signature",
        };
        Self { kind, signed: false, small: true, ..Self::new(name, plan()) }
    }

    pub(super) fn unsigned_by_hand() -> Self {
        let name = "loaded by hand without the required signature";
        Self { loaded: true, ..Self { name, ..Self::unsigned(Kind::Deploy) } }
    }

    /// Whether a version has the signature that is required. Only the candidate of the story may have none.
    pub(super) fn is_signed(&self, version: &Version) -> bool {
        self.signed || *version != release("v1.1.0").version
    }

    pub(super) fn canary() -> Self {
        Self::new("canary that is good", two_steps())
    }

    pub(super) fn bad_canary() -> Self {
        Self { errors: 300, small: true, ..Self::new("canary that is bad", two_steps()) }
    }

    pub(super) fn frozen_canary() -> Self {
        let plan = RolloutPlan { on_failure: OnFailure::Freeze, ..two_steps() };
        Self { errors: 300, ..Self::new("canary that is bad and held for a person", plan) }
    }

    pub(super) fn in_a_freeze() -> Self {
        let freeze = vec!["Tue 10:00 - Tue 12:02 UTC".parse().unwrap()];
        Self { small: true, ..Self::new("all at once out of a freeze", RolloutPlan { freeze, ..plan() }) }
    }

    pub(super) fn blue_green(auto_promote: bool) -> Self {
        let strategy = Strategy::BlueGreen { preview: minutes(1), auto_promote, mirror: Weight::NONE };
        let analysis = Some(analysis(vec![bounded()]));
        let plan = RolloutPlan { strategy, analysis, bake: minutes(1), ..plan() };
        let name = if auto_promote { "blue-green by itself" } else { "blue-green by a person" };
        Self::new(name, plan)
    }

    pub(super) fn rollback() -> Self {
        Self { kind: Kind::Rollback, small: true, ..Self::new("rollback", plan()) }
    }

    pub(super) fn superseded() -> Self {
        let plan = RolloutPlan { on_newer: OnNewer::Supersede, analysis: None, ..two_steps() };
        Self { newer: true, again: true, ..Self::new("superseded", plan) }
    }

    /// Everything that the suite explores.
    pub(super) fn all() -> Vec<Self> {
        vec![
            Self::all_at_once(),
            Self::unsound(),
            Self::unsigned(Kind::Deploy),
            Self::unsigned(Kind::Rollback),
            Self::unsigned_by_hand(),
            Self::canary(),
            Self::bad_canary(),
            Self::frozen_canary(),
            Self::in_a_freeze(),
            Self::blue_green(true),
            Self::blue_green(false),
            Self::rollback(),
            Self::superseded(),
        ]
    }
}

fn two_steps() -> RolloutPlan {
    let steps =
        vec![Step::SetWeight(percent(10)), Step::Pause(Some(minutes(1))), Step::SetWeight(percent(50))];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        analysis: Some(analysis(vec![errors()])),
        hold_back: Weight::NONE,
        ..plan()
    }
}

//! What holds whatever the world does.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tagship_domain::{
    Digest, Duration, Timestamp,
    analysis::{Metric, MetricPhase},
    event::Command,
    plan::{self, OnFailure, OnNewer, RolloutPlan, Smoke, Step},
    rollout::{
        Effect, EffectOutcome, EffectResult, Kind, Measured, Observation, Observed, PersonCommand, Phase,
        Reason, RolloutState, Unlocked,
    },
    traffic::{Arm, Counters, TargetState, Weight},
    validation::{GoldenReport, Status},
};

use super::step;
use crate::tests::{
    sample::{arm, by, failed, noon, passed, pending_over, plan, ready_only, release, version},
    walk::{analysis, beta, bounded, canary, errors, minutes, percent, shadowed},
};

/// One look, with outcomes by position among what is intended at that moment.
#[derive(Debug, Clone)]
struct Scene {
    passes: u64,
    reachable: bool,
    arms: Vec<Arm>,
    /// Whether the target shows just what was ordered, whatever `arms` says.
    obeys: bool,
    smoke: Option<GoldenReport>,
    /// Requests, errors of each version since the start, where they can be read.
    counted: Option<[(u64, u64); 2]>,
    newer: bool,
    unlocks: bool,
    asked: Option<Command>,
    outcomes: Vec<EffectResult>,
    stray: bool,
}

fn any_result() -> impl Strategy<Value = EffectResult> {
    prop_oneof![
        6 => Just(EffectResult::Applied),
        2 => Just(EffectResult::AlreadyThere),
        1 => Just(EffectResult::Pending),
        1 => Just(EffectResult::Retry("later".to_owned())),
        1 => Just(EffectResult::Refused("never".to_owned())),
    ]
}

fn any_arm(version: &'static str) -> impl Strategy<Value = Option<Arm>> {
    let weight = prop_oneof![Just(0_u8), Just(100), 0..=100_u8];
    let fields = (weight, prop::bool::weighted(0.9), prop::bool::weighted(0.9));
    prop::option::weighted(
        0.9,
        fields.prop_map(move |(weight, ready, right)| {
            let mut arm = arm(version, weight);
            arm.ready = ready;
            if !right {
                arm.digest = Digest::from_bytes([0xee; 32]);
            }
            arm
        }),
    )
}

fn any_scene() -> impl Strategy<Value = Scene> {
    let cut = GoldenReport { status: Status::Incomplete, ..passed() };
    let fewer = GoldenReport { cases: passed().cases[..1].to_vec(), ..passed() };
    let smoke = prop_oneof![
        6 => Just(Some(passed())),
        1 => Just(Some(failed())),
        1 => Just(Some(cut)),
        1 => Just(Some(fewer)),
        2 => Just(None),
    ];
    (
        (prop_oneof![4 => 0..30_u64, 1 => 0..900_u64], prop::bool::weighted(0.9)),
        (any_arm("v1.0.0"), any_arm("v1.1.0")),
        (
            smoke,
            any_counted(),
            prop::bool::weighted(0.8),
            prop::bool::weighted(0.02),
            prop::bool::weighted(0.02),
        ),
        any_command(),
        prop::collection::vec(any_result(), 0..4),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(
                (passes, reachable),
                (one, two),
                (smoke, counted, obeys, newer, unlocks),
                asked,
                outcomes,
                stray,
            )| {
                let arms = one.into_iter().chain(two).collect();
                Scene {
                    passes,
                    reachable,
                    arms,
                    obeys,
                    smoke,
                    counted,
                    newer,
                    unlocks,
                    asked,
                    outcomes,
                    stray,
                }
            },
        )
}

fn any_counted() -> impl Strategy<Value = Option<[(u64, u64); 2]>> {
    let version =
        || (0..5000_u64, 0..1000_u64).prop_map(|(requests, share)| (requests, requests * share / 1000));
    prop::option::weighted(0.8, (version(), version()).prop_map(|(one, two)| [one, two]))
}

fn any_command() -> impl Strategy<Value = Option<Command>> {
    let any = prop::sample::select(vec![
        Command::Abort,
        Command::Pause,
        Command::Resume,
        Command::Promote,
        Command::PromoteFull,
        Command::Retry,
    ]);
    prop::option::weighted(0.06, any)
}

fn any_start() -> impl Strategy<Value = RolloutState> {
    let kinds = prop_oneof![Just(Kind::Deploy), Just(Kind::Rollback)];
    (kinds, any::<bool>(), any_plan()).prop_map(|(kind, first, plan)| {
        let stable = release("v1.0.0");
        pending_over(kind, (!first).then_some(&stable), &plan)
    })
}

fn any_plan() -> impl Strategy<Value = RolloutPlan> {
    let blue_green = |auto_promote| plan::Strategy::BlueGreen {
        preview: minutes(1),
        auto_promote,
        mirror: percent(if auto_promote { 50 } else { 0 }),
    };
    let strategy = prop_oneof![
        Just(plan::Strategy::AllAtOnce),
        Just(canary().strategy),
        Just(plan::Strategy::Canary { steps: vec![Step::SetWeight(percent(30)), Step::Pause(None)] }),
        any::<bool>().prop_map(blue_green),
        Just(shadowed().strategy),
        Just(plan::Strategy::Shadow { mirror: percent(100), length: minutes(1) }),
        Just(plan::Strategy::AB { share: percent(50), length: minutes(1) }),
        Just(plan::Strategy::Matched { rule: beta(), length: minutes(1) }),
    ];
    let metrics =
        prop::option::of(prop::sample::subsequence(vec![errors(), named("bounded", &bounded())], 1..=2));
    let smoke = prop::sample::select(vec![plan().smoke, ready_only().smoke]);
    let newer = prop::sample::select(vec![OnNewer::QueueLatest, OnNewer::Supersede]);
    let failure = prop::sample::select(vec![OnFailure::Rollback, OnFailure::Freeze, OnFailure::Propose]);
    // The stories play on a Tuesday from noon on.
    let window = prop::sample::select(vec!["Tue 10:00 - Tue 12:10 UTC", "Tue 12:10 - Tue 14:00 UTC"]);
    let freeze = prop::option::weighted(0.3, window)
        .prop_map(|window| window.iter().map(|text| text.parse().unwrap()).collect());
    (strategy, metrics, smoke, (newer, failure, freeze), 0..2_u64, 0..2_u8).prop_map(
        |(strategy, metrics, smoke, (on_newer, on_failure, freeze), bake, hold_back)| RolloutPlan {
            strategy,
            smoke,
            on_newer,
            on_failure,
            freeze,
            bake: minutes(2 * bake),
            hold_back: percent(5 * hold_back),
            analysis: metrics.map(analysis),
            ..plan()
        },
    )
}

fn named(name: &str, metric: &Metric) -> Metric {
    Metric { name: name.to_owned(), ..metric.clone() }
}

impl Scene {
    fn observation(&self, state: &RolloutState, now: Timestamp) -> Observation {
        let known = state.intended.iter().zip(&self.outcomes);
        let mut outcomes: Vec<_> = known
            .map(|(intended, result)| EffectOutcome { seq: intended.seq, result: result.clone() })
            .collect();
        if self.stray {
            outcomes.push(EffectOutcome { seq: 9999, result: EffectResult::Refused("stray".to_owned()) });
        }
        let target = if self.reachable {
            let desired = state.weight.desired.get();
            let ordered = || vec![arm("v1.0.0", 100 - desired), arm("v1.1.0", desired)];
            Observed::Seen(TargetState { arms: if self.obeys { ordered() } else { self.arms.clone() } })
        } else {
            Observed::Unreachable("down".to_owned())
        };
        let told = |command| PersonCommand { command, by: by("bob") };
        let commands = self.asked.map(told).into_iter().collect();
        let counted = |(requests, errors)| Counters { requests, errors, ..Counters::default() };
        let counters = match self.counted {
            None => Measured::Error("no answer".to_owned()),
            Some([one, two]) => Measured::Counters(
                [(version("v1.0.0"), counted(one)), (version("v1.1.0"), counted(two))].into(),
            ),
        };
        Observation {
            now,
            target,
            smoke: self.smoke.clone(),
            counters: Some(counters),
            own: BTreeMap::new(),
            values: BTreeMap::new(),
            labelled: BTreeMap::new(),
            missed: vec![],
            newer: self.newer.then(|| release("v1.2.0")),
            commands,
            unlock: self.unlocks.then(|| Unlocked { by: by("carol"), reason: "looked".to_owned(), at: now }),
            outcomes,
        }
    }
}

/// What the world has proven about the candidate, gathered apart from the state.
#[derive(Default)]
struct Proven {
    loaded: bool,
    smoke: bool,
}

impl Proven {
    fn learn(&mut self, state: &RolloutState, observation: &Observation) {
        let prepare = state.intended.iter().find(|intended| intended.effect == Effect::Prepare);
        let done = |outcome: &EffectOutcome| {
            Some(outcome.seq) == prepare.map(|prepare| prepare.seq)
                && matches!(outcome.result, EffectResult::Applied | EffectResult::AlreadyThere)
        };
        self.loaded |= observation.outcomes.iter().any(done);
        let seen = match &observation.target {
            Observed::Seen(target) => target.arm(&state.candidate.version),
            Observed::Unreachable(_) => None,
        };
        let answers = seen.is_some_and(|arm| arm.ready && arm.digest == state.candidate.digest);
        let passed = match state.plan.smoke {
            Smoke::ReadyOnly => true,
            Smoke::GoldenCases { .. } => observation.smoke.as_ref() == Some(&passed()),
        };
        self.smoke |= self.loaded && answers && passed;
    }
}

/// Effects that bring traffic or a name to the candidate.
fn exposes(state: &RolloutState, effect: &Effect) -> bool {
    match effect {
        Effect::SetWeight { weight } => *weight > Weight::NONE,
        Effect::Route { routing } => routing.matched.is_some(),
        Effect::Promote => true,
        Effect::AssignStage { version } => *version == state.candidate.version,
        _ => false,
    }
}

/// Whether the share of traffic that is wanted is the plan's, or the way back's.
fn is_planned(state: &RolloutState) -> bool {
    let desired = state.weight.desired;
    match state.phase {
        Phase::Waiting if matches!(state.interrupted, Some(Phase::Pending | Phase::Validating)) => {
            desired == Weight::NONE
        }
        Phase::Failed if state.reason == Reason::PromotionFailed => desired == Weight::ALL,
        Phase::RollbackFailed if state.reason == Reason::PromotionFailed => true,
        Phase::RollbackFailed if state.kind == Kind::Rollback && desired == Weight::ALL => true,
        Phase::Pending | Phase::Validating | Phase::Failed => desired == Weight::NONE,
        Phase::Progressing | Phase::Baking | Phase::Paused | Phase::Waiting => {
            desired == super::leg(&state.plan, state.step).weight
        }
        Phase::Promoting | Phase::Finalising | Phase::Succeeded => desired == Weight::ALL,
        Phase::RollingBack | Phase::RolledBack | Phase::RollbackFailed | Phase::Superseded => {
            desired == Weight::NONE
        }
    }
}

fn rank(state: &RolloutState) -> u8 {
    let phase = state.interrupted.filter(|_| state.phase == Phase::Waiting).unwrap_or(state.phase);
    match phase {
        Phase::Pending => 0,
        Phase::Validating => 1,
        Phase::Progressing | Phase::Paused | Phase::Baking => 2,
        Phase::Promoting => 3,
        Phase::Finalising => 4,
        Phase::RollingBack => 5,
        _ => 6,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_story_keeps_the_rules(start in any_start(), scenes in prop::collection::vec(any_scene(), 1..40)) {
        let mut state = start;
        let mut now = noon();
        let mut proven = Proven::default();
        for scene in scenes {
            now = now.after(Duration::from_secs(scene.passes));
            let observation = scene.observation(&state, now);
            proven.learn(&state, &observation);
            let transition = step(&state, &observation);
            prop_assert_eq!(&transition, &step(&state, &observation), "deterministic");
            let next = transition.state;

            prop_assert!(transition.changed || next.phase == state.phase && next.seq == state.seq);
            let again = state.phase == Phase::RollbackFailed
                && matches!(next.phase, Phase::RollingBack | Phase::Promoting);
            let turns = state.kind == Kind::Rollback
                && next.intended.iter().any(|intended| intended.effect == Effect::Rollback);
            prop_assert!(!turns || next.reason == Reason::ManualAbort, "only a person returns to what was left");
            prop_assert!(again || rank(&next) >= rank(&state), "no phase comes twice");
            prop_assert!(next.step >= state.step, "no step comes twice");
            prop_assert!(next.seq >= state.seq && next.since >= state.since);
            prop_assert!(is_planned(&next), "{} of the traffic in {}", next.weight.desired, next.phase);
            let waits = next.phase == Phase::Paused;
            let rests = waits || next.phase == Phase::Waiting;
            prop_assert_eq!(next.phase.is_terminal() || rests, next.deadline.is_none(), "every run ends or waits");
            prop_assert!(!waits || next.message.contains("waiting for alice"), "for a named person: {}", next.message);
            for judge in next.judges.values().filter(|judge| judge.evidence.is_some()) {
                let is_good = judge.phase == MetricPhase::Successful;
                prop_assert!(!is_good || judge.looks.measured > 0 && judge.n >= 50, "unknown is not good");
            }
            prop_assert!(!next.message.is_empty() && !next.message.contains('\n'));
            for intended in next.intended.iter().filter(|intended| exposes(&next, &intended.effect)) {
                prop_assert!(proven.loaded && proven.smoke, "{:?} on an unproven version", intended.effect);
            }
            let unlocked = next.unlocked.is_some() && state.unlocked.is_none();
            prop_assert!(!unlocked || state.phase == Phase::RollbackFailed && scene.reachable, "somebody has looked");
            if state.phase.is_terminal() && !again && !unlocked {
                prop_assert_eq!((next.phase, next.seq, next.since), (state.phase, state.seq, state.since));
                prop_assert!(next.intended.len() <= state.intended.len(), "only intentions drain");
            }
            if next.weight.desired > state.weight.desired && super::holds(&state, now).is_some() {
                let person = next.unfrozen.is_some() || next.reason == Reason::PromotionFailed;
                prop_assert!(person, "{} more traffic in a freeze", next.weight.desired);
            }
            if next.phase == Phase::Succeeded && matches!(next.plan.smoke, Smoke::GoldenCases { .. }) {
                prop_assert_eq!(next.judges["smoke"].phase, MetricPhase::Successful);
            }
            if next.phase == Phase::Succeeded && next.waived.is_none() {
                for metric in next.plan.analysis.iter().flat_map(|analysis| &analysis.metrics) {
                    prop_assert_eq!(next.judges[&metric.name].phase, MetricPhase::Successful, "{}", &metric.name);
                }
            }
            let mut numbers: Vec<_> = next.intended.iter().map(|intended| intended.seq).collect();
            let count = numbers.len();
            numbers.sort_unstable();
            numbers.dedup();
            prop_assert_eq!(numbers.len(), count, "numbers are unique");
            state = next;
        }
    }

    #[test]
    fn silence_always_ends(start in any_start(), scenes in prop::collection::vec(any_scene(), 0..20)) {
        let (mut state, mut now) = (start, noon());
        for scene in &scenes {
            now = now.after(Duration::from_secs(scene.passes));
            state = step(&state, &scene.observation(&state, now)).state;
        }
        let silent = |now| Observation {
            own: BTreeMap::new(),
            values: BTreeMap::new(),
            labelled: BTreeMap::new(),
            missed: vec![],
            now,
            target: Observed::Unreachable("down".to_owned()),
            counters: None,
            newer: None,
            smoke: None,
            commands: vec![],
            unlock: None,
            outcomes: vec![],
        };
        for _ in 0..12 {
            now = now.after(Duration::from_secs(1000));
            state = step(&state, &silent(now)).state;
        }
        prop_assert!(state.phase.is_terminal() || state.phase == Phase::Paused, "{:?}", state.phase);
    }
}

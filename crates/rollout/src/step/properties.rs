//! What holds whatever the world does.

use proptest::prelude::*;
use tagship_domain::{
    Digest, Duration, Timestamp,
    analysis::MetricPhase,
    plan::Smoke,
    rollout::{Effect, EffectOutcome, EffectResult, Kind, Observation, Observed, Phase, RolloutState},
    traffic::{Arm, TargetState, Weight},
    validation::{GoldenReport, Status},
};

use super::step;
use crate::tests::sample::{abort, arm, failed, noon, passed, pending_over, plan, ready_only, release};

/// One look, with outcomes by position among what is intended at that moment.
#[derive(Debug, Clone)]
struct Scene {
    passes: u64,
    reachable: bool,
    arms: Vec<Arm>,
    smoke: Option<GoldenReport>,
    aborted: bool,
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
        smoke,
        prop::bool::weighted(0.03),
        prop::collection::vec(any_result(), 0..4),
        prop::bool::weighted(0.1),
    )
        .prop_map(|((passes, reachable), (one, two), smoke, aborted, outcomes, stray)| Scene {
            passes,
            reachable,
            arms: one.into_iter().chain(two).collect(),
            smoke,
            aborted,
            outcomes,
            stray,
        })
}

fn any_start() -> impl Strategy<Value = RolloutState> {
    let kinds = prop_oneof![Just(Kind::Deploy), Just(Kind::Rollback)];
    (kinds, any::<bool>(), any::<bool>()).prop_map(|(kind, first, cases)| {
        let stable = release("v1.0.0");
        let plan = if cases { plan() } else { ready_only() };
        pending_over(kind, (!first).then_some(&stable), &plan)
    })
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
            Observed::Seen(TargetState { arms: self.arms.clone() })
        } else {
            Observed::Unreachable("down".to_owned())
        };
        let commands = self.aborted.then(abort).into_iter().collect();
        Observation {
            now,
            target,
            smoke: self.smoke.clone(),
            counters: None,
            newer: None,
            commands,
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
        Effect::Promote => true,
        Effect::AssignStage { version } => *version == state.candidate.version,
        _ => false,
    }
}

fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Pending => 0,
        Phase::Validating => 1,
        Phase::Progressing | Phase::Paused => 2,
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
            prop_assert!(rank(next.phase) >= rank(state.phase), "no phase comes twice");
            prop_assert!(next.seq >= state.seq && next.since >= state.since);
            prop_assert!(next.weight.desired == Weight::NONE || next.weight.desired == Weight::ALL);
            prop_assert_eq!(next.phase.is_terminal(), next.deadline.is_none(), "every run ends or waits for a person");
            prop_assert!(!next.message.is_empty() && !next.message.contains('\n'));
            for intended in next.intended.iter().filter(|intended| exposes(&next, &intended.effect)) {
                prop_assert!(proven.loaded && proven.smoke, "{:?} on an unproven version", intended.effect);
            }
            if state.phase.is_terminal() {
                prop_assert_eq!((next.phase, next.seq, next.since), (state.phase, state.seq, state.since));
                prop_assert!(next.intended.len() <= state.intended.len(), "only intentions drain");
            }
            if next.phase == Phase::Succeeded && matches!(next.plan.smoke, Smoke::GoldenCases { .. }) {
                prop_assert_eq!(next.judges["smoke"].phase, MetricPhase::Successful);
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
            now,
            target: Observed::Unreachable("down".to_owned()),
            counters: None,
            newer: None,
            smoke: None,
            commands: vec![],
            outcomes: vec![],
        };
        for _ in 0..4 {
            now = now.after(Duration::from_secs(1000));
            state = step(&state, &silent(now)).state;
        }
        prop_assert!(state.phase.is_terminal(), "{:?}", state.phase);
    }
}

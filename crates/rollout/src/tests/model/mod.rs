//! A bounded model check: every world that two runs, a person, the clock and up to two faults can bring a rollout into.
//!
//! `step` and `start` are the real ones. The run around them takes rounds as [`crate::Driver`] does, and the target and the
//! registry follow the contracts of their ports, in a form that can be copied, compared and left at any point.

mod explore;
mod round;
mod rules;
mod scenario;
mod world;

use tagship_domain::rollout::{EffectOutcome, EffectResult, Kind, Observation, RolloutState};

use self::{explore::explore, scenario::Scenario};
use super::sample::passed;
use crate::{Transition, step};

/// How many faults and commands may happen in the suite: in small scenarios two faults, in all of them one fault or one
/// command.
fn bounds(scenario: &Scenario) -> Vec<(u8, u8)> {
    if scenario.small { vec![(2, 0), (1, 1)] } else { vec![(1, 0), (0, 1)] }
}

/// Explores every scenario.
fn walk(bounds: impl Fn(&Scenario) -> Vec<(u8, u8)>) {
    let (mut worlds, mut acts) = (0, 0);
    for scenario in Scenario::all() {
        for (faults, words) in bounds(&scenario) {
            let scenario = Scenario { faults, words, ..scenario.clone() };
            let explored = match explore(&scenario) {
                Ok(explored) => explored,
                Err(broken) => panic!("{}: {}\n{:?}", scenario.name, broken.rule, broken.story),
            };
            println!("{}, {faults} faults, {words} commands: {explored:?}", scenario.name);
            (worlds, acts) = (worlds + explored.worlds, acts + explored.acts);
        }
    }
    println!("{worlds} worlds, {acts} acts");
}

#[test]
fn no_rule_breaks_in_any_world_that_can_be_reached() {
    walk(bounds);
}

#[test]
#[ignore = "takes its time; `cargo xtask e2e model` runs it"]
fn no_rule_breaks_with_two_faults_or_a_fault_and_a_command_anywhere() {
    walk(|_| vec![(2, 0), (1, 1)]);
}

#[test]
fn what_lacks_its_signature_only_fails() {
    for scenario in
        [Scenario::unsigned(Kind::Deploy), Scenario::unsigned(Kind::Rollback), Scenario::unsigned_by_hand()]
    {
        let explored = explore(&Scenario { faults: 1, words: 1, ..scenario.clone() }).unwrap();
        let failed = explored.ends.iter().all(|end| end.starts_with("Failed "));
        assert!(failed && !explored.ends.is_empty(), "{}: {:?}", scenario.name, explored.ends);
    }
}

/// The rule that is broken where something is wrong with the machine.
fn broken(scenario: &Scenario) -> String {
    match explore(scenario) {
        Ok(explored) => panic!("{}: nothing was found in {} worlds", scenario.name, explored.worlds),
        Err(broken) => broken.rule,
    }
}

#[test]
fn a_target_without_fencing_is_found() {
    let rule = broken(&Scenario { fenced: false, words: 1, faults: 1, ..Scenario::canary() });
    assert!(rule.contains("traffic") || rule.contains("has"), "{rule}");
}

#[test]
fn an_assignment_that_is_still_on_its_way_is_found() {
    let rule = broken(&Scenario { reaffirms: false, words: 0, faults: 2, ..Scenario::all_at_once() });
    assert!(rule.contains("the registry says"), "{rule}");
}

#[test]
fn a_journal_that_takes_any_entry_is_found() {
    let rule = broken(&Scenario { swaps: false, faults: 0, ..Scenario::all_at_once() });
    assert!(rule.contains("came after") || rule.contains("time went back"), "{rule}");
}

/// A machine that does not wait for its metrics.
fn hasty(state: &RolloutState, observation: &Observation) -> Transition {
    let mut blind = state.clone();
    blind.plan.analysis = None;
    let mut transition = step(&blind, observation);
    transition.state.plan = state.plan.clone();
    transition
}

#[test]
fn a_promotion_without_verdicts_is_found() {
    let rule = broken(&Scenario { step: hasty, faults: 0, words: 0, ..Scenario::canary() });
    assert_eq!(rule, "promoted with metrics that are not decided");
}

/// A machine that takes every answer for a right one.
fn trusting(state: &RolloutState, observation: &Observation) -> Transition {
    let smoke = observation.smoke.as_ref().map(|_| passed());
    step(state, &Observation { smoke, ..observation.clone() })
}

#[test]
fn traffic_to_what_answers_wrongly_is_found() {
    let rule = broken(&Scenario { step: trusting, faults: 0, words: 0, ..Scenario::unsound() });
    assert_eq!(rule, "an unproven version was to get traffic or a name");
}

#[test]
fn bytes_that_are_handed_out_unsigned_are_found() {
    let rule = broken(&Scenario { verifies: false, faults: 0, words: 0, ..Scenario::unsigned(Kind::Deploy) });
    assert_eq!(rule, "v1.1.0 was loaded without its signature");
}

/// A machine that takes what the target shows for what it was given.
fn credulous(state: &RolloutState, observation: &Observation) -> Transition {
    let given =
        |outcome: &EffectOutcome| EffectOutcome { result: EffectResult::AlreadyThere, ..outcome.clone() };
    let outcomes = observation.outcomes.iter().map(given).collect();
    step(state, &Observation { outcomes, ..observation.clone() })
}

#[test]
fn traffic_to_what_is_loaded_by_hand_and_not_signed_is_found() {
    let rule = broken(&Scenario { step: credulous, faults: 0, words: 0, ..Scenario::unsigned_by_hand() });
    assert_eq!(rule, "v1.1.0 got 100% without its signature");
}

/// A machine that forgets its deadlines.
fn patient(state: &RolloutState, observation: &Observation) -> Transition {
    let mut transition = step(state, observation);
    transition.state.deadline = None;
    transition
}

#[test]
fn a_wait_without_an_end_is_found() {
    let rule = broken(&Scenario { step: patient, faults: 0, words: 0, ..Scenario::all_at_once() });
    assert!(rule.ends_with("without an end"), "{rule}");
}

/// A machine that turns round on a rollback as on a deployment.
fn turning(state: &RolloutState, observation: &Observation) -> Transition {
    let deploys = RolloutState { kind: Kind::Deploy, ..state.clone() };
    let mut transition = step(&deploys, observation);
    transition.state.kind = state.kind;
    transition
}

#[test]
fn a_rollback_that_turns_round_is_found() {
    let rule = broken(&Scenario { step: turning, faults: 1, words: 0, ..Scenario::rollback() });
    assert_eq!(rule, "v1.0.0 was left by a rollback and got 100% again");
}

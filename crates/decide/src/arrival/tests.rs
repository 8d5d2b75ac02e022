//! What arrives is deployed once, and what is unknown is said.

use tagship_domain::{
    CommitId, Digest, Environment, Provenance, Release,
    decision::Decision,
    event::{Event, Trigger},
    lock::Lock,
    rollout::{Phase, RolloutId},
};

use super::*;
use crate::{EnvironmentState, RepositoryState, Running, decide};

fn churn() -> ModelName {
    ModelName::new("churn").unwrap()
}

fn production() -> Environment {
    Environment::new("production").unwrap()
}

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn commit() -> CommitId {
    "a".repeat(40).parse().unwrap()
}

fn held(byte: u8) -> Release {
    Release {
        model: churn(),
        version: "v1.0.0".parse().unwrap(),
        digest: digest(byte),
        manifest: digest(9),
        commit: commit(),
    }
}

fn new(passed_over: &[&str]) -> Arrival {
    let passed_over = passed_over.iter().map(|version| (*version).to_owned()).collect();
    Arrival::New { version: "7".to_owned(), passed_over, seen_by: [].into() }
}

/// Decides about an event where the place holds bytes number 2.
fn decided(event: Event, arrival: Arrival, environment: EnvironmentState) -> Decision {
    decided_of(event, arrival, environment, vec![])
}

/// The same where some bytes are released.
fn decided_of(
    event: Event,
    arrival: Arrival,
    environment: EnvironmentState,
    released: Vec<Release>,
) -> Decision {
    let model = ModelState {
        artifact: ArtifactState::Present(digest(2)),
        released,
        environments: [(production(), environment)].into(),
        arrival: Some(arrival),
    };
    let trigger =
        Trigger { event, by: Provenance::default(), head: commit(), default_branch: "main".to_owned() };
    decide(&trigger, &RepositoryState { models: [(churn(), model)].into() })
}

fn announced(version: &str, digest: Option<Digest>) -> Event {
    let environment = None;
    Event::ModelVersion(ModelVersion {
        model: churn(),
        version: version.to_owned(),
        digest,
        uri: None,
        environment,
    })
}

#[test]
fn a_new_version_is_deployed_and_older_ones_are_told() {
    let current = EnvironmentState { current: Some(held(1)), ..EnvironmentState::default() };
    let decision = decided(Event::Schedule, new(&["6", "5"]), current.clone());
    assert_eq!((decision.action, decision.reason_code), (Action::Deploy, ReasonCode::ModelVersionCreated));
    assert_eq!(decision.items[0].digest, Some(digest(2)));
    assert!(decision.sentence.contains("version 7 arrived, and 6, 5 before it"), "{}", decision.sentence);
    assert!(decision.items.iter().all(is_settled));
    let by_message = decided(announced("7", None), new(&[]), current);
    assert_eq!(
        (by_message.action, by_message.reason_code),
        (Action::Deploy, ReasonCode::ModelVersionCreated)
    );
}

#[test]
fn nothing_new_is_nothing_to_do() {
    let known = || Arrival::Known { version: Some("7".to_owned()) };
    let decision = decided(Event::Schedule, known(), EnvironmentState::default());
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::NothingToDo));
    assert!(decision.items.is_empty());
    let announced_again = decided(announced("7", None), known(), EnvironmentState::default());
    assert_eq!(announced_again.reason_code, ReasonCode::AlreadySeen);
    let invented =
        decided(announced("7", None), Arrival::Known { version: None }, EnvironmentState::default());
    assert_eq!(invented.reason_code, ReasonCode::UnknownVersion);
}

#[test]
fn an_environment_that_has_seen_it_is_left_alone() {
    let seen = Arrival::New { version: "7".to_owned(), passed_over: vec![], seen_by: [production()].into() };
    let decision = decided(Event::Schedule, seen.clone(), EnvironmentState::default());
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::NothingToDo));
    let decision = decided(announced("7", None), seen, EnvironmentState::default());
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::AlreadySeen));
}

#[test]
fn bytes_that_the_environment_holds_are_settled_without_a_deployment() {
    let current = EnvironmentState { current: Some(held(2)), ..EnvironmentState::default() };
    let decision = decided(Event::Schedule, new(&[]), current);
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::AlreadyDeployed));
    assert!(decision.items.iter().all(is_settled));
}

#[test]
fn an_unknown_place_is_told_and_holds_no_rollout_up() {
    let why = || Arrival::Unknown("no answer in time".to_owned());
    let idle = decided(Event::Schedule, why(), EnvironmentState::default());
    assert_eq!(idle.reason_code, ReasonCode::SourceUnreadable);
    assert!(idle.sentence.contains("no answer in time"), "{}", idle.sentence);
    let running = Running {
        id: RolloutId("churn-v1.0.0-1".to_owned()),
        version: "v1.0.0".parse().unwrap(),
        phase: Phase::Progressing,
    };
    let busy = EnvironmentState { running: Some(running), ..EnvironmentState::default() };
    let both = decided(Event::Schedule, why(), busy);
    assert_eq!((both.action, both.items.len()), (Action::Tick, 2));
    assert!(both.items.iter().any(|item| item.reason_code == ReasonCode::SourceUnreadable));
}

#[test]
fn what_runs_goes_on_before_what_arrives() {
    let running = |version: &str| Running {
        id: RolloutId(format!("churn-{version}-1")),
        version: version.parse().unwrap(),
        phase: Phase::Progressing,
    };
    let busy = |version| EnvironmentState { running: Some(running(version)), ..EnvironmentState::default() };
    let actions = |decision: &Decision| decision.items.iter().map(|item| item.action).collect::<Vec<_>>();
    let newer = decided(Event::Schedule, new(&[]), busy("v0.9.0"));
    assert_eq!(newer.action, Action::Deploy, "the stronger speaks for both");
    assert_eq!(actions(&newer), [Action::Tick, Action::Deploy], "whatever becomes of the newer");
    let same = decided_of(Event::Schedule, new(&[]), busy("v1.0.0"), vec![held(2)]);
    assert_eq!(actions(&same), [Action::Tick], "once, where it is what arrived");
}

#[test]
fn what_a_lock_keeps_out_is_looked_at_again() {
    let lock = Lock {
        environment: production(),
        locked: true,
        reason: "inventory".to_owned(),
        by: Provenance::default(),
        since: "2026-11-24T12:00:00Z".parse().unwrap(),
    };
    let locked = EnvironmentState { lock: Some(lock), ..EnvironmentState::default() };
    let decision = decided(Event::Schedule, new(&[]), locked);
    assert_eq!(decision.reason_code, ReasonCode::EnvironmentLocked);
    assert!(!decision.items.iter().any(is_settled));
}

#[test]
fn a_message_about_other_bytes_deploys_nothing() {
    let decision = decided(announced("7", Some(digest(3))), new(&[]), EnvironmentState::default());
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::DigestMismatch));
}

//! Who may tell a rollout what, and about which change.

use std::collections::BTreeMap;

use tagship_domain::{
    Digest, Provenance, Release,
    event::Event,
    rollout::{Phase, RolloutId},
};

use super::*;
use crate::state::{ArtifactState, Blocked, EnvironmentState, ModelState, Running};

fn commit(c: char) -> CommitId {
    c.to_string().repeat(40).parse().unwrap()
}

fn command(line: &str) -> CommentCommand {
    CommentCommand {
        comment: 1,
        pull_request: Some(7),
        author: "alice".to_owned(),
        created_at: "2026-11-24T12:00:00Z".parse().unwrap(),
        asked: Asked::read(line).unwrap(),
    }
}

fn merged() -> PullRequest {
    PullRequest { number: 7, head: commit('b'), from_fork: false, open: false }
}

fn open() -> PullRequest {
    PullRequest { open: true, ..merged() }
}

fn running(environment: &str, pull_requests: &[u64]) -> RunningRollout {
    RunningRollout {
        model: ModelName::new("churn").unwrap(),
        environment: Environment::new(environment).unwrap(),
        version: "v1.1.0".parse().unwrap(),
        pull_requests: pull_requests.to_vec(),
    }
}

fn judged(
    line: &str,
    pull: &PullRequest,
    shown: Option<char>,
    running: &[RunningRollout],
) -> Result<Authorised, Refusal> {
    let shown = shown.map(commit);
    let standing =
        Standing { access: Access::Write, pull_request: Some(pull), shown: shown.as_ref(), running };
    authorise(&command(line), &standing)
}

#[track_caller]
fn refused(result: Result<Authorised, Refusal>, because: ReasonCode) -> String {
    let refusal = result.unwrap_err();
    assert_eq!(refusal.reason_code, because, "{}", refusal.sentence);
    refusal.sentence
}

#[test]
fn only_who_may_write_is_followed_and_strangers_learn_nothing_else() {
    for access in [Access::None, Access::Read] {
        for line in ["/tagship promote", "/tagship help", "/tagship nonsense", "/tagship unlock"] {
            let pull = merged();
            let standing = Standing { access, pull_request: Some(&pull), shown: None, running: &[] };
            let sentence = refused(authorise(&command(line), &standing), ReasonCode::AccessDenied);
            assert!(sentence.contains("alice"));
        }
    }
}

#[test]
fn a_command_on_a_plain_issue_is_refused() {
    let standing = Standing { access: Access::Admin, pull_request: None, shown: None, running: &[] };
    refused(authorise(&command("/tagship status"), &standing), ReasonCode::NotAPullRequest);
}

#[test]
fn a_mistyped_command_is_answered_with_what_there_is() {
    let sentence = refused(judged("/tagship promot", &merged(), None, &[]), ReasonCode::CommandUnclear);
    assert!(sentence.contains("promote"));
}

#[test]
fn a_rollout_is_told_what_to_do_on_the_pull_request_that_brought_it() {
    let own = [running("production", &[7])];
    for line in ["promote", "promote-full", "pause", "resume", "abort", "rollback"] {
        let told = judged(&format!("/tagship {line}"), &merged(), None, &own).unwrap();
        assert_eq!(told.rollouts, [(own[0].model.clone(), own[0].environment.clone())], "{line}");
    }
    let other = [running("production", &[12])];
    for line in ["promote", "promote-full", "pause", "resume", "abort", "rollback", "retry"] {
        let result = judged(&format!("/tagship {line}"), &merged(), None, &other);
        assert!(refused(result, ReasonCode::AnotherPullRequest).contains("#12"), "{line}");
    }
    let pushed = [running("production", &[])];
    let sentence =
        refused(judged("/tagship abort", &merged(), None, &pushed), ReasonCode::AnotherPullRequest);
    assert!(sentence.contains("no pull request") && sentence.contains("by hand"), "{sentence}");
}

#[test]
fn of_several_rollouts_only_the_own_one_is_meant() {
    let both = [running("production", &[12]), running("staging", &[7])];
    let told = judged("/tagship promote", &merged(), None, &both).unwrap();
    assert_eq!(told.rollouts.len(), 1);
    assert_eq!(told.rollouts[0].1.as_str(), "staging");
    let named = judged("/tagship promote --environment production", &merged(), None, &both);
    refused(named, ReasonCode::AnotherPullRequest);
}

#[test]
fn nothing_is_led_on_that_was_not_shown() {
    let own = [running("production", &[7])];
    for line in ["promote", "promote-full", "resume", "rollback v1.0.0"] {
        let line = format!("/tagship {line}");
        assert!(judged(&line, &open(), Some('b'), &own).is_ok(), "{line}");
        let sentence = refused(judged(&line, &open(), Some('c'), &own), ReasonCode::HeadMoved);
        assert!(sentence.contains("bbbbbbb") && sentence.contains("ccccccc"), "{sentence}");
        refused(judged(&line, &open(), None, &own), ReasonCode::HeadMoved);
        assert!(judged(&line, &merged(), Some('c'), &own).is_ok(), "{line}: a merged head moves nothing");
    }
    for line in ["pause", "abort", "rollback"] {
        let line = format!("/tagship {line}");
        assert!(judged(&line, &open(), Some('c'), &own).is_ok(), "{line}: stopping is always right");
    }
    refused(judged("/tagship retry", &open(), Some('b'), &[]), ReasonCode::NotMerged);
}

#[test]
fn the_head_of_a_fork_never_deploys() {
    let fork = PullRequest { from_fork: true, ..open() };
    for line in ["promote", "promote-full", "resume", "retry", "rollback v1.0.0"] {
        let result = judged(&format!("/tagship {line}"), &fork, Some('b'), &[running("production", &[7])]);
        refused(result, ReasonCode::FromFork);
    }
    let merged = PullRequest { open: false, ..fork };
    assert!(judged("/tagship promote", &merged, None, &[running("production", &[7])]).is_ok());
}

#[test]
fn locks_and_questions_need_no_rollout() {
    for line in ["lock incident", "unlock", "status", "help"] {
        let told =
            judged(&format!("/tagship {line}"), &open(), None, &[running("production", &[12])]).unwrap();
        assert!(told.rollouts.is_empty());
    }
}

fn release(version: &str, byte: u8) -> Release {
    Release {
        model: ModelName::new("churn").unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte + 100; 32]),
        commit: commit('c'),
    }
}

fn repository(environments: &[(&str, EnvironmentState)]) -> RepositoryState {
    let environments: BTreeMap<_, _> =
        environments.iter().map(|(name, state)| (Environment::new(*name).unwrap(), state.clone())).collect();
    let artifact = ArtifactState::Present(Digest::from_bytes([2; 32]));
    let released = vec![release("v1.1.0", 2), release("v1.0.0", 1)];
    let model = ModelState { artifact, released, environments, arrival: None };
    RepositoryState { models: [(ModelName::new("churn").unwrap(), model)].into() }
}

fn decided(
    line: &str,
    running: &[RunningRollout],
    repository: &RepositoryState,
) -> Result<Decision, Refusal> {
    let told = judged(line, &merged(), None, running).unwrap();
    let trigger = Trigger {
        event: Event::Comment(command(line)),
        by: Provenance::default(),
        head: commit('a'),
        default_branch: "main".to_owned(),
    };
    decide_command(&told, &trigger, repository)
}

fn held() -> EnvironmentState {
    EnvironmentState {
        current: Some(release("v1.1.0", 2)),
        previous: Some(release("v1.0.0", 1)),
        ..Default::default()
    }
}

#[test]
fn a_command_leads_to_what_a_request_by_hand_leads_to() {
    let state =
        Running { id: RolloutId("r".to_owned()), version: "v1.1.0".parse().unwrap(), phase: Phase::Paused };
    let place = EnvironmentState { running: Some(state), ..EnvironmentState::default() };
    let repository = repository(&[("production", place), ("staging", held())]);
    let decision = decided("/tagship promote", &[running("production", &[7])], &repository).unwrap();
    assert_eq!((decision.action, decision.pull_request), (Action::Promote, Some(7)));
    assert_eq!(decision.items.len(), 1, "only what the pull request brought");
    let decision = decided("/tagship rollback --environment staging", &[], &repository).unwrap();
    assert_eq!(decision.items[0].version, Some("v1.0.0".parse().unwrap()));
}

#[test]
fn what_could_be_about_several_places_asks_back() {
    let repository = repository(&[("production", held()), ("staging", held())]);
    let refusal = decided("/tagship rollback", &[], &repository).unwrap_err();
    assert_eq!(refusal.reason_code, ReasonCode::Ambiguous);
    assert!(refusal.sentence.contains("churn in production, churn in staging"), "{}", refusal.sentence);
    let idle = decided("/tagship promote", &[], &repository).unwrap();
    assert_eq!(idle.reason_code, ReasonCode::NoRollout);
    let unknown = decided("/tagship promote --environment qa", &[], &repository).unwrap_err();
    assert_eq!(unknown.reason_code, ReasonCode::UnknownEnvironment);
}

#[test]
fn a_retry_deploys_only_what_failed() {
    let failed = Blocked {
        digest: Digest::from_bytes([2; 32]),
        version: "v1.1.0".parse().unwrap(),
        phase: Phase::RolledBack,
    };
    let blocked = EnvironmentState {
        current: Some(release("v1.0.0", 1)),
        blocked: vec![failed],
        ..EnvironmentState::default()
    };
    let decision = decided("/tagship retry", &[], &repository(&[("production", blocked.clone())])).unwrap();
    assert_eq!(decision.action, Action::Retry);
    let mut elsewhere = repository(&[("production", blocked)]);
    for model in elsewhere.models.values_mut() {
        model.artifact = ArtifactState::Missing("it was not fetched for this event".to_owned());
    }
    let decision = decided("/tagship retry", &[], &elsewhere).unwrap();
    assert_eq!(decision.action, Action::Retry, "{}", decision.sentence);
    assert!(decision.items[0].version.is_some(), "the release, for its bytes are not here");
    let fine = EnvironmentState { current: Some(release("v1.0.0", 1)), ..EnvironmentState::default() };
    let decision = decided("/tagship retry", &[], &repository(&[("production", fine)])).unwrap();
    assert_eq!((decision.action, decision.reason_code), (Action::Skip, ReasonCode::NothingToRetry));
}

//! What each event leads to.

use proptest::prelude::*;
use tagship_domain::{
    Digest, Environment, Provenance, Release, Version,
    event::{Command, Continuation, ModelVersion, PullRequest, Request},
    lock::Lock,
    rollout::{Phase, RolloutId},
};

use super::*;
use crate::state::{Before, Blocked, EnvironmentState, Running};

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn commit(c: char) -> CommitId {
    c.to_string().repeat(40).parse().unwrap()
}

fn churn() -> ModelName {
    ModelName::new("churn").unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn release(text: &str, byte: u8) -> Release {
    Release {
        model: churn(),
        version: version(text),
        digest: digest(byte),
        manifest: digest(byte + 100),
        commit: commit('c'),
    }
}

/// A repository with the model `churn`, whose checkout holds bytes number `byte`.
fn repository(byte: u8, released: Vec<Release>, production: EnvironmentState) -> RepositoryState {
    let environments = [(Environment::new("production").unwrap(), production)].into();
    let model =
        ModelState { artifact: ArtifactState::Present(digest(byte)), released, environments, arrival: None };
    RepositoryState { models: [(churn(), model)].into() }
}

fn holding(current: Release) -> EnvironmentState {
    EnvironmentState { current: Some(current), ..EnvironmentState::default() }
}

fn trigger(event: Event) -> Trigger {
    Trigger { event, by: Provenance::default(), head: commit('a'), default_branch: "main".to_owned() }
}

fn push() -> Event {
    Event::Push { branch: "main".to_owned(), after: Some(commit('a')) }
}

fn manual(command: Command, version: Option<Version>) -> Event {
    Event::Manual(Request { command: Some(command), version, ..Request::default() })
}

fn pull(activity: &str, merged: bool) -> Event {
    Event::PullRequest(PullRequest {
        number: 7,
        activity: activity.to_owned(),
        head: commit('b'),
        base: "main".to_owned(),
        merged,
        from_fork: true,
        privileged: false,
    })
}

#[track_caller]
fn check(event: Event, repository: &RepositoryState, expect: (Action, ReasonCode)) -> Decision {
    let decision = decide(&trigger(event), repository);
    assert_eq!((decision.action, decision.reason_code), expect, "{}", decision.sentence);
    assert!(!decision.sentence.is_empty());
    decision
}

#[test]
fn a_push_deploys_what_the_environment_does_not_hold() {
    let first = repository(1, vec![], EnvironmentState::default());
    check(push(), &first, (Action::Deploy, ReasonCode::FirstDeployment));

    let held = repository(1, vec![release("v1.0.0", 1)], holding(release("v1.0.0", 1)));
    check(push(), &held, (Action::Skip, ReasonCode::AlreadyDeployed));

    let changed = repository(2, vec![release("v1.0.0", 1)], holding(release("v1.0.0", 1)));
    let decision = check(push(), &changed, (Action::Deploy, ReasonCode::DigestChanged));
    assert_eq!(decision.items[0].version, None, "the version does not exist before the release");
    assert_eq!(decision.matrix().include[0].environment, "production");

    let released = repository(2, vec![release("v1.1.0", 2)], holding(release("v1.0.0", 1)));
    let decision = check(push(), &released, (Action::Deploy, ReasonCode::ReleasedNotDeployed));
    assert_eq!(decision.items[0].version, Some(version("v1.1.0")));
}

#[test]
fn bytes_that_were_rolled_back_wait_for_a_retry() {
    let blocked = Blocked { digest: digest(2), version: version("v1.1.0"), phase: Phase::RolledBack };
    let state = EnvironmentState { blocked: vec![blocked], ..holding(release("v1.0.0", 1)) };
    let repository = repository(2, vec![release("v1.1.0", 2)], state);
    check(push(), &repository, (Action::Skip, ReasonCode::PreviouslyRolledBack));
    check(manual(Command::Deploy, None), &repository, (Action::Skip, ReasonCode::PreviouslyRolledBack));
    check(manual(Command::Retry, None), &repository, (Action::Retry, ReasonCode::ReleasedNotDeployed));
    check(pull("opened", false), &repository, (Action::ValidateOnly, ReasonCode::PullRequest));
}

#[test]
fn environments_come_in_order_by_digest() {
    let environment = Environment::new("staging").unwrap();
    let after = |succeeded: &[u8]| {
        let succeeded = succeeded.iter().map(|byte| digest(*byte)).collect();
        Some(Before { environment: environment.clone(), succeeded })
    };
    let with = |byte, succeeded: &[u8]| {
        let state = EnvironmentState { after: after(succeeded), ..holding(release("v1.0.0", 1)) };
        repository(byte, vec![release("v1.1.0", 2)], state)
    };
    let decision = check(push(), &with(2, &[1]), (Action::Skip, ReasonCode::AwaitsEnvironment));
    assert!(
        decision.sentence.contains("churn v1.1.0 did not succeed in staging yet"),
        "{}",
        decision.sentence
    );
    assert!(decision.sentence.contains("--from staging --environment production"), "{}", decision.sentence);
    check(push(), &with(3, &[1, 2]), (Action::Skip, ReasonCode::AwaitsEnvironment));
    let named = || manual(Command::Deploy, Some(version("v1.1.0")));
    check(named(), &with(1, &[]), (Action::Skip, ReasonCode::AwaitsEnvironment));
    check(named(), &with(1, &[2]), (Action::Deploy, ReasonCode::ReleasedNotDeployed));
    check(push(), &with(2, &[1, 2]), (Action::Deploy, ReasonCode::ReleasedNotDeployed));
    check(pull("opened", false), &with(2, &[]), (Action::ValidateOnly, ReasonCode::PullRequest));
    check(
        manual(Command::Rollback, Some(version("v1.1.0"))),
        &with(1, &[]),
        (Action::Rollback, ReasonCode::Requested),
    );
}

#[test]
fn a_freeze_is_told_and_keeps_nothing_from_being_decided() {
    let until = "2026-11-30T07:00:00Z".parse().ok();
    let state = EnvironmentState { frozen_until: until, ..holding(release("v1.0.0", 1)) };
    let decision = check(push(), &repository(2, vec![], state), (Action::Deploy, ReasonCode::DigestChanged));
    assert!(decision.sentence.contains("until 2026-11-30 07:00:00 UTC"), "{}", decision.sentence);
}

#[test]
fn a_running_rollout_goes_on() {
    let running =
        Running { id: RolloutId("r".to_owned()), version: version("v1.1.0"), phase: Phase::Progressing };
    let state = EnvironmentState { running: Some(running), ..holding(release("v1.0.0", 1)) };
    let same = repository(2, vec![release("v1.1.0", 2)], state.clone());
    check(push(), &same, (Action::Tick, ReasonCode::RolloutRunning));
    check(Event::Schedule, &same, (Action::Tick, ReasonCode::RolloutRunning));
    check(manual(Command::Abort, None), &same, (Action::Abort, ReasonCode::Requested));
    let newer = repository(3, vec![], state);
    check(push(), &newer, (Action::Deploy, ReasonCode::DigestChanged));
    let idle = repository(3, vec![], EnvironmentState::default());
    check(Event::Schedule, &idle, (Action::Skip, ReasonCode::NothingToDo));
    check(manual(Command::Abort, None), &idle, (Action::Skip, ReasonCode::NoRollout));
}

#[test]
fn other_branches_deletions_and_foreign_checkouts_are_skipped() {
    let repository = repository(1, vec![], EnvironmentState::default());
    let feature = Event::Push { branch: "feature".to_owned(), after: Some(commit('a')) };
    check(feature, &repository, (Action::Skip, ReasonCode::NotDefaultBranch));
    let deleted = Event::Push { branch: "main".to_owned(), after: None };
    check(deleted, &repository, (Action::Skip, ReasonCode::RefDeleted));
    let elsewhere = Event::Push { branch: "main".to_owned(), after: Some(commit('b')) };
    check(elsewhere, &repository, (Action::Skip, ReasonCode::WrongCheckout));
    let other = Event::Other { kind: "star".to_owned() };
    check(other, &repository, (Action::Skip, ReasonCode::UnknownEvent));
}

#[test]
fn a_pull_request_is_only_validated() {
    let repository = repository(2, vec![], holding(release("v1.0.0", 1)));
    let decision =
        check(pull("synchronize", false), &repository, (Action::ValidateOnly, ReasonCode::PullRequest));
    assert_eq!((decision.pull_request, decision.sha), (Some(7), commit('b')));
    check(pull("closed", true), &repository, (Action::Skip, ReasonCode::PullRequestClosed));
    check(pull("labeled", false), &repository, (Action::Skip, ReasonCode::EventIgnored));
}

#[test]
fn a_finished_workflow_counts_only_when_it_succeeded_here() {
    let repository = repository(1, vec![], EnvironmentState::default());
    let run = |succeeded, from_fork| Event::WorkflowRun {
        workflow: "tests".to_owned(),
        succeeded,
        sha: commit('a'),
        branch: Some("main".to_owned()),
        from_fork,
    };
    check(run(true, false), &repository, (Action::Deploy, ReasonCode::FirstDeployment));
    check(run(false, false), &repository, (Action::Skip, ReasonCode::WorkflowFailed));
    check(run(true, true), &repository, (Action::Skip, ReasonCode::FromFork));
}

#[test]
fn a_version_tag_deploys_that_version() {
    let tag = |name: &str| Event::TagPush { tag: name.to_owned(), after: Some(commit('c')) };
    let repository = repository(9, vec![release("v1.1.0", 2)], holding(release("v1.0.0", 1)));
    let decision = check(tag("churn@v1.1.0"), &repository, (Action::Deploy, ReasonCode::VersionTagPushed));
    assert_eq!(decision.items[0].digest, Some(digest(2)), "the tag decides, not the checkout");
    check(tag("churn@v9.0.0"), &repository, (Action::Skip, ReasonCode::WrongCheckout));
    let by_hand = Event::TagPush { tag: "churn@v9.0.0".to_owned(), after: Some(commit('a')) };
    let decision = check(by_hand, &repository, (Action::Deploy, ReasonCode::VersionTagPushed));
    assert_eq!(decision.items[0].digest, Some(digest(9)), "the bytes of the tagged commit");
    check(tag("churn#production#3"), &repository, (Action::Skip, ReasonCode::NotAVersionTag));
    check(tag("v1.0.0"), &repository, (Action::Skip, ReasonCode::NotAVersionTag));
    check(tag("fraud@v1.0.0"), &repository, (Action::Skip, ReasonCode::NotConfigured));
}

#[test]
fn a_person_rolls_back_to_the_previous_or_a_named_version() {
    let mut state = holding(release("v1.1.0", 2));
    let lonely = repository(2, vec![release("v1.1.0", 2)], state.clone());
    check(manual(Command::Rollback, None), &lonely, (Action::Skip, ReasonCode::NoPreviousVersion));
    state.previous = Some(release("v1.0.0", 1));
    let repository = repository(2, vec![release("v1.1.0", 2), release("v1.0.0", 1)], state);
    let decision =
        check(manual(Command::Rollback, None), &repository, (Action::Rollback, ReasonCode::Requested));
    assert_eq!(decision.items[0].version, Some(version("v1.0.0")));
    let current = manual(Command::Rollback, Some(version("v1.1.0")));
    check(current, &repository, (Action::Skip, ReasonCode::AlreadyDeployed));
    let unknown = manual(Command::Rollback, Some(version("v7.0.0")));
    check(unknown, &repository, (Action::Skip, ReasonCode::UnknownVersion));
}

#[test]
fn requests_for_unknown_names_say_what_there_is() {
    let repository = repository(1, vec![], EnvironmentState::default());
    let fraud = Request { model: Some(ModelName::new("fraud").unwrap()), ..Request::default() };
    let decision = check(Event::Manual(fraud), &repository, (Action::Skip, ReasonCode::UnknownModel));
    assert!(decision.sentence.contains("churn"));
    let qa = Request { environment: Some(Environment::new("qa").unwrap()), ..Request::default() };
    check(Event::Manual(qa), &repository, (Action::Skip, ReasonCode::UnknownEnvironment));
}

#[test]
fn a_model_without_environments_or_artifact_has_its_own_reason() {
    let mut repository = repository(1, vec![], EnvironmentState::default());
    repository.models.get_mut(&churn()).unwrap().environments.clear();
    check(push(), &repository, (Action::ValidateOnly, ReasonCode::NoEnvironment));
    let model = repository.models.get_mut(&churn()).unwrap();
    model.artifact = ArtifactState::Missing("models/churn does not exist".to_owned());
    check(push(), &repository, (Action::Skip, ReasonCode::ArtifactMissing));
    check(push(), &RepositoryState::default(), (Action::Skip, ReasonCode::NothingToDo));
}

fn locked() -> Lock {
    Lock {
        environment: Environment::new("production").unwrap(),
        locked: true,
        reason: "incident 12".to_owned(),
        by: Provenance { actor: "alice".to_owned(), run: None },
        since: "2026-11-24T12:00:00Z".parse().unwrap(),
    }
}

#[test]
fn a_locked_environment_takes_nothing_new_and_can_go_back() {
    let state = EnvironmentState {
        previous: Some(release("v1.0.0", 1)),
        lock: Some(locked()),
        ..holding(release("v1.1.0", 2))
    };
    let released = vec![release("v1.2.0", 3), release("v1.1.0", 2), release("v1.0.0", 1)];
    let repository = repository(4, released, state);
    let decision = check(push(), &repository, (Action::Skip, ReasonCode::EnvironmentLocked));
    for words in ["alice", "incident 12", "2026-11-24", "tagship unlock --environment production"] {
        assert!(decision.sentence.contains(words), "{words}: {}", decision.sentence);
    }
    let retry = manual(Command::Retry, Some(version("v1.2.0")));
    check(retry, &repository, (Action::Skip, ReasonCode::EnvironmentLocked));
    check(pull("opened", false), &repository, (Action::ValidateOnly, ReasonCode::PullRequest));
    check(manual(Command::Rollback, None), &repository, (Action::Rollback, ReasonCode::Requested));
    let forward = manual(Command::Rollback, Some(version("v1.2.0")));
    check(forward, &repository, (Action::Skip, ReasonCode::EnvironmentLocked));
}

#[test]
fn a_running_rollout_goes_on_in_a_locked_environment() {
    let running =
        Running { id: RolloutId("r".to_owned()), version: version("v1.1.0"), phase: Phase::Progressing };
    let state =
        EnvironmentState { running: Some(running), lock: Some(locked()), ..holding(release("v1.0.0", 1)) };
    let repository = repository(2, vec![release("v1.1.0", 2)], state);
    check(Event::Schedule, &repository, (Action::Tick, ReasonCode::RolloutRunning));
    check(manual(Command::Abort, None), &repository, (Action::Abort, ReasonCode::Requested));
}

#[test]
fn a_privileged_run_judges_nothing_that_is_only_proposed() {
    let repository = repository(2, vec![], holding(release("v1.0.0", 1)));
    let target = |from_fork| {
        Event::PullRequest(PullRequest {
            number: 7,
            activity: "opened".to_owned(),
            head: commit('b'),
            base: "main".to_owned(),
            merged: false,
            from_fork,
            privileged: true,
        })
    };
    let at = |head, event| {
        let trigger = Trigger { head: commit(head), ..trigger(event) };
        let decision = decide(&trigger, &repository);
        assert_eq!(decision.sha, commit('b'), "about the head, whatever is checked out");
        (decision.action, decision.reason_code)
    };
    for from_fork in [true, false] {
        let head = at('b', target(from_fork));
        assert_eq!(head, (Action::Skip, ReasonCode::UntrustedCheckout), "its configuration would count");
        let base = at('a', target(from_fork));
        assert_eq!(base, (Action::Skip, ReasonCode::PrivilegedRun), "the base's bytes are not the head's");
    }
}

#[test]
fn a_merge_queue_is_answered_about_the_commit_it_made_or_not_at_all() {
    let repository = repository(2, vec![], holding(release("v1.0.0", 1)));
    let group = |sha| Event::MergeGroup { sha: commit(sha), base: "main".to_owned() };
    check(group('a'), &repository, (Action::ValidateOnly, ReasonCode::MergeQueue));
    check(group('b'), &repository, (Action::Skip, ReasonCode::MergeNotCheckedOut));
}

#[test]
fn checks_and_deployments_count_only_when_they_succeeded_on_the_default_branch() {
    let repository = repository(1, vec![], EnvironmentState::default());
    let checks = |succeeded, branch: Option<&str>, sha| Event::Checks {
        checks: "lint".to_owned(),
        succeeded,
        sha: commit(sha),
        branch: branch.map(str::to_owned),
    };
    check(checks(true, Some("main"), 'a'), &repository, (Action::Deploy, ReasonCode::FirstDeployment));
    check(checks(false, Some("main"), 'a'), &repository, (Action::Skip, ReasonCode::ChecksFailed));
    check(checks(true, Some("feature"), 'a'), &repository, (Action::Skip, ReasonCode::NotDefaultBranch));
    check(checks(true, None, 'a'), &repository, (Action::Skip, ReasonCode::NotDefaultBranch));
    check(checks(true, Some("main"), 'b'), &repository, (Action::Skip, ReasonCode::WrongCheckout));
    let deployment = |succeeded, reference: &str| Event::Deployment {
        environment: "features".to_owned(),
        succeeded,
        sha: commit('a'),
        reference: reference.to_owned(),
    };
    check(deployment(true, "refs/heads/main"), &repository, (Action::Deploy, ReasonCode::FirstDeployment));
    check(deployment(false, "main"), &repository, (Action::Skip, ReasonCode::DeploymentFailed));
    check(deployment(true, "preview"), &repository, (Action::Skip, ReasonCode::NotDefaultBranch));
}

#[test]
fn what_is_published_elsewhere_deploys_the_version_it_names() {
    let repository = repository(9, vec![release("v1.1.0", 2)], holding(release("v1.0.0", 1)));
    let published = |tag: &str, at| Event::ReleasePublished { tag: tag.to_owned(), at };
    let decision = check(
        published("churn@v1.1.0", Some(commit('c'))),
        &repository,
        (Action::Deploy, ReasonCode::VersionPublished),
    );
    assert_eq!((decision.items[0].digest.clone(), decision.sha), (Some(digest(2)), commit('c')));
    check(published("v2.0", Some(commit('c'))), &repository, (Action::Skip, ReasonCode::NotAVersionTag));
    check(published("churn@v1.1.0", None), &repository, (Action::Skip, ReasonCode::WrongCheckout));
    let package = |name: &str, version: Option<&str>| Event::PackagePublished {
        package: name.to_owned(),
        version: version.map(str::to_owned),
    };
    let ours = (Action::Deploy, ReasonCode::VersionPublished);
    check(package("models/churn", Some("1.1.0")), &repository, ours);
    check(package("churn", Some("v9.0.0")), &repository, (Action::Skip, ReasonCode::NotRegistered));
    check(package("churn", None), &repository, (Action::Skip, ReasonCode::NotRegistered));
    check(package("website", Some("1.1.0")), &repository, (Action::Skip, ReasonCode::NotConfigured));
}

#[test]
fn a_model_registry_is_believed_only_about_bytes_that_are_here() {
    let repository = repository(9, vec![release("v1.1.0", 2)], holding(release("v1.0.0", 1)));
    let created = |model: &str, version: &str, digest| {
        Event::ModelVersion(ModelVersion {
            model: ModelName::new(model).unwrap(),
            version: version.to_owned(),
            digest,
            uri: Some("registry:/churn/7".to_owned()),
            environment: None,
        })
    };
    let ours = (Action::Deploy, ReasonCode::ModelVersionCreated);
    check(created("churn", "v1.1.0", None), &repository, ours);
    let decision = check(created("churn", "7", Some(digest(2))), &repository, ours);
    assert_eq!(decision.items[0].version, Some(version("v1.1.0")), "found by its bytes");
    let decision = check(created("churn", "8", Some(digest(9))), &repository, ours);
    assert_eq!(decision.items[0].version, None, "the checkout's bytes, to be released");
    let other = created("churn", "v1.1.0", Some(digest(5)));
    check(other, &repository, (Action::Skip, ReasonCode::DigestMismatch));
    let decision =
        check(created("churn", "7", None), &repository, (Action::Skip, ReasonCode::UnknownVersion));
    assert!(decision.sentence.contains("registry:/churn/7"), "{}", decision.sentence);
    check(created("fraud", "v1.1.0", None), &repository, (Action::Skip, ReasonCode::UnknownModel));
}

#[test]
fn stagings_version_goes_to_production_without_a_new_release() {
    let mut repository = repository(9, vec![release("v1.1.0", 2)], holding(release("v1.0.0", 1)));
    let environments = &mut repository.models.get_mut(&churn()).unwrap().environments;
    let staging = Environment::new("staging").unwrap();
    environments.insert(staging.clone(), holding(release("v1.1.0", 2)));
    environments.insert(Environment::new("empty").unwrap(), EnvironmentState::default());
    let from = |from: &str, to: Option<&str>| {
        Event::Manual(Request {
            from: Some(Environment::new(from).unwrap()),
            environment: to.map(|to| Environment::new(to).unwrap()),
            command: Some(Command::Deploy),
            ..Request::default()
        })
    };
    let decision = check(
        from("staging", Some("production")),
        &repository,
        (Action::Deploy, ReasonCode::ReleasedNotDeployed),
    );
    assert_eq!(decision.items[0].version, Some(version("v1.1.0")));
    let everywhere =
        check(from("staging", None), &repository, (Action::Deploy, ReasonCode::ReleasedNotDeployed));
    assert!(everywhere.items.iter().all(|item| item.environment.as_ref() != Some(&staging)));
    check(from("empty", Some("production")), &repository, (Action::Skip, ReasonCode::NothingToPromote));
    check(from("qa", Some("production")), &repository, (Action::Skip, ReasonCode::UnknownEnvironment));
}

#[test]
fn an_earlier_run_asks_for_the_next_stage_or_the_next_tick() {
    let running =
        Running { id: RolloutId("r".to_owned()), version: version("v1.1.0"), phase: Phase::Progressing };
    let state = EnvironmentState { running: Some(running), ..holding(release("v1.0.0", 1)) };
    let released = vec![release("v1.2.0", 3), release("v1.1.0", 2)];
    let repository = repository(9, released, state);
    let next = |environment: &str, version| {
        let environment = Some(Environment::new(environment).unwrap());
        Event::Continue(Continuation { model: Some(churn()), environment, version })
    };
    check(next("production", None), &repository, (Action::Tick, ReasonCode::RolloutRunning));
    check(next("staging", None), &repository, (Action::Skip, ReasonCode::NothingToDo));
    let stage = next("production", Some(version("v1.2.0")));
    check(stage, &repository, (Action::Deploy, ReasonCode::ReleasedNotDeployed));
}

#[test]
fn what_asks_for_nothing_is_skipped_with_its_reason() {
    let repository = repository(1, vec![], EnvironmentState::default());
    let edited = Event::Irrelevant { kind: "issue_comment".to_owned(), why: "it was edited".to_owned() };
    let decision = check(edited, &repository, (Action::Skip, ReasonCode::EventIgnored));
    assert_eq!(decision.sentence, "it was edited");
}

proptest! {
    /// Whatever the tag is called and whatever bytes are where, blocked bytes are never deployed by a push.
    #[test]
    fn a_push_never_deploys_blocked_or_held_bytes(byte in 0_u8..4, held in 0_u8..4, bad in 0_u8..4, tag in ".{0,30}") {
        let blocked = Blocked { digest: digest(bad), version: version("v0.9.0"), phase: Phase::Failed };
        let state = EnvironmentState { blocked: vec![blocked], ..holding(release("v1.0.0", held)) };
        let repository = repository(byte, vec![], state);
        let decision = decide(&trigger(push()), &repository);
        prop_assert_eq!(decision.action == Action::Deploy, byte != bad && byte != held);
        let tagged = decide(&trigger(Event::TagPush { tag, after: Some(commit('b')) }), &repository);
        prop_assert_eq!(tagged.action, Action::Skip);
    }
}

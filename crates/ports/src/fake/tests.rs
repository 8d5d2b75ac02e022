//! The fakes keep the contracts that they stand in for.

use std::{path::PathBuf, sync::Arc};

use tagship_domain::{
    CommitId, Digest, Duration, Timestamp, Version,
    golden::{Case, GoldenCases, Tensor, Tolerance},
    incident::{Finding, IncidentChange, IncidentNotice, Standing},
    notice::{Notice, NoticeKind},
    rollout::{Phase, Reason, RolloutId},
    schema,
    slo::Severity,
};

use super::*;
use crate::{
    Alerter as _, ModelRegistry as _, PortError, Problem, StateStore, Target,
    conformance::{self, Loadable, RepoFixture, RunnerFixture, ValueFixture},
    conversation::{Access, PullRequest, Reaction},
    model_runner::{GoldenBounds, Subject},
    state_store::{Files, NewEntry},
};

fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn commit() -> CommitId {
    "c".repeat(40).parse().unwrap()
}

/// The digests of the suite's contents; no hashing is needed to tell them apart.
fn known_digest(bytes: &[u8]) -> Digest {
    let hex = match bytes {
        b"abc" => "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        b"" => "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        _ => return Digest::from_bytes([0; 32]),
    };
    format!("sha256:{hex}").parse().unwrap()
}

#[tokio::test]
async fn journals() {
    conformance::state_store(&FakeStateStore::default()).await;
    let store = FakeStateStore::default();
    conformance::shortened_journals(&store, &store).await;
    let store = FakeStateStore::default();
    conformance::racing_appends(&store, &store).await;
}

#[tokio::test]
async fn files() {
    let scratch = tempfile::tempdir().unwrap();
    conformance::artifact_store(&FakeArtifactStore::new(known_digest), scratch.path()).await;
}

#[tokio::test]
async fn damaged_files_are_not_handed_out() {
    let store = FakeArtifactStore::new(known_digest);
    let digest = store.hold(b"abc");
    store.damage(&digest, b"abd");
    let error = crate::ArtifactStore::get_bytes(&store, &digest, 10).await.unwrap_err();
    assert_eq!(error.problem, Problem::Invalid);
}

#[tokio::test]
async fn time() {
    conformance::clock(&FakeClock::at(noon())).await;
}

#[tokio::test]
async fn traffic() {
    let version = |text: &str, byte| Loadable {
        version: text.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        bytes: PathBuf::from("unused"),
    };
    let (clock, model) = (FakeClock::at(noon()), "churn".parse().unwrap());
    let (one, two) = (version("v1.0.0", 1), version("v1.1.0", 2));
    conformance::target(&FakeTarget::default(), &clock, &model, &one, &two).await;
}

#[tokio::test]
async fn notices() {
    let notice = Notice {
        kind: NoticeKind::Start,
        model: "churn".parse().unwrap(),
        environment: "production".parse().unwrap(),
        candidate: "v1.1.0".parse().unwrap(),
        stable: None,
        rollout: RolloutId("production-v1.1.0-1".to_owned()),
        phase: Phase::Progressing,
        reason: Reason::Started,
        at: noon(),
        sentence: "v1.1.0 begins".to_owned(),
        advice: None,
        run: None,
        actor: "ada".to_owned(),
    };
    let notifier = FakeNotifier::default();
    let sent = || notifier.sent().iter().map(|notice| schema::to_json_line(notice).unwrap()).collect();
    conformance::notifier(&notifier, &notice, sent).await;
}

#[tokio::test]
async fn metrics_that_are_left() {
    let sink = FakeMetricSink::default();
    conformance::metric_sink(&sink, || sink.pages()).await;
}

#[tokio::test]
async fn incidents() {
    let alerter = FakeAlerter::default();
    let told = || alerter.told().iter().map(|notice| schema::to_json_line(notice).unwrap()).collect();
    conformance::alerter(&alerter, &incident(), told).await;
    assert_eq!(alerter.open(), ["churn/production/slo/errors"]);
    let over = IncidentNotice { change: IncidentChange::Resolved, ..incident() };
    alerter.faults.fail("alert", Problem::Unreachable, 1);
    assert_eq!(alerter.alert(&over).await.unwrap_err().problem, Problem::Unreachable);
    assert_eq!(alerter.open().len(), 1, "nobody has heard of it");
    alerter.alert(&over).await.unwrap();
    assert_eq!((alerter.open().len(), alerter.told().len()), (0, 6));
}

fn incident() -> IncidentNotice {
    IncidentNotice {
        change: IncidentChange::Opened,
        model: "churn".parse().unwrap(),
        environment: "production".parse().unwrap(),
        version: Some("v1.1.0".parse().unwrap()),
        topic: "slo/errors".to_owned(),
        fingerprint: "churn/production/slo/errors".to_owned(),
        opened: noon(),
        at: noon(),
        finding: Finding {
            topic: "slo/errors".to_owned(),
            standing: Standing::Bad,
            severity: Severity::Page,
            is_regression: true,
            value: Some(20.5),
            limit: None,
            threshold: "99.5% of the requests good".to_owned(),
            window: "1h and longer".to_owned(),
            sentence: "errors: 20.5 times the pace".to_owned(),
        },
        runbook: Some("https://wiki.example/churn".to_owned()),
        command: "tagship rollback --model churn --environment production".to_owned(),
        run: Some("https://forge.example/runs/1".to_owned()),
    }
}

#[tokio::test]
async fn comments_and_deployments() {
    conformance::forge(&FakeForge::default(), &commit()).await;
}

#[tokio::test]
async fn people_and_marks() {
    let talk = FakeConversation::default();
    let pull_request = PullRequest { number: 7, head: commit(), from_fork: false, open: true };
    talk.add(pull_request.clone());
    talk.grant("ada", Access::Write);
    conformance::conversation(&talk, &pull_request, 1, "ada").await;
    assert_eq!(talk.reactions(), [(1, Reaction::Seen), (1, Reaction::Done)]);
    conformance::commit_marks(&FakeCommitMarks::default(), &commit()).await;
    conformance::issue_tracker(&FakeIssueTracker::default()).await;
    conformance::dispatcher(&FakeDispatcher::default()).await;
}

#[tokio::test]
async fn assignments() {
    conformance::stage_registry(&FakeStageRegistry::default(), &commit()).await;
}

#[tokio::test]
async fn commits_and_tags() {
    let repo = FakeRepo::new("main");
    let first = repo.add_commit(&[], noon()).unwrap();
    let head = repo.add_commit(&[("models/churn.onnx", b"bytes")], noon()).unwrap();
    let fixture = RepoFixture {
        first: first.clone(),
        head,
        branch: "main".to_owned(),
        path: "models/churn.onnx".to_owned(),
        content: b"bytes".to_vec(),
    };
    conformance::repo(&repo, &fixture).await;
    conformance::racing_tags(&repo, &repo, &first).await;
}

#[tokio::test]
async fn golden_cases() {
    let runner = FakeModelRunner::default();
    let subject = Subject::Endpoint { model: "churn".parse().unwrap(), version: "v1.0.0".parse().unwrap() };
    runner.teach(subject.clone(), Arc::new(|inputs: &[Tensor]| Ok(inputs.to_vec())));
    let tensor = |value: f64| Tensor {
        name: "x".to_owned(),
        datatype: "FP32".to_owned(),
        shape: vec![1],
        data: vec![value.into()],
    };
    let case = |name: &str, value| Case {
        name: name.to_owned(),
        inputs: vec![tensor(value)],
        expected: vec![tensor(value)],
    };
    let fixture = RunnerFixture {
        subject,
        cases: GoldenCases { cases: vec![case("one", 1.0), case("two", 2.0)] },
        bounds: GoldenBounds { tolerance: Tolerance { absolute: 1e-6, relative: 0.0 }, max_latency: None },
        absent: Subject::File(PathBuf::from("nowhere.onnx")),
    };
    conformance::model_runner(&runner, &fixture).await;
}

#[tokio::test]
async fn values() {
    let source = FakeValueSource::default();
    let [known, unknown]: [Version; 2] = ["v1.1.0", "v9.0.0"].map(|version| version.parse().unwrap());
    source.answer(&known, noon(), serde_json::json!(0.5));
    source.answer(&known, noon().after(Duration::from_secs(60)), serde_json::json!(0.25));
    let fixture = ValueFixture {
        known,
        unknown,
        from: noon(),
        to: noon().after(Duration::from_secs(60)),
        newest: 0.25,
    };
    conformance::value_source(&source, &fixture).await;
}

#[tokio::test]
async fn faults_come_before_or_after_the_act() {
    let store = FakeStateStore::default();
    let entry = NewEntry { message: "m".to_owned(), files: Files::new(), at: noon() };
    store.faults.fail("append", Problem::Unreachable, 1);
    store.append("j", None, &entry).await.unwrap_err();
    assert_eq!(store.tip("j").await.unwrap(), None, "nothing happened");
    store.faults.lose_answer("append");
    store.append("j", None, &entry).await.unwrap_err();
    assert!(store.tip("j").await.unwrap().is_some(), "it happened, the answer was lost");

    let target = FakeTarget::default();
    target.faults.always("observe", Problem::Denied);
    let model = "churn".parse().unwrap();
    let denied = |answer: Result<_, PortError>| answer.is_err_and(|error| error.problem == Problem::Denied);
    assert!(denied(target.observe(&model).await) && denied(target.observe(&model).await));
    target.faults.recover("observe");
    assert!(target.observe(&model).await.is_ok());
    assert_eq!(target.faults.calls("observe"), 3);
}

#[tokio::test]
async fn model_registries() {
    let registry = FakeModelRegistry::default();
    registry.register(b"abc", known_digest(b"abc"));
    registry.register(b"abcd", known_digest(b"abcd"));
    let scratch = tempfile::tempdir().unwrap();
    conformance::model_registry(&registry, scratch.path()).await;
    registry.faults.fail("versions", Problem::Unreachable, 1);
    assert!(registry.versions(0).await.is_err(), "a test can have it fail");
}

//! The journal of a rollout that is looked at a thousand times, each time by another run.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp,
    analysis::{Analysis, Metric, MetricKind},
    plan::{RolloutPlan, Smoke, Step, Strategy},
    rollout::{Kind, Phase},
    traffic::Weight,
};
use tagship_git::GitRepo;
use tagship_ports::{
    StateStore,
    fake::{
        FakeClock, FakeDispatcher, FakeForge, FakeModelRunner, FakePublisher, FakeReleases,
        FakeStageRegistry, FakeTarget, Load,
    },
};
use tagship_rollout::{Begin, Driver, Never, Nobody, Told, World, journal_name, state_of};
use tagship_testkit::Repository;

/// Looks of the rollout.
const LOOKS: u64 = 1_000;
/// Seconds between two of them.
const INTERVAL: u64 = 60;
/// The most bytes that a journal of so many looks may take where it is kept.
const MOST: usize = 1_000_000;

fn release(version: &str, byte: u8) -> Release {
    Release {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte + 1; 32]),
        commit: format!("{byte:02x}").repeat(20).parse().unwrap(),
    }
}

/// A tenth of the traffic for as long as the looks take, judged by errors and accuracy.
fn plan() -> RolloutPlan {
    let metrics = vec![
        Metric::with_defaults("errors", MetricKind::ErrorRatio),
        Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy),
    ];
    let analysis = Analysis {
        interval: Duration::from_secs(INTERVAL),
        max_wait: Duration::from_secs(60),
        metrics,
        kayenta: None,
    };
    let share = Weight::percent(10).unwrap();
    let length = Duration::from_secs(INTERVAL * (LOOKS + 10));
    let steps = vec![Step::SetWeight(share), Step::Pause(Some(length))];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        analysis: Some(analysis),
        ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600))
    }
}

/// A rollout that was looked at so often, in a repository of its own.
async fn looked_at(repository: &Repository, looks: u64) -> (GitRepo, String) {
    let (stable, candidate) = (release("v1.0.0", 1), release("v1.1.0", 3));
    let (model, environment) = (candidate.model.clone(), "production".parse().unwrap());
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let journals = GitRepo::discover(repository.path()).unwrap();
    let (clock, target, releases) = (FakeClock::at(noon), FakeTarget::default(), FakeReleases::default());
    let (runner, registry) = (FakeModelRunner::default(), FakeStageRegistry::default());
    let (forge, dispatcher) = (FakeForge::default(), FakeDispatcher::default());
    let (publisher, sources) = (FakePublisher::default(), BTreeMap::new());
    target.serve(&model, &stable.version, &stable.digest);
    let quality = [(stable.version.clone(), (10, 1000)), (candidate.version.clone(), (10, 1000))];
    target.load(&model, Load { requests: 3_000, quality: quality.into() });
    releases.add(&candidate, None);
    let world = || World {
        journals: &journals,
        releases: &releases,
        target: &target,
        runner: &runner,
        registry: &registry,
        forge: &forge,
        dispatcher: &dispatcher,
        publisher: &publisher,
        metrics: None,
        sources: &sources,
        spectator: &Nobody,
        clock: &clock,
    };
    let driver = || Driver::new(world(), &environment, &model, Path::new("unused"), &Never);
    let (plan, by) = (plan(), Provenance { actor: "alice".to_owned(), run: None });
    let (kind, candidate, stable) = (Kind::Deploy, &candidate, Some(&stable));
    let begin = Begin { kind, candidate, stable, after: None, plan: &plan, by: &by, fired: None };
    driver().begin(&begin).await.unwrap();
    for _ in 0..looks + 2 {
        driver().once(Told::default()).await.unwrap();
        clock.advance(Duration::from_secs(INTERVAL));
    }
    let journal = journal_name(&environment, &model);
    (journals, journal)
}

/// Bytes of everything that a ref leads to, as a host keeps it and as it travels.
fn packed(repository: &Repository, reference: &str) -> usize {
    repository.git(&["repack", "-adq", "--window=50"]);
    let ids = repository.git(&["rev-list", "--objects", "--disk-usage", reference]);
    ids.trim().parse().unwrap()
}

#[tokio::test]
async fn the_journal_of_a_thousand_looks_stays_small() {
    let repository = Repository::new();
    repository.commit("First");
    let (journals, journal) = looked_at(&repository, LOOKS).await;
    let entries = journals.history(&journal, 2_000).await.unwrap();
    let state = state_of(&entries[0]).unwrap();
    assert_eq!(state.phase, Phase::Progressing, "{}", state.message);
    let looks = state.judges["errors"].looks.measured;
    assert!(looks >= 1_000 && entries.len() >= 1_000, "{looks} looks in {} entries", entries.len());
    let bytes = packed(&repository, "refs/tagship/rollouts/production/churn");
    println!("{} entries with {looks} looks take {bytes} bytes", entries.len());
    assert!(bytes <= MOST, "{bytes} bytes");
}

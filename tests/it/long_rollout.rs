//! The journal of a rollout that is looked at a thousand times, each time by another run.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp,
    analysis::{Analysis, Judge, Metric, MetricKind},
    kayenta::{KayentaMetric, KayentaScore, SCORE},
    plan::{RolloutPlan, Smoke, Step, Strategy},
    rollout::{Kind, Phase},
    traffic::Weight,
};
use tagship_git::GitRepo;
use tagship_ports::{
    OwnSource, StateStore,
    fake::{
        FakeClock, FakeDispatcher, FakeForge, FakeModelRunner, FakePublisher, FakeReleases,
        FakeStageRegistry, FakeTarget, FakeValueSource, Load,
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

/// Judged by errors and accuracy.
fn counted() -> Analysis {
    Analysis {
        interval: Duration::from_secs(INTERVAL),
        max_wait: Duration::from_secs(60),
        metrics: vec![
            Metric::with_defaults("errors", MetricKind::ErrorRatio),
            Metric::with_defaults("accuracy", MetricKind::LabelledAccuracy),
        ],
        kayenta: None,
    }
}

/// Judged by errors, and once by as many values as a journal keeps.
fn collected() -> Analysis {
    let kayenta = KayentaMetric { groups: vec!["all".to_owned()], ..KayentaMetric::default() };
    let p99 = Metric {
        judge: Judge::Kayenta,
        own_source: true,
        kayenta: Some(kayenta),
        ..Metric::with_defaults("p99", MetricKind::Value)
    };
    let lifetime = Duration::from_secs(INTERVAL * (KayentaMetric::MOST_SAMPLES - 1));
    let score = KayentaScore { lifetime, group_weights: BTreeMap::new(), pass: 75.0, marginal: 50.0 };
    let metrics = vec![Metric::with_defaults("errors", MetricKind::ErrorRatio), p99];
    Analysis { metrics, kayenta: Some(score), ..counted() }
}

/// A tenth of the traffic for as long as the looks take.
fn plan(analysis: Analysis) -> RolloutPlan {
    let share = Weight::percent(10).unwrap();
    let length = Duration::from_secs(INTERVAL * (LOOKS + 10));
    let steps = vec![Step::SetWeight(share), Step::Pause(Some(length))];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        analysis: Some(analysis),
        ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600))
    }
}

/// What is measured of both versions at any second of the looks: values that do not repeat soon.
fn sources(stable: &Release, candidate: &Release, noon: Timestamp) -> BTreeMap<String, OwnSource> {
    let source = FakeValueSource::default();
    for at in 0..=(LOOKS + 10) * INTERVAL / 30 {
        for (release, factor) in [(stable, 7_919), (candidate, 6_271)] {
            let value = u32::try_from(at * factor % 99_991).unwrap();
            let at = noon.after(Duration::from_secs(at * 30));
            source.answer(&release.version, at, (0.2 + f64::from(value) / 1e6).into());
        }
    }
    [("p99".to_owned(), OwnSource::Value(Box::new(source)))].into()
}

/// A rollout that was looked at so often, in a repository of its own.
async fn looked_at(repository: &Repository, looks: u64, analysis: Analysis) -> (GitRepo, String) {
    let (stable, candidate) = (release("v1.0.0", 1), release("v1.1.0", 3));
    let (model, environment) = (candidate.model.clone(), "production".parse().unwrap());
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let journals = GitRepo::discover(repository.path()).unwrap();
    let (clock, target, releases) = (FakeClock::at(noon), FakeTarget::default(), FakeReleases::default());
    let (runner, registry) = (FakeModelRunner::default(), FakeStageRegistry::default());
    let (forge, dispatcher) = (FakeForge::default(), FakeDispatcher::default());
    let (publisher, sources) = (FakePublisher::default(), sources(&stable, &candidate, noon));
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
    let (plan, by) = (plan(analysis), Provenance { actor: "alice".to_owned(), run: None });
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
    let (journals, journal) = looked_at(&repository, LOOKS, counted()).await;
    let entries = journals.history(&journal, 2_000).await.unwrap();
    let state = state_of(&entries[0]).unwrap();
    assert_eq!(state.phase, Phase::Progressing, "{}", state.message);
    let looks = state.judges["errors"].looks.measured;
    assert!(looks >= 1_000 && entries.len() >= 1_000, "{looks} looks in {} entries", entries.len());
    let bytes = packed(&repository, "refs/tagship/rollouts/production/churn");
    println!("{} entries with {looks} looks take {bytes} bytes", entries.len());
    assert!(bytes <= MOST, "{bytes} bytes");
}

#[tokio::test]
async fn values_that_are_compared_once_do_not_swell_the_journal() {
    let repository = Repository::new();
    repository.commit("First");
    let (journals, journal) = looked_at(&repository, LOOKS, collected()).await;
    let entries = journals.history(&journal, 2_000).await.unwrap();
    let state = state_of(&entries[0]).unwrap();
    let looks = state.judges["errors"].looks.measured;
    assert!(looks >= 1_000 && entries.len() >= 1_000, "{looks} looks in {} entries", entries.len());
    assert_eq!(state.judges["p99"].n, KayentaMetric::MOST_SAMPLES, "{}", state.judges["p99"].message);
    assert!(state.judges.contains_key(SCORE), "{}", state.message);
    let bytes = packed(&repository, "refs/tagship/rollouts/production/churn");
    println!("{} entries with {looks} looks take {bytes} bytes", entries.len());
    assert!(bytes <= MOST, "{bytes} bytes");
}

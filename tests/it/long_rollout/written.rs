//! Journals that the real engine writes against a target of its own making, faster than any clock.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Digest, Duration, Provenance, Release, Timestamp,
    analysis::{Analysis, Judge, Metric, MetricKind},
    kayenta::{KayentaMetric, KayentaScore},
    plan::{RolloutPlan, Smoke, Step, Strategy},
    rollout::Kind,
    traffic::Weight,
};
use tagship_git::GitRepo;
use tagship_ports::{
    OwnSource,
    fake::{
        FakeClock, FakeDispatcher, FakeForge, FakeModelRunner, FakePublisher, FakeReleases,
        FakeStageRegistry, FakeTarget, FakeValueSource, Load,
    },
};
use tagship_rollout::{Begin, Driver, Never, Nobody, Told, World};

/// Seconds between two looks.
const INTERVAL: u64 = 60;
/// Looks that bring a rollout to its first step.
const FIRST: u64 = 4;

fn release(version: &str, byte: u8) -> Release {
    Release {
        model: "churn".parse().unwrap(),
        version: version.parse().unwrap(),
        digest: Digest::from_bytes([byte; 32]),
        manifest: Digest::from_bytes([byte + 1; 32]),
        commit: format!("{byte:02x}").repeat(20).parse().unwrap(),
    }
}

/// A tenth of the traffic for as long as it says, or until a person says more.
fn plan(pause: Option<Duration>, analysis: Option<Analysis>) -> RolloutPlan {
    let steps = vec![Step::SetWeight(Weight::percent(10).unwrap()), Step::Pause(pause)];
    RolloutPlan {
        strategy: Strategy::Canary { steps },
        analysis,
        ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600))
    }
}

/// Judged by errors and accuracy.
pub(crate) fn counted() -> Analysis {
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
#[allow(dead_code, reason = "one of those that share this file needs it")]
pub(crate) fn collected() -> Analysis {
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

/// What is measured of both versions at any second of the looks: values that do not repeat soon.
fn sources(
    stable: &Release,
    candidate: &Release,
    noon: Timestamp,
    looks: u64,
) -> BTreeMap<String, OwnSource> {
    let source = FakeValueSource::default();
    for at in 0..=(looks + 10) * INTERVAL / 30 {
        for (release, factor) in [(stable, 7_919), (candidate, 6_271)] {
            let value = u32::try_from(at * factor % 99_991).unwrap();
            let at = noon.after(Duration::from_secs(at * 30));
            source.answer(&release.version, at, (0.2 + f64::from(value) / 1e6).into());
        }
    }
    [("p99".to_owned(), OwnSource::Value(Box::new(source)))].into()
}

/// A rollout of `churn` to production that has been judged so often, and is held on.
pub(crate) async fn looked_at(journals: &GitRepo, looks: u64, analysis: Analysis) {
    let length = Duration::from_secs(INTERVAL * (looks + 10));
    led(journals, &plan(Some(length), Some(analysis)), looks + 2).await;
}

/// A rollout of `churn` to production that waits for a person.
#[allow(dead_code, reason = "one of those that share this file needs it")]
pub(crate) async fn waiting(journals: &GitRepo) {
    led(journals, &plan(None, None), FIRST).await;
}

async fn led(journals: &GitRepo, plan: &RolloutPlan, looks: u64) {
    let (stable, candidate) = (release("v1.0.0", 1), release("v1.1.0", 3));
    let (model, environment) = (candidate.model.clone(), "production".parse().unwrap());
    let noon: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
    let (clock, target, releases) = (FakeClock::at(noon), FakeTarget::default(), FakeReleases::default());
    let (runner, registry) = (FakeModelRunner::default(), FakeStageRegistry::default());
    let (forge, dispatcher) = (FakeForge::default(), FakeDispatcher::default());
    let (publisher, sources) = (FakePublisher::default(), sources(&stable, &candidate, noon, looks));
    target.serve(&model, &stable.version, &stable.digest);
    let quality = [(stable.version.clone(), (10, 1000)), (candidate.version.clone(), (10, 1000))];
    target.load(&model, Load { requests: 3_000, quality: quality.into() });
    releases.add(&candidate, None);
    let world = || World {
        journals,
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
    let by = Provenance { actor: "alice".to_owned(), run: None };
    let (kind, candidate, stable) = (Kind::Deploy, &candidate, Some(&stable));
    let begin = Begin { kind, candidate, stable, after: None, plan, by: &by, fired: None };
    driver().begin(&begin).await.unwrap();
    for _ in 0..looks {
        driver().once(Told::default()).await.unwrap();
        clock.advance(Duration::from_secs(INTERVAL));
    }
}

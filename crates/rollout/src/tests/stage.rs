//! A world of fakes with a story to play in it, and what is left of it at the end.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tagship_domain::{
    Environment, ModelName, Release, Version,
    golden::{Case, GoldenCases, Tensor},
    plan::RolloutPlan,
    rollout::{DeploymentState, Kind, PersonCommand, Phase, Reason, RolloutId, RolloutState},
};
use tagship_ports::{
    Problem, StageRegistry, StateStore, Target,
    fake::{
        FakeClock, FakeForge, FakeModelRunner, FakePublisher, FakeReleases, FakeStageRegistry,
        FakeStateStore, FakeTarget, Published,
    },
    model_runner::Subject,
    stage_registry::StageChange,
};

use super::sample::{abort, by, noon, plan, release};
use crate::{Begin, Boundary, Driver, Interruption, RolloutError, Tick, World, state_of};

/// A world of fakes in which v1.0.0 serves.
pub(crate) struct Stage {
    pub(crate) journals: FakeStateStore,
    pub(crate) releases: FakeReleases,
    pub(crate) target: FakeTarget,
    pub(crate) runner: FakeModelRunner,
    pub(crate) registry: FakeStageRegistry,
    pub(crate) forge: FakeForge,
    pub(crate) publisher: FakePublisher,
    pub(crate) clock: FakeClock,
    pub(crate) environment: Environment,
    pub(crate) model: ModelName,
    pub(crate) stable: Option<Release>,
}

/// A story: how the world behaves, and what people do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Story {
    Deploys,
    DeploysFirst,
    RollsBack,
    FailsItsGoldenCases,
    IsRefusedByTheTarget,
    IsRefusedByTheRegistry,
    FirstIsRefusedByTheTarget,
    IsAborted,
    GetsStuck,
}

/// Everything that is left when a story is over, without times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) phase: Phase,
    pub(crate) reason: Reason,
    pub(crate) message: String,
    pub(crate) weights: Vec<String>,
    pub(crate) traffic: Vec<String>,
    pub(crate) holds: Option<Version>,
    pub(crate) records: Vec<String>,
    pub(crate) deployments: Vec<(RolloutId, DeploymentState)>,
    pub(crate) shown: Option<(Phase, String, Vec<Phase>)>,
    pub(crate) journal: usize,
}

impl End {
    /// Without entries about tries that were counted: how many there are depends on when runs begin and end.
    pub(crate) fn lasting(mut self) -> Self {
        if let Some((_, _, timeline)) = &mut self.shown {
            timeline.dedup();
        }
        Self { journal: 0, ..self }
    }
}

impl Story {
    pub(crate) const ALL: [Self; 9] = [
        Self::Deploys,
        Self::DeploysFirst,
        Self::RollsBack,
        Self::FailsItsGoldenCases,
        Self::IsRefusedByTheTarget,
        Self::IsRefusedByTheRegistry,
        Self::FirstIsRefusedByTheTarget,
        Self::IsAborted,
        Self::GetsStuck,
    ];

    /// The world in which it plays, with the rollout begun.
    pub(crate) async fn stage(self) -> Stage {
        let stage = Stage::new(!matches!(self, Self::DeploysFirst | Self::FirstIsRefusedByTheTarget)).await;
        match self {
            Self::Deploys | Self::DeploysFirst | Self::RollsBack => {}
            Self::FailsItsGoldenCases => stage.teach("v1.1.0", 2.0),
            Self::IsRefusedByTheTarget | Self::FirstIsRefusedByTheTarget => {
                stage.target.faults.always("promote", Problem::Denied);
            }
            Self::IsRefusedByTheRegistry => stage.registry.refuse_writes(),
            Self::IsAborted => stage.target.faults.always("promote", Problem::Unreachable),
            Self::GetsStuck => {
                stage.target.faults.always("promote", Problem::Denied);
                stage.target.faults.always("rollback", Problem::Unsupported);
            }
        }
        stage
    }

    fn kind(self) -> Kind {
        if self == Self::RollsBack { Kind::Rollback } else { Kind::Deploy }
    }

    /// What people ask for, once the rollout is under way.
    pub(crate) fn commands(self, state: &RolloutState) -> Vec<PersonCommand> {
        let aborts = self == Self::IsAborted && state.phase == Phase::Promoting;
        aborts.then(abort).into_iter().collect()
    }

    /// Begins the rollout, where nobody has.
    pub(crate) async fn begin(self, stage: &Stage, driver: &mut Driver<'_>) -> Result<(), RolloutError> {
        if stage.recorded().await.is_some() {
            return Ok(());
        }
        stage.begin(driver, self.kind(), &plan()).await.map(|_| ())
    }

    /// Plays it in one run until it has settled.
    pub(crate) async fn play(self, stage: &Stage, stops: &dyn Interruption) -> Result<Tick, RolloutError> {
        let mut driver = stage.driver(stops);
        self.begin(stage, &mut driver).await?;
        for _ in 0..20 {
            let state = stage.recorded().await.expect("it has begun");
            match driver.once(&self.commands(&state)).await? {
                Tick::Waiting(_) => {}
                end => return Ok(end),
            }
        }
        panic!("{self:?} does not settle: {:?}", stage.recorded().await)
    }
}

impl Stage {
    async fn new(serving: bool) -> Self {
        let stage = Self {
            journals: FakeStateStore::default(),
            releases: FakeReleases::default(),
            target: FakeTarget::default(),
            runner: FakeModelRunner::default(),
            registry: FakeStageRegistry::default(),
            forge: FakeForge::default(),
            publisher: FakePublisher::default(),
            clock: FakeClock::at(noon()),
            environment: "production".parse().unwrap(),
            model: "churn".parse().unwrap(),
            stable: serving.then(|| release("v1.0.0")),
        };
        stage.teach("v1.1.0", 1.0);
        stage.releases.add(&release("v1.1.0"), Some(cases()));
        if let Some(stable) = &stage.stable {
            stage.target.serve(&stage.model, &stable.version, &stable.digest);
            let change = StageChange {
                model: stage.model.clone(),
                version: stable.version.clone(),
                commit: stable.commit.clone(),
                environment: stage.environment.clone(),
                rollout: RolloutId("production-v1.0.0-0".to_owned()),
                fence: 0,
                reason: "before the story".to_owned(),
                by: by("alice"),
                at: noon(),
            };
            stage.registry.assign(&change).await.unwrap();
        }
        stage
    }

    /// The endpoint of a version answers every golden case with this value; they expect 1.
    pub(crate) fn teach(&self, version: &str, answer: f64) {
        let subject = Subject::Endpoint { model: self.model.clone(), version: version.parse().unwrap() };
        self.runner.teach(subject, Arc::new(move |_| Ok(vec![tensor(answer)])));
    }

    pub(crate) fn world(&self) -> World<'_> {
        World {
            journals: &self.journals,
            releases: &self.releases,
            target: &self.target,
            runner: &self.runner,
            registry: &self.registry,
            forge: &self.forge,
            publisher: &self.publisher,
            clock: &self.clock,
        }
    }

    pub(crate) fn driver<'a>(&'a self, stops: &'a dyn Interruption) -> Driver<'a> {
        Driver::new(self.world(), &self.environment, &self.model, Path::new("unused"), stops)
    }

    pub(crate) async fn begin(
        &self,
        driver: &mut Driver<'_>,
        kind: Kind,
        plan: &RolloutPlan,
    ) -> Result<RolloutState, RolloutError> {
        let candidate = release("v1.1.0");
        let stable = self.stable.as_ref();
        driver.begin(&Begin { kind, candidate: &candidate, stable, plan, by: &by("alice") }).await
    }

    /// The newest state in the journal.
    pub(crate) async fn recorded(&self) -> Option<RolloutState> {
        let tip = self.journals.tip("rollouts/production/churn").await.unwrap();
        tip.map(|entry| state_of(&entry).unwrap())
    }

    pub(crate) async fn end(&self) -> End {
        let state = self.recorded().await.expect("it has begun");
        let arms = self.target.observe(&self.model).await.unwrap().arms;
        let shown = self.publisher.shown(&state.id);
        let told = |shown: Published| (shown.phase, shown.message, shown.timeline);
        let deployments = self.forge.deployments();
        End {
            phase: state.phase,
            reason: state.reason,
            message: state.message,
            weights: arms.iter().map(|arm| format!("{} {}", arm.version, arm.weight)).collect(),
            traffic: self
                .target
                .traffic(&self.model)
                .iter()
                .map(|(version, _)| version.to_string())
                .collect(),
            holds: self.registry.holds(&self.model, &self.environment),
            records: self.registry.records(),
            deployments: deployments.into_iter().map(|status| (status.rollout, status.state)).collect(),
            shown: shown.map(told),
            journal: self.journals.history("rollouts/production/churn", 1000).await.unwrap().len(),
        }
    }
}

/// Stops once, at the boundary with this index; remembers every boundary that was passed.
pub(crate) struct StopAt {
    index: usize,
    passed: AtomicUsize,
    seen: Mutex<Vec<Boundary>>,
}

impl StopAt {
    pub(crate) fn index(index: usize) -> Self {
        Self { index, passed: AtomicUsize::new(0), seen: Mutex::default() }
    }

    pub(crate) fn never() -> Self {
        Self::index(usize::MAX)
    }

    pub(crate) fn seen(&self) -> Vec<Boundary> {
        self.seen.lock().unwrap().clone()
    }
}

impl Interruption for StopAt {
    fn stops(&self, at: Boundary) -> bool {
        self.seen.lock().unwrap().push(at);
        self.passed.fetch_add(1, Ordering::SeqCst) == self.index
    }
}

fn cases() -> GoldenCases {
    let case =
        |name: &str| Case { name: name.to_owned(), inputs: vec![tensor(0.5)], expected: vec![tensor(1.0)] };
    GoldenCases { cases: vec![case("one"), case("two")] }
}

fn tensor(value: f64) -> Tensor {
    Tensor { name: "y".to_owned(), datatype: "FP32".to_owned(), shape: vec![1], data: vec![value.into()] }
}

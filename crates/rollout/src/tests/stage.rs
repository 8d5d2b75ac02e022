//! A world of fakes with a story to play in it, and what is left of it at the end.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tagship_domain::{
    Duration, Environment, ModelName, Release, Version,
    event::Command,
    golden::{Case, GoldenCases, Tensor},
    plan::{OnNewer, RolloutPlan, Step, Strategy},
    rollout::{DeploymentState, Kind, PersonCommand, Phase, Reason, RolloutId, RolloutState},
    routing::Routing,
};
use tagship_ports::{
    OwnSource, Problem, StageRegistry, StateStore, Target,
    dispatcher::Dispatch,
    fake::{
        FakeClock, FakeDispatcher, FakeForge, FakeModelRunner, FakePublisher, FakeReleases,
        FakeStageRegistry, FakeStateStore, FakeTarget, Load, Published,
    },
    model_runner::Subject,
    stage_registry::StageChange,
};

use super::{
    sample::{by, noon, plan, release},
    walk::{canary, judged, minutes, percent, shadowed},
};
use crate::{Begin, Boundary, Driver, Interruption, Nobody, RolloutError, Tick, Told, World, state_of};

/// A world of fakes in which v1.0.0 serves.
pub(crate) struct Stage {
    pub(crate) journals: FakeStateStore,
    pub(crate) releases: FakeReleases,
    pub(crate) target: FakeTarget,
    pub(crate) runner: FakeModelRunner,
    pub(crate) registry: FakeStageRegistry,
    pub(crate) forge: FakeForge,
    pub(crate) dispatcher: FakeDispatcher,
    pub(crate) publisher: FakePublisher,
    pub(crate) sources: BTreeMap<String, OwnSource>,
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
    GoesStepByStep,
    FailsAtAStep,
    FlipsAndBakes,
    GivesWayToANewer,
    IsHeldAndLedOn,
    ShadowsThenShares,
    FailsInTheShadow,
    StaysLoadedForAWhile,
}

/// Everything that is left when a story is over, without times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct End {
    pub(crate) phase: Phase,
    pub(crate) reason: Reason,
    pub(crate) message: String,
    pub(crate) weights: Vec<String>,
    pub(crate) traffic: Vec<String>,
    pub(crate) routing: Routing,
    pub(crate) holds: Option<Version>,
    pub(crate) records: Vec<String>,
    pub(crate) deployments: Vec<(RolloutId, DeploymentState)>,
    pub(crate) asked: Vec<Dispatch>,
    pub(crate) shown: Option<(Phase, String, Vec<Phase>)>,
    pub(crate) journal: usize,
}

impl End {
    /// Without entries about tries that were counted, and without numbers: both depend on when runs begin and end.
    pub(crate) fn lasting(mut self) -> Self {
        self.message = without_numbers(&self.message);
        self.records = self.records.iter().map(|record| without_numbers(record)).collect();
        if let Some((_, message, timeline)) = &mut self.shown {
            *message = without_numbers(message);
            timeline.dedup();
        }
        Self { journal: 0, ..self }
    }
}

impl Story {
    pub(crate) const ALL: [Self; 17] = [
        Self::Deploys,
        Self::DeploysFirst,
        Self::RollsBack,
        Self::FailsItsGoldenCases,
        Self::IsRefusedByTheTarget,
        Self::IsRefusedByTheRegistry,
        Self::FirstIsRefusedByTheTarget,
        Self::IsAborted,
        Self::GetsStuck,
        Self::GoesStepByStep,
        Self::FailsAtAStep,
        Self::FlipsAndBakes,
        Self::GivesWayToANewer,
        Self::IsHeldAndLedOn,
        Self::ShadowsThenShares,
        Self::FailsInTheShadow,
        Self::StaysLoadedForAWhile,
    ];

    /// The world in which it plays, with the rollout begun.
    pub(crate) async fn stage(self) -> Stage {
        let stage = Stage::new(!matches!(self, Self::DeploysFirst | Self::FirstIsRefusedByTheTarget)).await;
        match self {
            Self::Deploys
            | Self::DeploysFirst
            | Self::RollsBack
            | Self::GivesWayToANewer
            | Self::IsHeldAndLedOn
            | Self::StaysLoadedForAWhile => {}
            Self::GoesStepByStep | Self::FlipsAndBakes | Self::ShadowsThenShares => stage.load(20_000, 0),
            Self::FailsAtAStep | Self::FailsInTheShadow => stage.load(20_000, 100),
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

    /// Whether it takes time, so that how often someone looks shows in the numbers of its messages.
    pub(crate) fn takes_time(self) -> bool {
        self.plan() != plan()
    }

    fn plan(self) -> RolloutPlan {
        match self {
            Self::GoesStepByStep | Self::FailsAtAStep => {
                RolloutPlan { next: "elsewhere".parse().ok(), ..judged() }
            }
            Self::FlipsAndBakes => RolloutPlan {
                strategy: Strategy::BlueGreen { preview: minutes(2), auto_promote: true, mirror: percent(0) },
                bake: minutes(5),
                hold_back: percent(5),
                ..judged()
            },
            Self::ShadowsThenShares | Self::FailsInTheShadow => {
                let minute = || Step::Pause(Some(minutes(1)));
                let steps =
                    vec![Step::Mirror(percent(100)), minute(), Step::SetWeight(percent(50)), minute()];
                RolloutPlan { strategy: Strategy::Canary { steps }, ..shadowed() }
            }
            Self::StaysLoadedForAWhile => RolloutPlan { scale_down_delay: minutes(2), ..plan() },
            Self::GivesWayToANewer => RolloutPlan { on_newer: OnNewer::Supersede, ..canary() },
            Self::IsHeldAndLedOn => canary(),
            _ => plan(),
        }
    }

    /// The release that waits for it, once it is under way.
    fn newer(self, state: &RolloutState) -> Option<Release> {
        let comes = self == Self::GivesWayToANewer && state.phase == Phase::Progressing;
        comes.then(|| release("v1.2.0"))
    }

    fn kind(self) -> Kind {
        if self == Self::RollsBack { Kind::Rollback } else { Kind::Deploy }
    }

    /// What people ask for, once the rollout is under way.
    pub(crate) fn commands(self, state: &RolloutState) -> Vec<PersonCommand> {
        let command = match (self, state.phase) {
            (Self::IsAborted, Phase::Promoting) => Command::Abort,
            (Self::IsHeldAndLedOn, Phase::Progressing) if state.step == 1 => Command::Pause,
            (Self::IsHeldAndLedOn, Phase::Paused) => Command::Promote,
            _ => return vec![],
        };
        vec![PersonCommand { command, by: by("bob") }]
    }

    /// Begins the rollout, where nobody has.
    pub(crate) async fn begin(self, stage: &Stage, driver: &mut Driver<'_>) -> Result<(), RolloutError> {
        if stage.recorded().await.is_some() {
            return Ok(());
        }
        stage.begin(driver, self.kind(), &self.plan()).await.map(|_| ())
    }

    /// Plays it in one run until it has settled.
    pub(crate) async fn play(self, stage: &Stage, stops: &dyn Interruption) -> Result<Tick, RolloutError> {
        let mut driver = stage.driver(stops);
        self.begin(stage, &mut driver).await?;
        for _ in 0..100 {
            match self.lead_on(stage, &mut driver).await? {
                Tick::Waiting(_) if self.takes_time() => stage.clock.advance(Duration::from_secs(30)),
                Tick::Waiting(_) => {}
                end => return Ok(end),
            }
        }
        panic!("{self:?} does not settle: {:?}", stage.recorded().await)
    }
}

impl Story {
    /// One tick, with what people ask for and what waits.
    pub(crate) async fn lead_on(self, stage: &Stage, driver: &mut Driver<'_>) -> Result<Tick, RolloutError> {
        let state = stage.recorded().await.expect("it has begun");
        let (commands, newer) = (self.commands(&state), self.newer(&state));
        driver.once(Told { commands: &commands, newer: newer.as_ref(), unlock: None }).await
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
            dispatcher: FakeDispatcher::default(),
            publisher: FakePublisher::default(),
            sources: BTreeMap::new(),
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

    /// Requests come, and of a thousand answers of v1.1.0 this many are errors; v1.0.0 makes one in a hundred.
    fn load(&self, requests: u64, errors: u64) {
        let quality = [("v1.0.0", 10), ("v1.1.0", errors)];
        let quality = quality.map(|(version, errors)| (version.parse().unwrap(), (errors, 1000))).into();
        self.target.load(&self.model, Load { requests, quality });
    }

    pub(crate) fn world(&self) -> World<'_> {
        World {
            journals: &self.journals,
            releases: &self.releases,
            target: &self.target,
            runner: &self.runner,
            registry: &self.registry,
            forge: &self.forge,
            dispatcher: &self.dispatcher,
            publisher: &self.publisher,
            metrics: None,
            sources: &self.sources,
            spectator: &Nobody,
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
        let after = self.recorded().await.map(|state| state.id);
        let (candidate, after, by) = (&candidate, after.as_ref(), &by("alice"));
        driver.begin(&Begin { kind, candidate, stable, after, plan, by, fired: None }).await
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
        // Whoever died between asking and writing it down asks again, for the same.
        let mut asked = self.dispatcher.started();
        asked.dedup();
        End {
            asked,
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
            routing: self.target.routing(&self.model),
            holds: self.registry.holds(&self.model, &self.environment),
            records: self.registry.records(),
            deployments: deployments.into_iter().map(|status| (status.rollout, status.state)).collect(),
            shown: shown.map(told),
            journal: self.journals.history("rollouts/production/churn", 1000).await.unwrap().len(),
        }
    }
}

/// A sentence up to its first measured number.
fn without_numbers(sentence: &str) -> String {
    sentence.split("errors: ").next().unwrap_or(sentence).to_owned()
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

//! Whole rollouts on the played API, led by the real driver, tick by tick.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Duration, Environment, Provenance, Release, Timestamp,
    plan::{OnNewer, RolloutPlan, Smoke, Step, Strategy},
    rollout::{Kind, Phase, RolloutState},
    traffic::Weight,
};
use tagship_ports::{
    Clock as _, StateStore as _,
    fake::{
        FakeClock, FakeDispatcher, FakeForge, FakeModelRunner, FakePublisher, FakeReleases,
        FakeStageRegistry, FakeStateStore,
    },
};
use tagship_rollout::{Begin, Driver, Never, Nobody, Tick, Told, World, journal_name, state_of};

use super::{Played, digest, version};

/// Ticks, half a minute each, within which every journey ends.
const TICKS: usize = 120;

/// A target on a cluster, and everything else that a rollout needs.
pub(crate) struct Journey<S> {
    pub(crate) stage: S,
    journals: FakeStateStore,
    releases: FakeReleases,
    runner: FakeModelRunner,
    registry: FakeStageRegistry,
    forge: FakeForge,
    dispatcher: FakeDispatcher,
    publisher: FakePublisher,
    clock: FakeClock,
    environment: Environment,
    stable: Option<Release>,
}

pub(crate) fn release(number: u8) -> Release {
    Release {
        model: "churn".parse().unwrap(),
        version: version(u64::from(number)),
        digest: digest(number),
        manifest: digest(number + 100),
        commit: format!("{number:02x}").repeat(20).parse().unwrap(),
    }
}

/// How runs lead a rollout.
#[allow(missing_debug_implementations, reason = "it holds a function")]
pub(crate) struct Runs<'a, S> {
    /// Two look at the same time.
    pub(crate) in_pairs: bool,
    /// A newer version that comes once a quarter is in force, and takes the place of this one.
    pub(crate) newer: Option<u8>,
    /// Whether the run that is going on dies now.
    pub(crate) dies: &'a (dyn Fn(&S) -> bool + Sync),
}

impl<S> Default for Runs<'_, S> {
    fn default() -> Self {
        Self { in_pairs: false, newer: None, dies: &|_| false }
    }
}

fn plan(strategy: Strategy) -> RolloutPlan {
    RolloutPlan { strategy, ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600)) }
}

/// All traffic at once, after a minute.
pub(crate) fn flip() -> Strategy {
    Strategy::BlueGreen { preview: Duration::from_secs(60), auto_promote: true, mirror: Weight::NONE }
}

pub(crate) fn canary() -> Strategy {
    let share = |percent: u8| Step::SetWeight(Weight::percent(percent).unwrap());
    let pause = || Step::Pause(Some(Duration::from_secs(120)));
    Strategy::Canary { steps: vec![share(25), pause(), share(50), pause()] }
}

impl<S: Played> Journey<S> {
    /// The first version was rolled out, by the same way.
    pub(crate) async fn new(stage: S) -> Self {
        let mut journey = Self {
            stage,
            journals: FakeStateStore::default(),
            releases: FakeReleases::default(),
            runner: FakeModelRunner::default(),
            registry: FakeStageRegistry::default(),
            forge: FakeForge::default(),
            dispatcher: FakeDispatcher::default(),
            publisher: FakePublisher::default(),
            clock: FakeClock::at(Timestamp::from_seconds(1_767_225_600).unwrap()),
            environment: "production".parse().unwrap(),
            stable: None,
        };
        let first = journey.lead(1, Strategy::AllAtOnce, |_, _| {}).await;
        assert_eq!(first.phase, Phase::Succeeded, "{}", first.message);
        let served = journey.stage.target().observe(journey.stage.model()).await.unwrap();
        assert_eq!(served.arms.len(), 1);
        assert_eq!((served.arms[0].weight, served.arms[0].ready), (Weight::ALL, true));
        journey.stable = Some(release(1));
        journey
    }

    /// A version serves from now on, and the registry says so.
    pub(crate) fn now_stable(&mut self, number: u8) {
        self.stable = Some(release(number));
    }

    async fn recorded(&self) -> Option<RolloutState> {
        let name = journal_name(&self.environment, self.stage.model());
        self.journals.tip(&name).await.unwrap().map(|entry| state_of(&entry).unwrap())
    }

    /// Rolls a version out, tick by tick; between two of them something may happen.
    pub(crate) async fn lead(
        &self,
        number: u8,
        strategy: Strategy,
        happens: impl Fn(&S, &RolloutState),
    ) -> RolloutState {
        self.lead_by(&Runs::default(), number, strategy, happens).await
    }

    /// The same by other runs than one after the other.
    pub(crate) async fn lead_by(
        &self,
        runs: &Runs<'_, S>,
        number: u8,
        strategy: Strategy,
        happens: impl Fn(&S, &RolloutState),
    ) -> RolloutState {
        let candidate = release(number);
        self.releases.add(&candidate, None);
        let sources = BTreeMap::new();
        let world = World {
            journals: &self.journals,
            releases: &self.releases,
            target: self.stage.target(),
            runner: &self.runner,
            registry: &self.registry,
            forge: &self.forge,
            dispatcher: &self.dispatcher,
            publisher: &self.publisher,
            metrics: None,
            sources: &sources,
            spectator: &Nobody,
            clock: &self.clock,
        };
        let after = self.recorded().await.map(|state| state.id);
        let by = Provenance { actor: "alice".to_owned(), run: None };
        let mut plan = plan(strategy);
        plan.on_newer = if runs.newer.is_some() { OnNewer::Supersede } else { OnNewer::QueueLatest };
        let newer = runs.newer.map(release);
        let begin = Begin {
            kind: Kind::Deploy,
            candidate: &candidate,
            stable: self.stable.as_ref(),
            after: after.as_ref(),
            plan: &plan,
            by: &by,
            fired: None,
        };
        Driver::new(world, &self.environment, self.stage.model(), Path::new("unused"), &Never)
            .begin(&begin)
            .await
            .unwrap();
        for _ in 0..TICKS {
            let comes = self.recorded().await.is_some_and(|state| is_at(&state, 25));
            let told = Told { newer: newer.as_ref().filter(|_| comes), ..Told::default() };
            let settled = Box::pin(self.tick(world, runs, told)).await;
            let state = self.recorded().await.unwrap();
            if settled {
                return state;
            }
            happens(&self.stage, &state);
            self.stage.step();
            self.clock.advance(Duration::from_secs(30));
        }
        panic!("no end by {}: {:?}", self.clock.now(), self.recorded().await)
    }

    /// Every tick is another run, which knows only what is written down. Whether the rollout has ended.
    async fn tick(&self, world: World<'_>, runs: &Runs<'_, S>, told: Told<'_>) -> bool {
        let run = async || {
            let model = self.stage.model();
            let mut driver = Driver::new(world, &self.environment, model, Path::new("unused"), &Never);
            driver.once(told).await.unwrap()
        };
        let death = async {
            while !(runs.dies)(&self.stage) {
                tokio::task::yield_now().await;
            }
        };
        let all = async { if runs.in_pairs { tokio::join!(run(), run()).0 } else { run().await } };
        tokio::select! {
            tick = all => !matches!(tick, Tick::Waiting(_)),
            () = death => false,
        }
    }
}

/// Whether this share is in force.
pub(crate) fn is_at(state: &RolloutState, percent: u8) -> bool {
    state.weight.applied == Weight::percent(percent).unwrap()
}

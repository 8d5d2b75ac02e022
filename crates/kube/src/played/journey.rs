//! Whole rollouts on the played API, led by the real driver, tick by tick.

use std::{collections::BTreeMap, path::Path};

use tagship_domain::{
    Duration, Environment, Provenance, Release, Timestamp,
    plan::{RolloutPlan, Smoke, Step, Strategy},
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

fn plan(strategy: Strategy) -> RolloutPlan {
    RolloutPlan { strategy, ..RolloutPlan::all_at_once(Smoke::ReadyOnly, Duration::from_secs(600)) }
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
        let plan = plan(strategy);
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
            // Every tick is another run, which knows only what is written down.
            let mut driver =
                Driver::new(world, &self.environment, self.stage.model(), Path::new("unused"), &Never);
            let tick = driver.once(Told::default()).await.unwrap();
            let state = self.recorded().await.unwrap();
            if !matches!(tick, Tick::Waiting(_)) {
                return state;
            }
            happens(&self.stage, &state);
            self.stage.step();
            self.clock.advance(Duration::from_secs(30));
        }
        panic!("no end by {}: {:?}", self.clock.now(), self.recorded().await)
    }
}

/// Whether this share is in force.
pub(crate) fn is_at(state: &RolloutState, percent: u8) -> bool {
    state.weight.applied == Weight::percent(percent).unwrap()
}

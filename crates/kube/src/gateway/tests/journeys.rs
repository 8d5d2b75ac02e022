//! Whole rollouts on the played API, led by the real driver: the right end in bounded time, whatever happens on the way.

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
use tagship_testkit::cluster::{
    Fault,
    actors::{Deployments, Gateway},
};

use super::stage::{ROUTES, Stage, digest, named, version};

/// Ticks, half a minute each, within which every journey ends.
const TICKS: usize = 120;

struct Journey {
    stage: Stage,
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

fn release(number: u8) -> Release {
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

fn canary() -> Strategy {
    let share = |percent: u8| Step::SetWeight(Weight::percent(percent).unwrap());
    let pause = || Step::Pause(Some(Duration::from_secs(120)));
    Strategy::Canary { steps: vec![share(25), pause(), share(50), pause()] }
}

impl Journey {
    /// The first version was rolled out, by the same way.
    async fn new() -> Self {
        let mut journey = Self {
            stage: Stage::new(),
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
        assert_eq!(journey.stage.shares().await, [(1, 100, true)]);
        journey.stable = Some(release(1));
        journey
    }

    async fn recorded(&self) -> Option<RolloutState> {
        let name = journal_name(&self.environment, &self.stage.model);
        self.journals.tip(&name).await.unwrap().map(|entry| state_of(&entry).unwrap())
    }

    /// Rolls a version out, tick by tick; between two of them something may happen.
    async fn lead(
        &self,
        number: u8,
        strategy: Strategy,
        happens: impl Fn(&Stage, &RolloutState),
    ) -> RolloutState {
        let candidate = release(number);
        self.releases.add(&candidate, None);
        let sources = BTreeMap::new();
        let world = World {
            journals: &self.journals,
            releases: &self.releases,
            target: &self.stage.target,
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
        Driver::new(world, &self.environment, &self.stage.model, Path::new("unused"), &Never)
            .begin(&begin)
            .await
            .unwrap();
        for _ in 0..TICKS {
            // Every tick is another run, which knows only what is written down.
            let mut driver =
                Driver::new(world, &self.environment, &self.stage.model, Path::new("unused"), &Never);
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

fn is_at(state: &RolloutState, percent: u8) -> bool {
    state.weight.applied == Weight::percent(percent).unwrap()
}

#[tokio::test]
async fn a_canary_is_promoted() {
    let journey = Journey::new().await;
    let end = journey.lead(2, canary(), |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), [(named(2), 100)]);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)], "the version from before is unloaded");
}

#[tokio::test]
async fn blue_green_flips() {
    let journey = Journey::new().await;
    let strategy =
        Strategy::BlueGreen { preview: Duration::from_secs(60), auto_promote: true, mirror: Weight::NONE };
    let end = journey.lead(2, strategy, |_, _| {}).await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.shares().await, [(2, 100, true)]);
}

#[tokio::test]
async fn pods_that_never_come_fail_it_without_traffic() {
    let journey = Journey::new().await;
    journey.stage.play(vec![Box::new(Deployments::failing(&named(2))), Box::new(Gateway::named("public"))]);
    let end = journey
        .lead(2, canary(), |stage, _| {
            assert!(stage.written().iter().all(|(_, weight)| [0, 100].contains(weight)));
        })
        .await;
    assert_eq!(end.phase, Phase::Failed, "{}", end.message);
    assert!(end.message.contains("ProgressDeadlineExceeded"), "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn nodes_that_are_lost_at_a_quarter_lead_back() {
    let journey = Journey::new().await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) {
            stage.play(vec![
                Box::new(Deployments::without_pods(&named(2), 2)),
                Box::new(Gateway::named("public")),
            ]);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert!(end.message.contains("not ready"), "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn a_gateway_that_lies_is_not_believed_and_time_runs_out() {
    let journey = Journey::new().await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let mut liar = Gateway::named("public");
            liar.lies = true;
            stage.play(vec![Box::new(Deployments::default()), Box::new(liar)]);
        }
        if state.phase == Phase::RollingBack {
            stage.play(vec![Box::new(Deployments::default()), Box::new(Gateway::named("public"))]);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RolledBack, "{}", end.message);
    assert_eq!(journey.stage.shares().await[0], (1, 100, true));
}

#[tokio::test]
async fn answers_that_are_lost_change_nothing_about_the_end() {
    let journey = Journey::new().await;
    let end = journey.lead(2, canary(), |stage, _| {
        stage.cluster.fail_next("PATCH", "churn", Fault::CutAfter);
        stage.cluster.fail_next("DELETE", "churn", Fault::CutAfter);
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::Succeeded, "{}", end.message);
    assert_eq!(journey.stage.written(), [(named(2), 100)]);
}

#[tokio::test]
async fn who_steals_the_route_is_named_and_a_person_is_needed() {
    let journey = Journey::new().await;
    let end = journey.lead(2, canary(), |stage, state| {
        if is_at(state, 25) && state.phase == Phase::Progressing {
            let change = serde_json::json!([{ "op": "replace", "path": "/spec/rules/0/backendRefs/0/weight", "value": 60 }]);
            let target = format!("{ROUTES}/churn?fieldManager=kubectl-edit");
            assert_eq!(stage.cluster.act("PATCH", &target, "application/json-patch+json", &change).0, 200);
        }
    });
    let end = end.await;
    assert_eq!(end.phase, Phase::RollbackFailed, "{}", end.message);
    assert!(end.message.contains("kubectl-edit"), "{}", end.message);
}

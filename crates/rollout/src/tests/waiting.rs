//! Waiting: budgets, deadlines, outages, and how seldom the journal is written.

use tagship_domain::{
    Duration, Exit,
    plan::RolloutPlan,
    rollout::{Kind, Phase},
};
use tagship_ports::{Problem, StateStore, fake::FakeClock, state_store::NewEntry};

use super::{
    sample::{noon, plan},
    stage::{Stage, Story},
};
use crate::{JournalError, Never, RolloutError, Tick, Told};

async fn begun() -> Stage {
    let stage = Story::Deploys.stage().await;
    stage.begin(&mut stage.driver(&Never), Kind::Deploy, &plan()).await.unwrap();
    stage
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

fn passed(clock: &FakeClock) -> Duration {
    tagship_ports::Clock::now(clock).since(noon())
}

#[tokio::test]
async fn a_wait_ends_as_soon_as_the_rollout_does() {
    let stage = begun().await;
    let tick = stage.driver(&Never).wait(Told::default(), minutes(5)).await.unwrap();
    assert_eq!((tick.exit(), passed(&stage.clock)), (Exit::Done, Duration::default()));
}

#[tokio::test]
async fn a_budget_that_is_used_up_leaves_a_running_rollout() {
    let stage = begun().await;
    stage.target.starts_ready(&stage.model, false);
    let tick = stage.driver(&Never).wait(Told::default(), minutes(5)).await.unwrap();
    assert_eq!((tick.exit(), passed(&stage.clock)), (Exit::Running, minutes(5)));
    let state = tick.state().unwrap();
    assert_eq!((state.phase, state.message.as_str()), (Phase::Validating, "v1.1.0 is not ready"));
    assert!(stage.target.faults.calls("observe") <= 36, "a look every ten seconds");
    assert!(stage.end().await.journal <= 4, "looking is not worth an entry");

    stage.target.set_ready(&stage.model, &"v1.1.0".parse().unwrap(), true);
    let tick = stage.driver(&Never).once(Told::default()).await.unwrap();
    assert_eq!(tick.exit(), Exit::Done, "the next run goes on");
}

#[tokio::test]
async fn a_target_that_stays_away_fails_at_the_deadline() {
    let stage = begun().await;
    stage.target.faults.always("prepare", Problem::Unreachable);
    stage.target.faults.always("cleanup", Problem::Unreachable);
    let tick = stage.driver(&Never).wait(Told::default(), minutes(60)).await.unwrap();
    let state = tick.state().unwrap();
    assert_eq!((tick.exit(), state.phase), (Exit::Negative, Phase::Failed));
    assert!(state.is_settled(), "what cannot be unloaded is given up");
    assert!(passed(&stage.clock) >= minutes(10) && passed(&stage.clock) < minutes(12));
    let said = state.cause.as_deref().unwrap();
    assert!(said.starts_with("no progress within 10m: could not load the candidate in "), "{said}");
}

#[tokio::test]
async fn tries_are_on_record_at_least_every_ten_minutes() {
    let stage = Story::Deploys.stage().await;
    let plan = RolloutPlan { progress_deadline: minutes(600), ..plan() };
    stage.begin(&mut stage.driver(&Never), Kind::Deploy, &plan).await.unwrap();
    stage.target.faults.always("prepare", Problem::Unreachable);
    let before = stage.end().await.journal;
    stage.driver(&Never).wait(Told::default(), minutes(45)).await.unwrap();
    let entries = stage.end().await.journal - before;
    assert!((4..=8).contains(&entries), "{entries} entries in 45 minutes");
    assert!(stage.recorded().await.unwrap().intended.last().unwrap().attempts > 100);
}

#[tokio::test]
async fn a_journal_that_is_away_for_a_while_is_waited_for() {
    let stage = begun().await;
    stage.journals.faults.fail("append", Problem::Unreachable, 2);
    stage.journals.faults.fail("tip", Problem::Unreachable, 1);
    let tick = stage.driver(&Never).wait(Told::default(), minutes(5)).await.unwrap();
    assert_eq!(tick.exit(), Exit::Done);

    let stage = begun().await;
    stage.journals.faults.always("append", Problem::Denied);
    let error = stage.driver(&Never).wait(Told::default(), minutes(5)).await.unwrap_err();
    assert_eq!((error.exit(), passed(&stage.clock)), (Exit::Incomplete, Duration::default()));
    assert_eq!(stage.target.faults.calls("prepare"), 0, "nothing is done that is not on record");
}

#[tokio::test]
async fn where_nothing_began_there_is_nothing_to_do() {
    let stage = Story::Deploys.stage().await;
    assert_eq!(stage.driver(&Never).once(Told::default()).await.unwrap(), Tick::Nothing);
}

#[tokio::test]
async fn a_journal_of_a_newer_tagship_is_left_alone() {
    let stage = begun().await;
    let tip = stage.journals.tip("rollouts/production/churn").await.unwrap().unwrap();
    let text = String::from_utf8(tip.files["rollout.json"].clone()).unwrap();
    let newer = text.replace("tagship/rollout/v1", "tagship/rollout/v9").into_bytes();
    let files = [("rollout.json".to_owned(), newer)].into();
    let entry = NewEntry { message: "newer".to_owned(), files, at: noon() };
    stage.journals.append("rollouts/production/churn", Some(&tip.id), &entry).await.unwrap();
    let error = stage.driver(&Never).once(Told::default()).await.unwrap_err();
    assert_eq!(error.exit(), Exit::Incomplete);
    assert!(matches!(error, RolloutError::Journal { source: JournalError::Unreadable { .. }, .. }));
    assert_eq!(stage.journals.faults.calls("append"), 2, "nothing was written");
}

//! Two runs at once: every port call of a fake gives way, so that polling in turn reaches every interleaving.

use std::{
    pin::{Pin, pin},
    sync::Mutex,
    task::{Context, Poll, Waker},
};

use proptest::prelude::*;
use tagship_domain::rollout::Kind;

use super::{
    sample::{abort, plan},
    stage::{End, Stage, StopAt, Story},
};
use crate::{Never, RolloutError, StartRefusal, Tick, Told};

type Run<'a> = Pin<&'a mut dyn Future<Output = ()>>;

/// Polls a run up to `times` times; whether it has ended.
fn poll(run: &mut Run<'_>, times: usize) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    (0..times).any(|_| matches!(run.as_mut().poll(&mut context), Poll::Ready(())))
}

fn finish<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("a run on fakes never waits this long");
}

/// One run that goes on until the rollout has settled, whoever settles it.
async fn run(story: Story, stage: &Stage) {
    let mut driver = stage.driver(&Never);
    for _ in 0..200 {
        let Some(state) = stage.recorded().await else { return };
        if state.is_settled() {
            return;
        }
        if let Tick::Waiting(_) = story.lead_on(stage, &mut driver).await.unwrap()
            && story.takes_time()
        {
            stage.clock.advance(tagship_domain::Duration::from_secs(30));
        }
    }
}

fn begun(story: Story) -> Stage {
    finish(async {
        let stage = story.stage().await;
        let mut driver = stage.driver(&Never);
        story.begin(&stage, &mut driver).await.unwrap();
        drop(driver);
        stage
    })
}

fn undisturbed(story: Story) -> End {
    let stage = finish(story.stage());
    finish(story.play(&stage, &StopAt::never())).unwrap();
    finish(stage.end())
}

#[test]
fn a_run_that_wakes_up_late_moves_nothing() {
    for story in Story::ALL {
        let end = undisturbed(story).lasting();
        for asleep_after in 0.. {
            let stage = begun(story);
            let mut sleeper = pin!(run(story, &stage));
            let mut sleeper: Run<'_> = sleeper.as_mut();
            if poll(&mut sleeper, asleep_after) {
                assert!(asleep_after > 15, "every call of {story:?} was reached");
                break;
            }
            finish(run(story, &stage));
            assert_eq!(finish(stage.end()).lasting(), end, "{story:?}, asleep after {asleep_after} polls");
            assert!(poll(&mut sleeper, 10_000), "{story:?}: the sleeper ends");
            assert_eq!(
                finish(stage.end()).lasting(),
                end,
                "{story:?}, awake again after {asleep_after} polls"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_runs_in_turn_end_as_one(
        // Two runs that each pause what the other leads on are two people, and may end otherwise than one.
        story in prop::sample::select(&Story::ALL[..]).prop_filter("one person", |story| *story != Story::IsHeldAndLedOn),
        turns in prop::collection::vec((any::<bool>(), 1..8_usize), 0..200),
    ) {
        let stage = begun(story);
        let (mut one, mut other) = (pin!(run(story, &stage)), pin!(run(story, &stage)));
        let (mut one, mut other): (Run<'_>, Run<'_>) = (one.as_mut(), other.as_mut());
        let mut ended = [false, false];
        for (first, polls) in turns.into_iter().chain([(true, 10_000), (false, 10_000)]) {
            let at = usize::from(first);
            if !ended[at] {
                ended[at] = poll(if first { &mut one } else { &mut other }, polls);
            }
        }
        prop_assert_eq!(ended, [true, true]);
        prop_assert_eq!(finish(stage.end()).lasting(), undisturbed(story).lasting());
    }
}

#[test]
fn of_two_starts_one_takes_the_lock() {
    for head_start in 0..6 {
        let stage = finish(Story::Deploys.stage());
        let begin = async || {
            let mut driver = stage.driver(&Never);
            stage.begin(&mut driver, Kind::Deploy, &plan()).await
        };
        let results = Mutex::new(vec![]);
        let begin_and_note = async || {
            let result = begin().await;
            results.lock().unwrap().push(result);
        };
        let mut first = pin!(begin_and_note());
        let mut first: Run<'_> = first.as_mut();
        let done = poll(&mut first, head_start);
        finish(begin_and_note());
        assert!(done || poll(&mut first, 1000), "the first ends too");
        assert_eq!(finish(stage.end()).journal, 1, "one rollout was begun");
        let results = results.lock().unwrap();
        let refused = results.iter().filter(|result| result.as_ref().is_err_and(is_locked)).count();
        assert_eq!((results.iter().filter(|result| result.is_ok()).count(), refused), (1, 1));
    }
}

fn is_locked(error: &RolloutError) -> bool {
    matches!(error, RolloutError::Refused(StartRefusal::Locked { .. }))
}

#[test]
fn an_abort_from_elsewhere_reaches_a_run_that_waits() {
    let stage = begun(Story::IsAborted);
    let budget = tagship_domain::Duration::from_secs(300);
    let mut waits = stage.driver(&Never);
    let mut tick = None;
    {
        let mut waiting = pin!(async { tick = Some(waits.wait(Told::default(), budget).await.unwrap()) });
        let mut waiting: Run<'_> = waiting.as_mut();
        assert!(!poll(&mut waiting, 100), "it waits for the target");
        finish(stage.driver(&Never).once(Told { commands: &[abort()], ..Told::default() })).unwrap();
        assert!(poll(&mut waiting, 1000));
    }
    assert!(
        matches!(&tick, Some(Tick::Settled(state)) if state.message.ends_with("bob stopped it")),
        "{tick:?}"
    );
}

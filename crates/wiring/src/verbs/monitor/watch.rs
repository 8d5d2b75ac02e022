//! `tagship monitor watch`: one look after the other, until it is told to stop.
//!
//! A look is the whole of `tagship monitor check`, and the next begins when it has ended: there are never two at once. A look that is
//! under way when the stop comes is finished.

use std::{future::Future, pin::pin};

use tagship_adapters::{SystemClock, stores};
use tagship_domain::{Duration, Exit};
use tagship_ports::Clock;
use tagship_runner::{Context, Failure, Screen, args::WatchArgs, told_to_stop};

use super::check;
use crate::{answer::Answer, workspace::Workspace};

/// Looks that failed in a row make the pause this much longer at most.
const LONGEST: u32 = 16;

pub(super) async fn run(args: &WatchArgs, context: &Context) -> Result<Answer, Failure> {
    if args.every == Duration::default() {
        return Err(Failure::usage("`--every` says that there is no time between two looks")
            .hint("name how long to wait, e.g. --every 1m"));
    }
    let stop = told_to_stop()?;
    let screen = Screen::of(context, false);
    let look = async || {
        // Opened again each time: the configuration and what serves may have changed.
        let workspace = Workspace::open(&args.look.common, context.clone(), stores::open)?;
        check::run(&args.look, &workspace).await
    };
    watch(args.every, &SystemClock, stop, look, &|line| screen.say(line)).await
}

/// Looks until it is told to stop; answers what the last look did. A first look that is asked wrongly is a mistake of whoever
/// starts it, and ends it; a later one is told and made again.
async fn watch(
    every: Duration,
    clock: &dyn Clock,
    stop: impl Future<Output = ()>,
    look: impl AsyncFn() -> Result<Answer, Failure>,
    tell: &dyn Fn(&str),
) -> Result<Answer, Failure> {
    let mut stop = pin!(stop);
    let (mut failed, mut is_first) = (0_u32, true);
    loop {
        let began = clock.now();
        let looked = look().await;
        let at = clock.now().readable();
        match &looked {
            Ok(answer) => {
                failed = 0;
                tell(&format!("{at}  {}", answer.decision));
            }
            Err(failure) if is_first && failure.exit == Exit::Usage => return looked,
            Err(failure) => {
                failed = failed.saturating_add(1);
                tell(&format!("{at}  the look failed: {}", failure.message));
            }
        }
        is_first = false;
        let pause = pause(every, clock.now().since(began), failed);
        tokio::select! {
            biased;
            () = &mut stop => return looked,
            () = clock.sleep(pause) => {}
        }
    }
}

/// What is left of the time between two looks; twice as long for each that failed in a row, up to a bound.
fn pause(every: Duration, took: Duration, failed: u32) -> Duration {
    let times = 2_u32.saturating_pow(failed.min(8)).min(LONGEST);
    let whole = every.std().saturating_mul(times);
    let millis = whole.saturating_sub(took.std()).as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use tagship_domain::Timestamp;
    use tagship_ports::fake::FakeClock;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// Looks that end so, and the stop that comes with the last; answers when each began, in seconds, and how all ended.
    async fn watched(
        looks: Vec<Result<Answer, Failure>>,
    ) -> (Vec<i64>, Result<Answer, Failure>, Vec<String>) {
        let clock = FakeClock::at(Timestamp::from_seconds(0).unwrap());
        let (at, began, told) = (Cell::new(0), RefCell::new(vec![]), RefCell::new(vec![]));
        let is_over = tokio::sync::Notify::new();
        let look = async || {
            began.borrow_mut().push(clock.now().as_seconds());
            clock.advance(Duration::from_secs(5));
            let number = at.replace(at.get() + 1);
            if number + 1 == looks.len() {
                is_over.notify_one();
            }
            looks[number].clone()
        };
        let tell = |line: &str| told.borrow_mut().push(line.to_owned());
        let ended = watch(MINUTE, &clock, is_over.notified(), look, &tell).await;
        (began.into_inner(), ended, told.into_inner())
    }

    fn found(exit: Exit, decision: &str) -> Answer {
        Answer::plain(exit, decision, decision, String::new(), String::new())
    }

    #[tokio::test]
    async fn looks_begin_as_far_apart_as_asked_and_the_last_one_is_the_answer() {
        let looks = vec![
            Ok(found(Exit::Done, "good")),
            Ok(found(Exit::Done, "good")),
            Ok(found(Exit::Incomplete, "unknown")),
        ];
        let (began, ended, told) = watched(looks).await;
        assert_eq!(began, [0, 60, 120]);
        assert_eq!(ended.unwrap().exit, Exit::Incomplete);
        assert_eq!(told.len(), 3);
    }

    #[tokio::test]
    async fn a_look_that_fails_is_told_and_made_again_later_each_time() {
        let down = || Err(Failure::incomplete("the store does not answer"));
        let looks = vec![
            Ok(found(Exit::Done, "good")),
            down(),
            down(),
            Ok(found(Exit::Done, "good")),
            Ok(found(Exit::Done, "good")),
        ];
        let (began, ended, told) = watched(looks).await;
        assert_eq!(began, [0, 60, 180, 420, 480]);
        assert!(ended.is_ok() && told[1].contains("the store does not answer"), "{told:?}");
    }

    #[tokio::test]
    async fn a_first_look_that_is_asked_wrongly_ends_it() {
        let (began, ended, _) =
            watched(vec![Err(Failure::usage("nothing is watched")), Ok(found(Exit::Done, "good"))]).await;
        assert_eq!((began.len(), ended.unwrap_err().exit), (1, Exit::Usage));
    }
}

//! Runs on machines whose clocks do not agree.

use tagship_domain::{
    Duration, Timestamp,
    plan::{RolloutPlan, Strategy},
    rollout::{Kind, Phase, RolloutState},
};
use tagship_ports::Clock as _;

use super::{
    sample::noon,
    stage::{Stage, Story},
    walk::{canary, judged, minutes, percent, shadowed},
};
use crate::{
    Never, Tick, Told,
    step::{Hold, leg},
};

/// How far a wrong clock is behind.
const BEHIND: Duration = Duration::from_secs(3 * 3600);
/// Seconds between two runs.
const APART: u64 = 20;

/// Leads a rollout through runs every few seconds, some of them by a clock that is hours behind. Answers the true time of
/// each run with the state that it left.
async fn led(plan: &RolloutPlan, is_behind: impl Fn(u64) -> bool) -> (Stage, Vec<(Timestamp, RolloutState)>) {
    // Clients come, and what is judged is judged well.
    let stage = Story::GoesStepByStep.stage().await;
    stage.begin(&mut stage.driver(&Never), Kind::Deploy, plan).await.unwrap();
    let mut seen = vec![];
    for run in 0..200 {
        let true_time = noon().after(Duration::from_secs(APART * run));
        let before = noon().as_millis() - i64::try_from(BEHIND.std().as_millis()).unwrap();
        let behind = Timestamp::from_millis(before).unwrap().after(true_time.since(noon()));
        stage.clock.set(if is_behind(run) { behind } else { true_time });
        let tick = stage.driver(&Never).once(Told::default()).await.unwrap();
        seen.push((true_time, stage.recorded().await.unwrap()));
        if matches!(tick, Tick::Settled(_)) {
            return (stage, seen);
        }
    }
    panic!("{plan:?} does not settle by {}: {seen:#?}", stage.clock.now());
}

/// The times that a state has seen.
fn times(state: &RolloutState) -> impl Iterator<Item = Timestamp> {
    [Some(state.since), state.settled, state.looked.as_ref().map(|looked| looked.at)].into_iter().flatten()
}

#[tokio::test]
async fn a_clock_that_is_behind_shortens_no_hold_and_takes_no_time_back() {
    let split = Strategy::AB { share: percent(50), length: minutes(5) };
    let baked = RolloutPlan { bake: minutes(5), hold_back: percent(5), ..canary() };
    let split = RolloutPlan { strategy: split, ..canary() };
    for plan in [&canary(), &judged(), &shadowed(), &baked, &split] {
        for which in 0..12_u64 {
            // One run, and every run from there on but each third.
            let single = led(plan, |run| run == which).await;
            let many = led(plan, |run| run >= which && run % 3 != 0).await;
            for (stage, seen) in [single, many] {
                let end = stage.recorded().await.unwrap();
                assert_eq!(end.phase, Phase::Succeeded, "run {which}: {}", end.message);
                assert_holds(&seen, &format!("{:?}, run {which}", plan.strategy));
                let newest = seen.iter().map(|(_, state)| times(state).max().unwrap());
                assert!(newest.is_sorted(), "run {which}: time goes back");
            }
        }
    }
}

/// No leg ends sooner than its hold after the run that ordered its share, by the true time.
fn assert_holds(seen: &[(Timestamp, RolloutState)], what: &str) {
    let mut ordered: Option<(Timestamp, usize)> = None;
    for (at, state) in seen {
        let on_the_way = matches!(state.phase, Phase::Progressing | Phase::Baking);
        match ordered {
            Some((_, step)) if on_the_way && state.step == step => continue,
            Some((since, step)) => {
                if let Hold::For(length) = leg(&state.plan, step).hold {
                    let held = at.since(since);
                    assert!(held >= length, "{what}: step {step} was held for {held} of {length}");
                }
            }
            None => {}
        }
        ordered = on_the_way.then_some((*at, state.step));
    }
}

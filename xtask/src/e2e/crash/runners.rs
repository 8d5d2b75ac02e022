//! Two runners lead the same rollout: both at once, or one is stopped at an act while the other one goes on, and wakes up when
//! the world has moved on.

use std::cell::RefCell;

use anyhow::{Context as _, Result, ensure};

use super::{
    campaign::{Came, Played, Trial},
    kills::place,
    model_server::until,
    points::{Deed, points, spread},
    scenario::{Router, Run, Scenario, TICK},
    stage::{PATIENCE, Stage},
};

/// Scenarios that two runners play.
const PLAYED: [&str; 4] = ["canary", "blue-green", "rollback", "supersede"];
/// Points of a scenario at which one of them is stopped.
const POINTS: usize = 22;
/// How often both start at once: who comes first is left to the machine.
const TOGETHER: usize = 3;

/// How far the other one gets while one is stopped.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    /// Through the same run.
    Run,
    /// To the end of everything.
    End,
}

/// Where the other one works.
#[derive(Clone, Copy)]
pub(super) enum Checkout {
    /// In the clone of the first, as a second job of a machine of one's own.
    Shared,
    /// In a clone of its own.
    Own,
}

/// Whether two runners play it.
pub(super) fn plays(scenario: &Scenario) -> bool {
    scenario.router == Router::Serve && PLAYED.contains(&scenario.name)
}

/// One stopped at points over the whole scenario, and both at once.
pub(super) fn trials(played: &Played<'_>) -> Vec<Trial> {
    let points = spread(&points(&played.acts), POINTS);
    let stopped = points.into_iter().enumerate().map(|(number, point)| {
        // Each way for a point before and for one after an act.
        let (extent, checkout) = way(number / 2);
        let play = move |stage: &Stage<'_>, scenario: &Scenario| {
            stage.switch.arm(point, &Deed::Stop)?;
            overtaken(stage, scenario, extent, checkout)
        };
        Trial { what: format!("one stopped {}", place(&played.acts, point)), play: Box::new(play) }
    });
    let at_once = (0..TOGETHER).map(|number| {
        let (_, checkout) = way(number * 2);
        let play = move |stage: &Stage<'_>, scenario: &Scenario| together(stage, scenario, checkout);
        Trial { what: format!("both at once, {number}"), play: Box::new(play) }
    });
    stopped.chain(at_once).collect()
}

/// All ways in turn.
pub(super) fn way(number: usize) -> (Extent, Checkout) {
    let extent = if number.is_multiple_of(2) { Extent::Run } else { Extent::End };
    let checkout = if (number / 2).is_multiple_of(2) { Checkout::Shared } else { Checkout::Own };
    (extent, checkout)
}

/// Plays a scenario whose armed switch stops a run, or whose remote keeps it waiting, while another run goes on.
pub(super) fn overtaken(
    stage: &Stage<'_>,
    scenario: &Scenario,
    extent: Extent,
    checkout: Checkout,
) -> Result<Came> {
    let mut came = Came::No;
    for run in scenario.runs {
        stage.pass_time(run)?;
        let first = RefCell::new(stage.start(&stage.clone(), run.words));
        let halted = |first: &RefCell<tagship_testkit::Running>| {
            let ended = first.borrow_mut().has_ended();
            (ended || stage.switch.has_halted()).then_some(!ended)
        };
        if came == Came::No && until("the first run", || halted(&first))? {
            came = Came::Yes;
            go_on(stage, run, extent, checkout).context("the other run")?;
            let before = stage.published()?;
            stage.switch.wake(first.borrow().id())?;
            stage.accept(run.words, &first.into_inner().wait()).context("the run that was stopped")?;
            let moved = matches!(extent, Extent::End) && stage.published()? != before;
            ensure!(!moved, "it changed what the other one had ended");
        } else {
            stage.accept(run.words, &first.into_inner().wait())?;
        }
    }
    stage.settle()?;
    Ok(came)
}

fn go_on(stage: &Stage<'_>, run: &Run, extent: Extent, checkout: Checkout) -> Result<()> {
    let clone = stage.checkout(checkout)?;
    stage.accept(run.words, &stage.start(&clone, run.words).wait())?;
    if matches!(extent, Extent::Run) {
        return Ok(());
    }
    for _ in 0..PATIENCE {
        stage.pass_time(&Run { words: TICK, later: true })?;
        let done = stage.start(&clone, TICK).wait();
        stage.accept(TICK, &done)?;
        if done.code != 6 {
            return Ok(());
        }
    }
    anyhow::bail!("{PATIENCE} runs were not enough")
}

fn together(stage: &Stage<'_>, scenario: &Scenario, checkout: Checkout) -> Result<Came> {
    let other = stage.checkout(checkout)?;
    for run in scenario.runs {
        stage.pass_time(run)?;
        let both = [stage.clone(), other.clone()].map(|clone| stage.start(&clone, run.words));
        for one in both {
            stage.accept(run.words, &one.wait())?;
        }
    }
    stage.settle()?;
    Ok(Came::Yes)
}

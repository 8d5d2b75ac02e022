//! Clocks that are set: those of single runs are far ahead or behind, and one is set back while a run waits by it.

use anyhow::Result;

use super::{
    campaign::{Came, Played, Trial, play},
    scenario::{Router, Scenario},
    stage::{Setting, Stage},
};

/// Seconds that a clock is ahead or behind.
const STEPS: [i64; 2] = [1000, -1000];
/// Runs of a scenario whose clock is wrong, and of those that go on after it.
const GOING_ON: usize = 2;
/// Readings after which the clock of a run is set back.
const READINGS: [u64; 4] = [3, 10, 25, 60];

/// Whether wrong clocks are played with it: what the target is told does not depend on them.
pub(super) fn plays(scenario: &Scenario) -> bool {
    scenario.router == Router::Serve
}

/// One run by a clock that is wrong, and a run whose clock is set back at some reading.
pub(super) fn trials(played: &Played<'_>) -> Vec<Trial> {
    let runs = 0..played.scenario.runs.len() + GOING_ON;
    let wrong = runs.flat_map(|run| STEPS.map(|by| Setting { run, after: 0, by }));
    let set_back = READINGS.map(|after| Setting { run: 0, after, by: -STEPS[0] });
    wrong.chain(set_back).map(trial).collect()
}

fn trial(setting: Setting) -> Trial {
    let Setting { run, after, by } = setting;
    let play = move |stage: &Stage<'_>, scenario: &Scenario| -> Result<Came> {
        stage.set_clock(setting);
        play(stage, scenario)?;
        Ok(Came::Yes)
    };
    Trial { what: format!("the clock of run {run} {by} s off after {after} readings"), play: Box::new(play) }
}

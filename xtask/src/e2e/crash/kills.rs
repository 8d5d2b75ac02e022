//! The campaign: every scenario once undisturbed, then once for each point with a kill there.

use std::{
    fmt::Write as _,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{
    invariants::{End, end},
    points::points,
    scenario::{SCENARIOS, Scenario},
    stage::{Programs, Stage, Template},
};

/// Stages that are played at a time.
const AT_A_TIME: usize = 2;
/// How often a point is tried that was not reached: how many runs something takes that goes on by itself varies.
const TRIES: usize = 3;

/// What came of it.
pub(super) struct Kills {
    /// A line for each scenario.
    pub(super) table: String,
    /// Points at which somebody was killed.
    pub(super) points: usize,
}

/// A scenario with its undisturbed end.
struct Played<'a> {
    scenario: &'a Scenario,
    template: Template<'a>,
    acts: Vec<String>,
    points: Vec<usize>,
    expected: End,
}

/// Kills at every point of every scenario.
///
/// # Errors
/// With everything that ended otherwise than undisturbed.
pub(super) fn campaign(programs: &Programs) -> Result<Kills> {
    let (mut table, mut points, mut wrong) = (String::new(), 0, vec![]);
    writeln!(table, "{:<16} {:>5} {:>7} {:>7}  {:>5}", "scenario", "acts", "points", "as good", "s")?;
    for scenario in SCENARIOS {
        let began = Instant::now();
        let played =
            undisturbed(programs, scenario).with_context(|| format!("{}, undisturbed", scenario.name))?;
        let found = kill_everywhere(&played);
        let (tried, bad) = (played.points.len(), found.len());
        let seconds = began.elapsed().as_secs_f64();
        let line = format!(
            "{:<16} {:>5} {tried:>7} {:>7}  {seconds:>5.1}",
            scenario.name,
            played.acts.len(),
            tried - bad
        );
        println!("{line}");
        writeln!(table, "{line}")?;
        points += tried - bad;
        wrong.extend(found);
    }
    writeln!(table, "{points} kills")?;
    if wrong.is_empty() { Ok(Kills { table, points }) } else { bail!("{}\n{table}", wrong.join("\n\n")) }
}

fn undisturbed<'a>(programs: &'a Programs, scenario: &'a Scenario) -> Result<Played<'a>> {
    let template = Template::make(programs, scenario)?;
    let stage = template.stage()?;
    play(&stage, scenario)?;
    let (acts, expected) = (stage.switch.acts()?, end(&stage, scenario.serves)?);
    drop(stage);
    let points = points(&acts);
    Ok(Played { scenario, template, acts, points, expected })
}

/// Kills at each point; answers what went wrong.
fn kill_everywhere(played: &Played<'_>) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let worker = || loop {
        let Some(point) = played.points.get(next.fetch_add(1, Ordering::Relaxed)).copied() else { return };
        let act = played.acts.get(point / 2).map_or("", String::as_str);
        if let Err(error) = killed_at(played, point) {
            let side = if point.is_multiple_of(2) { "before" } else { "after" };
            let what = format!("{}, killed {side} act {}, {act}: {error:#}", played.scenario.name, point / 2);
            wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(worker);
        }
    });
    wrong.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn killed_at(played: &Played<'_>, point: usize) -> Result<()> {
    for _ in 0..TRIES {
        let stage = played.template.stage()?;
        stage.switch.arm(point)?;
        play(&stage, played.scenario)?;
        if !stage.killed.get() {
            continue;
        }
        let found = end(&stage, played.scenario.serves)?;
        let differences = found.differences(&played.expected);
        ensure!(differences.is_empty(), "{}", differences.join("\n"));
        return Ok(());
    }
    bail!("nobody was killed in {TRIES} tries")
}

/// Plays all runs, then more until nothing is left to do.
fn play(stage: &Stage<'_>, scenario: &Scenario) -> Result<()> {
    for run in scenario.runs {
        let done = stage.run(run)?;
        let ended = [0, 1, 6].contains(&done.code);
        ensure!(ended, "{:?} ended with {}:\n{}{}", run.words, done.code, done.stdout, done.stderr);
    }
    stage.settle()
}

//! The campaign: every scenario once undisturbed, then once for each trial of each part, or for every second one, and every end
//! is that of the undisturbed one.

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
    scenario::{SCENARIOS, Scenario},
    stage::{Programs, Stage},
    template::Template,
};

/// Stages that are played at a time.
const AT_A_TIME: usize = 2;
/// How often a trial is played whose trouble did not come: how many runs something takes that goes on by itself varies.
const TRIES: usize = 3;

/// One kind of trouble.
pub(super) struct Part {
    /// Heads its column.
    pub(super) name: &'static str,
    /// Whether a scenario is played with it.
    pub(super) plays: fn(&Scenario) -> bool,
    /// What is tried of it with a scenario.
    pub(super) trials: fn(&Played<'_>) -> Vec<Trial>,
}

/// One trouble that a scenario is played with.
pub(super) struct Trial {
    /// What happens where.
    pub(super) what: String,
    pub(super) play: Box<Play>,
}

/// How many trials of each part are played.
#[derive(Clone, Copy)]
pub(super) enum Extent {
    All,
    /// Every second one. Many are pairs, before and after one act: of one act the first is played, of the next the second.
    Half,
}

impl Extent {
    fn of(self, trials: Vec<Trial>) -> Vec<Trial> {
        let counts = |number: usize| matches!(self, Self::All) || matches!(number % 4, 0 | 3);
        trials.into_iter().enumerate().filter(|(number, _)| counts(*number)).map(|(_, trial)| trial).collect()
    }
}

/// Plays all runs, with a trouble, until nothing is left to do.
pub(super) type Play = dyn Fn(&Stage<'_>, &Scenario) -> Result<Came> + Sync;

/// Whether a trouble came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// It did.
    Yes,
    /// It did, and led to another end for a reason that is told.
    Explained,
    /// The runs ended before it, so that nothing was tried.
    No,
}

/// A scenario with its undisturbed end.
pub(super) struct Played<'a> {
    pub(super) scenario: &'a Scenario,
    /// What was done that others can see, in order.
    pub(super) acts: Vec<String>,
    template: Template<'a>,
    expected: End,
}

/// What came of a part.
pub(super) struct Outcome {
    pub(super) name: &'static str,
    /// Trials that ended as an undisturbed run.
    pub(super) good: usize,
}

/// Whether a part of a scenario is meant, of one or of several.
fn is_named(scenario: &Scenario, part: &Part, only: &str) -> bool {
    format!("{}/{}", scenario.name, part.name).contains(only)
}

/// Whether something is played that has a name like this.
pub(super) fn names_some(parts: &[&Part], only: &str) -> bool {
    let named = |scenario: &Scenario, part: &Part| (part.plays)(scenario) && is_named(scenario, part, only);
    SCENARIOS.iter().any(|scenario| parts.iter().any(|part| named(scenario, part)))
}

/// Plays every scenario with trials of some parts, or those whose `SCENARIO/PART` contains some words.
///
/// # Errors
/// With everything that ended otherwise than undisturbed.
pub(super) fn campaign(
    programs: &Programs,
    parts: &[Part],
    extent: Extent,
    only: Option<&str>,
) -> Result<Vec<Outcome>> {
    let mut outcomes: Vec<Outcome> = parts.iter().map(|part| Outcome { name: part.name, good: 0 }).collect();
    let mut wrong = vec![];
    println!("{:<16} {:>5}  as good as undisturbed, of so many", "scenario", "acts");
    let wanted = |scenario: &Scenario, part: &Part| {
        only.is_none_or(|only| is_named(scenario, part, only)) && (part.plays)(scenario)
    };
    for scenario in SCENARIOS.iter().filter(|scenario| parts.iter().any(|part| wanted(scenario, part))) {
        let played =
            undisturbed(programs, scenario).with_context(|| format!("{}, undisturbed", scenario.name))?;
        let mut line = format!("{:<16} {:>5}", scenario.name, played.acts.len());
        for (part, outcome) in parts.iter().zip(&mut outcomes) {
            if !wanted(scenario, part) {
                continue;
            }
            let trials = extent.of((part.trials)(&played));
            let began = Instant::now();
            let found = try_all(&played, &trials);
            let good = trials.len() - found.len();
            let (all, seconds) = (trials.len(), began.elapsed().as_secs_f64());
            write!(line, "  {} {good}/{all} in {seconds:.0} s", part.name)?;
            outcome.good += good;
            wrong.extend(found);
        }
        println!("{line}");
    }
    if wrong.is_empty() { Ok(outcomes) } else { bail!("{}", wrong.join("\n\n")) }
}

fn undisturbed<'a>(programs: &'a Programs, scenario: &'a Scenario) -> Result<Played<'a>> {
    let template = Template::make(programs, scenario)?;
    let stage = template.stage()?;
    play(&stage, scenario)?;
    let (acts, expected) = (stage.switch.acts()?, end(&stage, scenario.serves)?);
    drop(stage);
    Ok(Played { scenario, acts, template, expected })
}

/// Plays each trial; answers what went wrong.
fn try_all(played: &Played<'_>, trials: &[Trial]) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let worker = || loop {
        let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
        if let Err(error) = tried(played, trial) {
            let what = format!("{}, {}: {error:#}", played.scenario.name, trial.what);
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

fn tried(played: &Played<'_>, trial: &Trial) -> Result<()> {
    for _ in 0..TRIES {
        let stage = played.template.stage()?;
        let came = (trial.play)(&stage, played.scenario).and_then(|came| {
            if came == Came::Yes {
                let differences = end(&stage, played.scenario.serves)?.differences(&played.expected);
                ensure!(differences.is_empty(), "{}", differences.join("\n"));
            }
            Ok(came)
        });
        match came {
            Ok(Came::Yes | Came::Explained) => return Ok(()),
            Ok(Came::No) => {}
            Err(error) => {
                println!("{}, {}: {error:#}\n{}", played.scenario.name, trial.what, stage.story());
                return Err(error);
            }
        }
    }
    bail!("the trouble did not come in {TRIES} tries")
}

/// Plays all runs, then more until nothing is left to do.
pub(super) fn play(stage: &Stage<'_>, scenario: &Scenario) -> Result<Came> {
    for run in scenario.runs {
        stage.run(run)?;
    }
    stage.settle()?;
    Ok(if stage.switch.strikes()? > 0 { Came::Yes } else { Came::No })
}

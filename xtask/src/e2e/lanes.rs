//! Several steps at a time: each is a process of its own, and what it prints is shown whole when it ends.

use std::{
    fs::{self, File},
    io,
    path::Path,
    process::Stdio,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result, bail};

use super::{Ended, Step, Subject};
use crate::workspace::Workspace;

/// They wait for servers, clocks and packages more than they compute.
const AT_A_TIME: usize = 3;
/// Names the file that a process of one step writes its ending to.
const ENDING: &str = "TAGSHIP_E2E_ENDING";

/// Runs steps in the order given, some at a time; answers how each ended, in the order in which they did.
pub(super) fn run(steps: &[&'static Step], subject: &Subject<'_>) -> Result<Vec<(&'static str, Ended)>> {
    // Once, and before anyone waits for it.
    subject.binaries()?;
    let (workspace, demo) = (subject.workspace, subject.demo()?);
    let directory = tempfile::tempdir()?;
    let (next, all) = (AtomicUsize::new(0), Mutex::new(vec![]));
    let lane = || {
        while let Some(step) = steps.get(next.fetch_add(1, Ordering::Relaxed)) {
            println!("-- {} begins", step.name);
            let log = directory.path().join(format!("{}.log", step.name));
            let ended = play(step, workspace, &demo, &log).unwrap_or_else(|error| Err(format!("{error:#}")));
            let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(error) = show(&log) {
                println!("== {}: its output cannot be shown: {error:#}", step.name);
            }
            all.push((step.name, ended));
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(lane);
        }
    });
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn play(step: &Step, workspace: &Workspace, demo: &Path, log: &Path) -> Result<Ended> {
    let ending = log.with_extension("json");
    let output = File::create(log).with_context(|| format!("create {}", log.display()))?;
    let mut process = workspace.command(std::env::current_exe()?);
    process.args(["e2e", step.name]).env(ENDING, &ending);
    Subject::pass_on(demo, &mut process);
    // Into a file, Python would keep what it prints until it ends, behind what its programs print.
    process.env("PYTHONUNBUFFERED", "1");
    process.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    let status = process.status()?;
    match fs::read(&ending) {
        Ok(told) => Ok(serde_json::from_slice(&told)?),
        Err(_) => bail!("it died without a word: {status}"),
    }
}

fn show(log: &Path) -> Result<()> {
    io::copy(&mut File::open(log)?, &mut io::stdout().lock())?;
    Ok(())
}

/// Tells whoever started this process for one step how that ended; whether somebody did.
#[allow(clippy::disallowed_methods, reason = "a process of one step is told by the one that started it")]
pub(super) fn tell(ended: &Ended) -> Result<bool> {
    let Some(file) = std::env::var_os(ENDING) else { return Ok(false) };
    fs::write(&file, serde_json::to_vec(ended)?).with_context(|| format!("write {}", file.display()))?;
    Ok(true)
}

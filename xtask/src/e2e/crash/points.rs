//! Acts that the world outside can see, numbered over all runs of a scenario, and a switch that kills the program at one of
//! them: point 2k is before act k, point 2k + 1 after it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

/// A program between its caller and the program of its place: it counts the call, and kills the caller where that is the
/// point. The words are `HERE`, `WHAT` (what is shown of an act), `PROGRAM` and `FIRST`.
const WRAPPER: &str = r#"#!/bin/sh
FIRST
read act <"HERE/count"
echo $((act + 1)) >"HERE/count"
echo "WHAT" >>"HERE/acts"
read point <"HERE/point"
[ "$point" = $((2 * act)) ] && { kill -9 $PPID; exit 1; }
PROGRAM
code=$?
[ "$point" = $((2 * act + 1)) ] && kill -9 $PPID
exit $code
"#;

/// How acts begin that change nothing.
const READS: [&str; 4] = ["git fetch", "GET ", "hook observe", "hook capabilities"];
/// Never reached.
const NOWHERE: &str = "none";

/// The switch of one stage.
pub(super) struct Switch {
    directory: PathBuf,
    victim: Mutex<Option<u32>>,
}

/// Points around acts: before and after each that changes something, and before what is read first after that, for the
/// program may have written files of its own in between. Between two readings nothing outside changes.
pub(super) fn points(acts: &[String]) -> Vec<usize> {
    let reads = |act: &String| READS.iter().any(|read| act.starts_with(read));
    let around = |at: usize| {
        let (only_reads, after_reading) =
            (acts.get(at).is_some_and(reads), at.checked_sub(1).and_then(|before| acts.get(before)));
        let before = !(only_reads && after_reading.is_some_and(reads));
        [before.then_some(2 * at), (!only_reads).then_some(2 * at + 1)]
    };
    (0..acts.len()).flat_map(around).flatten().collect()
}

/// Which side of an act.
#[derive(Clone, Copy)]
pub(super) enum Side {
    Before,
    After,
}

impl Switch {
    /// A switch with its files in a new directory.
    pub(super) fn new(directory: PathBuf) -> Result<Self> {
        fs::create_dir_all(&directory).with_context(|| format!("create {}", directory.display()))?;
        let switch = Self { directory, victim: Mutex::new(None) };
        switch.disarm()?;
        switch.wrap("git", ["", "git $9", r#"PATH="$SEARCH" git "$@""#])?;
        Ok(switch)
    }

    /// Forgets what was counted, and kills at a point from now on.
    pub(super) fn arm(&self, point: usize) -> Result<()> {
        self.set("acts", "")?;
        self.set("count", "0\n")?;
        self.set("point", &format!("{point}\n"))
    }

    /// Forgets what was counted, and kills nobody.
    pub(super) fn disarm(&self) -> Result<()> {
        self.set("acts", "")?;
        self.set("count", "0\n")?;
        self.set("point", &format!("{NOWHERE}\n"))
    }

    /// Counts on, and kills nobody any more.
    pub(super) fn release(&self) -> Result<()> {
        self.set("point", &format!("{NOWHERE}\n"))
    }

    /// A directory with a `git` that is counted, for the search path.
    pub(super) fn search(&self) -> &Path {
        &self.directory
    }

    /// Puts a program that is counted before another one, in words of a shell: what comes first, what the list of acts says
    /// of a call, and the call itself.
    pub(super) fn wrap(&self, name: &str, [first, shown, call]: [&str; 3]) -> Result<PathBuf> {
        let here = self.directory.display().to_string();
        let script = WRAPPER.replace("FIRST", first).replace("PROGRAM", call).replace("WHAT", shown);
        let script = script.replace("HERE", &here);
        let path = self.directory.join(name);
        fs::write(&path, script).with_context(|| format!("write {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).context("make it executable")?;
        Ok(path)
    }

    /// Who is to be killed where a wrapper is not the one that does it.
    pub(super) fn aim(&self, victim: Option<u32>) {
        *self.victim() = victim;
    }

    /// Counts an act of the program and answers its number.
    pub(super) fn count(&self, shown: &str) -> Result<usize> {
        // One at a time, as the wrappers are.
        let _held = self.victim();
        let number: usize = self.get("count")?.trim().parse().context("the count is a number")?;
        self.set("count", &format!("{}\n", number + 1))?;
        let acts = self.get("acts")?;
        self.set("acts", &format!("{acts}{shown}\n"))?;
        Ok(number)
    }

    /// Kills the program where this is the point; answers whether it did.
    pub(super) fn strike(&self, act: usize, side: Side) -> Result<bool> {
        let at = match side {
            Side::Before => 2 * act,
            Side::After => 2 * act + 1,
        };
        if self.get("point")?.trim() != at.to_string() {
            return Ok(false);
        }
        let victim = *self.victim();
        let pid = victim.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        kill_process(pid.context("somebody is aimed at")?, Signal::KILL).context("kill the program")?;
        Ok(true)
    }

    /// What was done so far, in order.
    pub(super) fn acts(&self) -> Result<Vec<String>> {
        Ok(self.get("acts")?.lines().map(str::to_owned).collect())
    }

    fn victim(&self) -> MutexGuard<'_, Option<u32>> {
        self.victim.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, name: &str) -> Result<String> {
        let path = self.directory.join(name);
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }

    fn set(&self, name: &str, text: &str) -> Result<()> {
        let path = self.directory.join(name);
        fs::write(&path, text).with_context(|| format!("write {}", path.display()))
    }
}

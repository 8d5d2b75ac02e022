//! Acts that the world outside can see, numbered over all runs of a scenario, and a switch that strikes at one of them: point
//! 2k is before act k, point 2k + 1 after it.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::model_server::until;

/// A program between its caller and the program of its place: it counts the call, and strikes where that is the point. The
/// words are `HERE`, `WHAT` (what is shown of an act), `PROGRAM` and `FIRST`. Whoever waits to be woken up gives up when the
/// stage is gone.
const WRAPPER: &str = r#"#!/bin/sh
FIRST
read act <"HERE/count"
echo $((act + 1)) >"HERE/count"
echo "WHAT" >>"HERE/acts"
read point deed <"HERE/point"
strike() {
  [ "$point" = "$1" ] || return 0
  echo none >"HERE/point"
  echo "$deed" >>"HERE/struck"
  case $deed in
    kill) kill -9 $PPID; exit 1 ;;
    stop) kill -STOP $PPID; : >"HERE/halted"; until [ -e "HERE/awake" ] || [ ! -d "HERE" ]; do sleep 0.02; done ;;
    fill*) head -c 64M /dev/zero >"${deed#fill }" 2>/dev/null ;;
  esac
}
strike $((2 * act))
PROGRAM
code=$?
strike $((2 * act + 1))
exit $code
"#;

/// How acts begin that change nothing.
const READS: [&str; 4] = ["git fetch", "GET ", "hook observe", "hook capabilities"];
/// Never reached.
const NOWHERE: &str = "none";
/// More bytes than any small disk of the campaign has.
const FULL: usize = 64 << 20;

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

/// So many of some things, spread evenly over all of them; all where there are no more.
pub(super) fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    let count = count.min(all.len());
    (0..count).filter_map(|at| all.get(at * all.len() / count)).copied().collect()
}

/// What happens at a point.
#[derive(Clone)]
pub(super) enum Deed {
    /// The program is killed.
    Kill,
    /// The program is stopped, and the act with it, until somebody wakes them up.
    Stop,
    /// This file takes all that is left of its disk.
    Fill(PathBuf),
}

impl Deed {
    fn written(&self) -> String {
        match self {
            Self::Kill => "kill".to_owned(),
            Self::Stop => "stop".to_owned(),
            Self::Fill(ballast) => format!("fill {}", ballast.display()),
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text.split_once(' ') {
            Some(("fill", ballast)) => Some(Self::Fill(ballast.into())),
            _ => [Self::Kill, Self::Stop].into_iter().find(|deed| deed.written() == text),
        }
    }
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

    /// Forgets what was counted, and strikes at a point from now on.
    pub(super) fn arm(&self, point: usize, deed: &Deed) -> Result<()> {
        self.disarm()?;
        self.set("point", &format!("{point} {}\n", deed.written()))
    }

    /// Forgets what was counted and struck, and strikes nowhere.
    pub(super) fn disarm(&self) -> Result<()> {
        self.set("acts", "")?;
        self.set("struck", "")?;
        self.set("count", "0\n")?;
        self.set("point", &format!("{NOWHERE}\n"))
    }

    /// How often it struck.
    pub(super) fn strikes(&self) -> Result<usize> {
        Ok(self.get("struck")?.lines().count())
    }

    /// Whether somebody waits to be woken up.
    pub(super) fn has_halted(&self) -> bool {
        self.directory.join("halted").exists()
    }

    /// Wakes up a program that was stopped, and the act with it.
    pub(super) fn wake(&self, program: u32) -> Result<()> {
        self.set("awake", "")?;
        signal(Some(program), Signal::CONT)
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

    /// Who is struck where a wrapper is not the one that does it.
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

    /// Strikes where this is the point; answers whether the program is dead now.
    pub(super) fn strike(&self, act: usize, side: Side) -> Result<bool> {
        let at = match side {
            Side::Before => 2 * act,
            Side::After => 2 * act + 1,
        };
        let armed = self.get("point")?;
        let Some((point, deed)) = armed.trim().split_once(' ').filter(|(point, _)| *point == at.to_string())
        else {
            return Ok(false);
        };
        let deed = Deed::read(deed).with_context(|| format!("no deed at {point}: {deed}"))?;
        self.set("point", &format!("{NOWHERE}\n"))?;
        self.set("struck", &format!("{}\n", deed.written()))?;
        let victim = *self.victim();
        match deed {
            Deed::Kill => signal(victim, Signal::KILL)?,
            Deed::Stop => {
                signal(victim, Signal::STOP)?;
                self.set("halted", "")?;
                until("whoever wakes it up", || self.directory.join("awake").exists().then_some(()))?;
            }
            // It ends where the disk is full.
            Deed::Fill(ref ballast) => drop(fs::write(ballast, vec![0; FULL])),
        }
        Ok(matches!(deed, Deed::Kill))
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

fn signal(program: Option<u32>, signal: Signal) -> Result<()> {
    let pid = program.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    kill_process(pid.context("somebody is aimed at")?, signal).context("signal the program")
}

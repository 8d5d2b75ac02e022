//! A repository with its origin, its models and whatever serves them, in a directory of its own, and the runs in it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, bail, ensure};
use serde_json::json;
use tagship_testkit::{Cli, Output, Running, fixtures};
use tempfile::TempDir;

use super::{
    disk::Mount,
    invariants::JOURNAL,
    model_server::{ModelServer, TOKEN},
    nginx::Nginx,
    points::Switch,
    runners::Checkout,
    scenario::{LATER, MERGE, Router, Run, Scenario, TICK},
};

/// Requests that clients make before each run.
const REQUESTS: usize = 40;
/// Runs that it may take until nothing is left to do.
pub(super) const PATIENCE: usize = 12;
/// What the headline of a rollout says that has nothing left to do.
const ALL_DONE: &str = "all done";
/// How runs end that do what they should: done, a verdict that is negative, a rollback that a person has to look after,
/// still running.
const GOOD: [i32; 4] = [0, 1, STUCK, 6];
const STUCK: i32 = 5;
/// How a run ends that somebody killed, one that a rule of the remote forbids something, and one that could not do what it
/// should.
const TROUBLED: [i32; 3] = [-1, 2, 3];
/// What is built and installed.
pub(super) struct Programs {
    /// `tagship` by a clock that leaps over waits.
    pub(super) tagship: PathBuf,
    pub(super) serve: PathBuf,
    pub(super) nginx: PathBuf,
    /// The sample hooks.
    pub(super) hooks: PathBuf,
}

/// What serves.
pub(super) enum Front {
    Serve(ModelServer),
    Nginx(Nginx),
}

/// A scenario that is about to be played.
pub(super) struct Stage<'a> {
    programs: &'a Programs,
    pub(super) scenario: &'a Scenario,
    pub(super) switch: Arc<Switch>,
    pub(super) front: Front,
    /// Seconds by which runs are later than now.
    later: Cell<i64>,
    /// Runs that were started.
    started: Cell<usize>,
    /// Runs that ended in trouble.
    troubled: Cell<usize>,
    setting: Cell<Option<Setting>>,
    disk: RefCell<Option<(Mount, PathBuf)>>,
    told: RefCell<String>,
    // Last, so that whatever runs in it ends before it goes.
    home: TempDir,
}

/// A clock that is wrong.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    /// The run that goes by it.
    pub(super) run: usize,
    /// How often that has read it when it is set.
    pub(super) after: u64,
    /// Seconds that it is ahead from then on, or behind where they are negative.
    pub(super) by: i64,
}

impl<'a> Stage<'a> {
    pub(super) fn open(programs: &'a Programs, scenario: &'a Scenario, home: TempDir) -> Result<Self> {
        let switch = Arc::new(Switch::new(home.path().join("switch"))?);
        let front = match scenario.router {
            Router::Serve => {
                Front::Serve(ModelServer::start(&programs.serve, &home.path().join("serve"), switch.clone())?)
            }
            Router::Nginx => Front::Nginx(Nginx::start(
                &programs.nginx,
                &programs.hooks,
                &home.path().join("nginx"),
                &switch,
            )?),
        };
        let stage = Self {
            programs,
            scenario,
            switch,
            front,
            later: Cell::new(0),
            started: Cell::new(0),
            troubled: Cell::new(0),
            setting: Cell::new(None),
            disk: RefCell::new(None),
            told: RefCell::default(),
            home,
        };
        stage.configure()?;
        Ok(stage)
    }

    /// The first release serves, and whatever else has to be there before the story begins.
    pub(super) fn serve(&self) -> Result<()> {
        self.expect(0, &self.run_words(&["rollout", "--version", "v0.1.0"]))?;
        for run in self.scenario.before {
            self.run(run)?;
        }
        Ok(())
    }

    /// A path in the stage's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The clone that runs work in.
    pub(super) fn clone(&self) -> PathBuf {
        self.path("clone")
    }

    /// Runs git as the person of the stage.
    pub(super) fn git(&self, directory: &Path, words: &[&str]) -> Result<String> {
        self.output("git", directory, words)
    }

    /// Runs a program of the system and answers what it printed.
    #[expect(clippy::unused_self, reason = "programs are run as the person of the stage")]
    pub(super) fn output(&self, program: &str, directory: &Path, words: &[&str]) -> Result<String> {
        let done = Cli::new(program).args(words).current_dir(directory).run();
        if done.code == 0 { Ok(done.stdout) } else { bail!("{program} {}: {}", words.join(" "), done.stderr) }
    }

    /// Plays one run of the scenario. Where it ends in trouble it is run again, as its host or a person would; once for
    /// each time that something struck.
    pub(super) fn run(&self, run: &Run) -> Result<Output> {
        self.pass_time(run)?;
        loop {
            let done = self.run_words(run.words);
            if let Some((_, ballast)) = &*self.disk.borrow() {
                // Somebody makes room.
                let _ = fs::remove_file(ballast);
            }
            if !TROUBLED.contains(&done.code) || self.troubled.get() >= self.switch.strikes()? {
                self.accept(run.words, &done)?;
                return Ok(done);
            }
            self.tell(run.words, &done);
            ensure!(!done.stderr.contains("panicked"), "{:?} panicked:\n{}", run.words, done.stderr);
            self.troubled.set(self.troubled.get() + 1);
        }
    }

    /// A run ended as a run should.
    pub(super) fn accept(&self, words: &[&str], done: &Output) -> Result<()> {
        let Output { code, stdout, stderr } = done;
        self.tell(words, done);
        ensure!(GOOD.contains(code), "{words:?} ended with {code}:\n{stdout}{stderr}");
        Ok(())
    }

    fn tell(&self, words: &[&str], Output { code, stdout, stderr }: &Output) {
        let _ = writeln!(self.told.borrow_mut(), "{words:?}: {code}\n{stdout}{stderr}");
    }

    /// Before a run its time passes, and clients ask.
    pub(super) fn pass_time(&self, run: &Run) -> Result<()> {
        if run.later {
            self.later.set(self.later.get() + LATER);
        }
        if let (Front::Serve(server), true) = (&self.front, self.scenario.strategy.contains("analysis")) {
            server.ask(&inputs()?, REQUESTS)?;
        }
        Ok(())
    }

    pub(super) fn run_words(&self, words: &[&str]) -> Output {
        let done = self.start(&self.clone(), words).wait();
        self.switch.aim(None);
        done
    }

    /// Runs with what they said, and the journal, for whoever looks into an end that is wrong.
    pub(super) fn story(&self) -> String {
        let log = ["log", "--reverse", "--format=%s", JOURNAL];
        let journal = self.git(&self.path("origin.git"), &log).unwrap_or_else(|error| error.to_string());
        format!("{}\n{journal}", self.told.borrow())
    }

    /// Starts a run, which is the one that a switch strikes.
    pub(super) fn start(&self, clone: &Path, words: &[&str]) -> Running {
        let running = self.cli(clone, words).start();
        self.switch.aim(Some(running.id()));
        running
    }

    /// Where another run works.
    pub(super) fn checkout(&self, checkout: Checkout) -> Result<PathBuf> {
        let Checkout::Own = checkout else { return Ok(self.clone()) };
        let other = self.path("other");
        if !other.exists() {
            self.git(&self.path("."), &["clone", "--quiet", "origin.git", "other"])?;
            // Whatever stands for the host and its store is the same for both.
            std::os::unix::fs::symlink(self.clone().join(".tagship"), other.join(".tagship"))?;
        }
        Ok(other)
    }

    /// What everyone can see: refs of the origin with what they point at, and the traffic.
    pub(super) fn published(&self) -> Result<String> {
        let refs = self.git(&self.path("origin.git"), &["for-each-ref"])?;
        Ok(format!("{refs}{:?}", self.weights()?))
    }

    /// The clock of one run will be wrong.
    pub(super) fn set_clock(&self, setting: Setting) {
        self.started.set(0);
        self.setting.set(Some(setting));
    }

    /// A disk lasts as long as the stage; a file that fills it goes when somebody makes room.
    pub(super) fn hold(&self, disk: Mount, ballast: PathBuf) {
        *self.disk.borrow_mut() = Some((disk, ballast));
    }

    /// The program, ready to run in a clone.
    pub(super) fn cli(&self, clone: &Path, words: &[&str]) -> Cli {
        let search = std::env::var_os("PATH").unwrap_or_default();
        let mut path = OsString::from(self.switch.search());
        path.push(":");
        path.push(&search);
        let mut cli = Cli::new(&self.programs.tagship).current_dir(clone).args(words);
        if words == MERGE {
            cli = cli.arg(self.path("push.json"));
        }
        cli = cli.arg("--config").arg(self.path("tagship.yml"));
        cli.env("PATH", path)
            .env("SEARCH", search)
            .env("TOKEN", TOKEN)
            .env("HASTY_AHEAD", self.later.get().to_string())
            .env("HASTY_SETTING", self.clock())
    }

    /// How the clock of the next run is set while it runs.
    fn clock(&self) -> String {
        let run = self.started.replace(self.started.get() + 1);
        let setting = self.setting.get().filter(|setting| setting.run == run);
        setting.map(|setting| format!("{}:{}", setting.after, setting.by)).unwrap_or_default()
    }

    /// Runs go on until nothing is left to do, or nothing but for a person: what has ended may still have to take an old
    /// version down.
    pub(super) fn settle(&self) -> Result<()> {
        for runs in 0..PATIENCE {
            let done = self.run(&Run { words: TICK, later: runs > 0 })?;
            if done.code == STUCK || done.code != 6 && self.newest_entry()?.contains(ALL_DONE) {
                return Ok(());
            }
        }
        bail!("{PATIENCE} runs were not enough: {}", self.newest_entry()?.trim())
    }

    /// The headline of the journal's newest entry.
    fn newest_entry(&self) -> Result<String> {
        self.git(&self.path("origin.git"), &["log", "-1", "--format=%s", JOURNAL])
    }

    pub(super) fn expect(&self, code: i32, done: &Output) -> Result<()> {
        if done.code == code {
            return Ok(());
        }
        bail!("{}: exit {} instead of {code}:\n{}{}", self.scenario.name, done.code, done.stdout, done.stderr)
    }

    /// Ends whatever runs in it; its directory stays.
    pub(super) fn close(self) -> TempDir {
        let Self { home, front, .. } = self;
        drop(front);
        home
    }

    /// Versions that are loaded, with the traffic that they really get.
    pub(super) fn weights(&self) -> Result<BTreeMap<String, u64>> {
        match &self.front {
            Front::Serve(server) => server.weights(),
            Front::Nginx(nginx) => nginx.weights(),
        }
    }
}

/// A row that all versions call the same, as a request.
fn inputs() -> Result<String> {
    let cases = String::from_utf8(fixtures::bytes("models/churn/v1/golden.json"))?;
    let cases: serde_json::Value = serde_json::from_str(&cases)?;
    Ok(json!({ "inputs": cases["cases"][0]["inputs"] }).to_string())
}

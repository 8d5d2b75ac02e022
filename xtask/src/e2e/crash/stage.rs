//! A repository with its origin, its models and whatever serves them, in a directory of its own: made once per scenario and
//! copied for every kill.

use std::{
    cell::Cell,
    collections::BTreeMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use anyhow::{Result, bail};
use serde_json::json;
use tagship_testkit::{Cli, Output, fixtures};
use tempfile::TempDir;

use super::{
    model_server::{ModelServer, TOKEN},
    nginx::Nginx,
    points::Switch,
    scenario::{LATER, MERGE, Router, Run, Scenario, TICK},
};
use crate::process;

const CONFIG: &str = r#"version: 1
models:
  churn:
    artifact: models/model.onnx
    reports: { junit: ["reports/*.xml"], metrics: reports/metrics.json }
    validate: { VALIDATE }
    gate: { rules: [{ name: floor, expr: metrics.accuracy >= 0.5 }] }
    environments:
      production:
        target: TARGET
"#;
/// Requests that clients make before each run.
const REQUESTS: usize = 40;
/// Runs that it may take until nothing is left to do.
const PATIENCE: usize = 12;
/// What a run answers that was killed.
const KILLED: i32 = -1;
/// The pull request that brings the newest model.
pub(super) const PULL_REQUEST: u64 = 7;

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
    scenario: &'a Scenario,
    pub(super) switch: Arc<Switch>,
    pub(super) front: Front,
    /// Seconds by which runs are later than now.
    pub(super) later: Cell<i64>,
    /// Whether a run was killed.
    pub(super) killed: Cell<bool>,
    // Last, so that whatever runs in it ends before it goes.
    home: TempDir,
}

/// A directory that stages are copied from.
pub(super) struct Template<'a> {
    programs: &'a Programs,
    scenario: &'a Scenario,
    home: TempDir,
}

impl<'a> Template<'a> {
    /// Makes a repository with the releases of a scenario; where the target can be copied, it serves already.
    pub(super) fn make(programs: &'a Programs, scenario: &'a Scenario) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let stage = Stage::open(programs, scenario, home)?;
        stage.init()?;
        for variant in scenario.released {
            stage.bring(variant)?;
            for verb in ["validate", "gate", "release"] {
                stage.expect(0, &stage.run_words(&[verb]))?;
            }
        }
        if let Some(variant) = scenario.merges {
            stage.bring(variant)?;
        }
        if scenario.router == Router::Serve {
            stage.serve()?;
        }
        let Stage { home, front, .. } = stage;
        drop(front);
        Ok(Self { programs, scenario, home })
    }

    /// A copy, ready to be played in.
    pub(super) fn stage(&self) -> Result<Stage<'a>> {
        let home = tempfile::tempdir()?;
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(self.home.path().join(".")).arg(home.path());
        process::output(copy)?;
        let stage = Stage::open(self.programs, self.scenario, home)?;
        if self.scenario.router == Router::Nginx {
            stage.serve()?;
        }
        stage.switch.disarm()?;
        Ok(stage)
    }
}

impl<'a> Stage<'a> {
    fn open(programs: &'a Programs, scenario: &'a Scenario, home: TempDir) -> Result<Self> {
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
        let stage =
            Self { programs, scenario, switch, front, later: Cell::new(0), killed: Cell::new(false), home };
        let (target, validate) = match &stage.front {
            Front::Serve(server) => {
                (server.target(), "golden: { cases: models/golden.json, tolerance: 1e-4 }")
            }
            // A backend of nginx knows its name, and nothing about churn.
            Front::Nginx(nginx) => (nginx.target(), "formats: [onnx]"),
        };
        let settings = scenario.strategy.replace('\n', "\n        ");
        let config = CONFIG.replace("TARGET", &target).replace("VALIDATE", validate);
        fs::write(stage.path("tagship.yml"), format!("{config}        {settings}\n"))?;
        Ok(stage)
    }

    fn init(&self) -> Result<()> {
        let origin = self.path("origin.git");
        fs::create_dir_all(&origin)?;
        self.git(&origin, &["init", "--quiet", "--bare", "--initial-branch", "main"])?;
        self.git(&self.path("."), &["clone", "--quiet", "origin.git", "clone"])?;
        // Copies have their own.
        self.git(&self.clone(), &["remote", "set-url", "origin", "../origin.git"])?;
        fs::write(self.clone().join(".gitignore"), ".tagship/\n")?;
        Ok(())
    }

    /// The first release serves, and whatever else has to be there before the story begins.
    fn serve(&self) -> Result<()> {
        self.expect(0, &self.run_words(&["rollout", "--version", "v0.1.0"]))?;
        for run in self.scenario.before {
            let done = self.run(run)?;
            if ![0, 6].contains(&done.code) {
                bail!("{:?} ended with {}:\n{}{}", run.words, done.code, done.stdout, done.stderr);
            }
        }
        Ok(())
    }

    /// Commits a fixture model as the one that the pull request brings.
    fn bring(&self, variant: &str) -> Result<()> {
        let (clone, from) = (self.clone(), format!("models/churn/{variant}"));
        let files = [
            ("model.onnx", "models/model.onnx"),
            ("golden.json", "models/golden.json"),
            ("metrics.json", "reports/metrics.json"),
            ("reports/junit.xml", "reports/junit.xml"),
        ];
        for (name, path) in files {
            let to = clone.join(path);
            fs::create_dir_all(to.parent().unwrap_or(&clone))?;
            fs::write(to, fixtures::bytes(&format!("{from}/{name}")))?;
        }
        self.git(&clone, &["add", "--all"])?;
        self.git(&clone, &["commit", "--quiet", "--message", &format!("Bring {variant}")])?;
        self.git(&clone, &["push", "--quiet", "origin", "HEAD:main"])?;
        let head = self.git(&clone, &["rev-parse", "HEAD"])?;
        let head = head.trim();
        let pull = clone.join(".tagship/forge/pull-requests");
        fs::create_dir_all(&pull)?;
        fs::write(pull.join(format!("{PULL_REQUEST}.json")), json!({ "head": head }).to_string())?;
        let event =
            json!({ "ref": "refs/heads/main", "after": head, "repository": { "default_branch": "main" } });
        fs::write(self.path("push.json"), event.to_string())?;
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

    /// Plays one run of the scenario. Where it is killed it is run again, as its host or a person would.
    pub(super) fn run(&self, run: &Run) -> Result<Output> {
        let done = self.run_once(run)?;
        if done.code != KILLED {
            return Ok(done);
        }
        self.killed.set(true);
        self.switch.release()?;
        self.run_once(&Run { words: run.words, later: false })
    }

    /// One run, after its time has passed and clients have asked.
    fn run_once(&self, run: &Run) -> Result<Output> {
        if run.later {
            self.later.set(self.later.get() + LATER);
        }
        if let (Front::Serve(server), true) = (&self.front, self.scenario.strategy.contains("analysis")) {
            server.ask(&inputs()?, REQUESTS)?;
        }
        Ok(self.run_words(run.words))
    }

    fn run_words(&self, words: &[&str]) -> Output {
        let running = self.cli(&self.clone(), words).start();
        self.switch.aim(Some(running.id()));
        let done = running.wait();
        self.switch.aim(None);
        done
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
    }

    /// Runs go on until nothing is left to do.
    pub(super) fn settle(&self) -> Result<()> {
        for runs in 0..PATIENCE {
            let done = self.run(&Run { words: TICK, later: runs > 0 })?;
            match done.code {
                0 | 1 => return Ok(()),
                6 => {}
                code => bail!("{TICK:?} ended with {code}:\n{}{}", done.stdout, done.stderr),
            }
        }
        bail!("{PATIENCE} runs were not enough")
    }

    fn expect(&self, code: i32, done: &Output) -> Result<()> {
        if done.code == code {
            return Ok(());
        }
        bail!("{}: exit {} instead of {code}:\n{}{}", self.scenario.name, done.code, done.stdout, done.stderr)
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

//! What stages are copied from: a repository with its origin and its releases, made once per scenario.

use std::{fs, process::Command};

use anyhow::Result;
use serde_json::json;
use tagship_testkit::fixtures;
use tempfile::TempDir;

use super::{
    scenario::{Router, Scenario},
    stage::{Front, Programs, Stage},
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
        # More than passes between two runs, less than wrong clocks are off.
        progress-deadline: 15m
        target: TARGET
"#;
/// The pull request that brings the newest model.
pub(super) const PULL_REQUEST: u64 = 7;

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
        Ok(Self { programs, scenario, home: stage.close() })
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

impl Stage<'_> {
    /// Writes the configuration, which names what this stage serves with.
    pub(super) fn configure(&self) -> Result<()> {
        let (target, validate) = match &self.front {
            Front::Serve(server) => {
                (server.target(), "golden: { cases: models/golden.json, tolerance: 1e-4 }")
            }
            // A backend of nginx knows its name, and nothing about churn.
            Front::Nginx(nginx) => (nginx.target(), "formats: [onnx]"),
        };
        let settings = self.scenario.strategy.replace('\n', "\n        ");
        let config = CONFIG.replace("TARGET", &target).replace("VALIDATE", validate);
        fs::write(self.path("tagship.yml"), format!("{config}        {settings}\n"))?;
        Ok(())
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
}

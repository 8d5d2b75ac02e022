//! What `validate --sarif` writes, held against the standard and what GitHub's code scanning asks for by the validator
//! of the standard's authors.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Ending, Subject};
use crate::{node::Packages, process};

/// The validator as a program that needs nothing else.
const VALIDATOR: &str = "node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool";

/// Artifacts without findings, with some in a file, and with some in the files of a folder.
const ARTIFACTS: [&str; 3] = [
    "tests/fixtures/models/churn/v1/model.onnx",
    "tests/fixtures/models/hostile/model.pkl",
    "tests/fixtures/models/hostile",
];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let workspace = subject.workspace;
    let packages = Packages::install(workspace, "e2e-sarif", &["@microsoft/sarif-multitool-linux@5.7.0"])?;
    let validator = packages.path(VALIDATOR);
    fs::set_permissions(&validator, Permissions::from_mode(0o755))
        .with_context(|| format!("make {} executable", validator.display()))?;
    let mut results = 0;
    for (at, artifact) in ARTIFACTS.iter().enumerate() {
        let log = packages.path(&format!("{at}.sarif"));
        let mut validate = workspace.command(subject.tagship()?);
        // Whatever the verdict: the log is what is looked at.
        validate.current_dir(workspace.path(".")).args(["validate", artifact, "--sarif"]).arg(&log);
        let ended = validate.output().context("start tagship")?;
        ensure!(
            log.is_file(),
            "validate {artifact} wrote no log: {}",
            String::from_utf8_lossy(&ended.stderr)
        );
        results += results_of(&log)?.len();
        let complaints = packages.path(&format!("{at}-complaints.sarif"));
        let mut check = workspace.command(&validator);
        // Without the libraries of languages, which a small system does not have.
        check.env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1").arg("validate").arg(&log);
        check.args(["--rule-kind", "Sarif;Ghas", "--log", "ForceOverwrite", "--output"]).arg(&complaints);
        process::run(check)?;
        let found = results_of(&complaints)?;
        ensure!(found.is_empty(), "{artifact}: {found:#?}");
    }
    ensure!(results > 1, "the hostile files have no findings");
    println!("{results} results in {} logs, and nothing to complain about", ARTIFACTS.len());
    Ok(Ending::Passed)
}

fn results_of(log: &Path) -> Result<Vec<Value>> {
    let text = fs::read_to_string(log).with_context(|| format!("read {}", log.display()))?;
    let log: Value = serde_json::from_str(&text).context("a log is JSON")?;
    let runs = log["runs"].as_array().context("a log has runs")?;
    Ok(runs.iter().filter_map(|run| run["results"].as_array()).flatten().cloned().collect())
}

//! Budgets of processor time, memory and size, measured on the programs as they are shipped.
//!
//! Never a timed test: figures are printed and a miss is told, but what else the machine does is part of each of them.

mod cost;
mod drift;
mod inputs;
mod rollouts;
mod scanners;
mod stores;
mod table;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{dist, process, workspace::Workspace};
use table::{Line, Row, Unit};

/// Runs of what takes milliseconds.
const SHORT_RUNS: u32 = 50;
/// Most memory that reading a model may take, whatever its size.
const READER_MEMORY: f64 = 64.0 * 1024.0 * 1024.0;

/// A group of budgets that can be measured alone.
struct Part {
    name: &'static str,
    /// It takes long, and is run where it is named.
    by_name: bool,
    run: fn(&Bench<'_>) -> Result<Vec<Line>>,
}

/// Other scanners of model files.
const SCANNERS: &str = "scanners";

/// Other tools that look for drift.
const DRIFT: &str = "drift";

/// Transfers of a large model.
const STORES: &str = "stores";

const PARTS: &[Part] = &[
    Part { name: "small", by_name: false, run: small },
    Part { name: "large", by_name: false, run: large },
    Part { name: "pickle", by_name: false, run: pickle },
    Part { name: "registry", by_name: false, run: registry },
    Part { name: "rollouts", by_name: false, run: rollouts::run },
    Part { name: "step", by_name: false, run: step },
    Part { name: "action", by_name: false, run: action },
    Part { name: "size", by_name: false, run: size },
    Part { name: "forest", by_name: false, run: forest },
    Part { name: DRIFT, by_name: true, run: drift::run },
    Part { name: SCANNERS, by_name: true, run: scanners::run },
    Part { name: STORES, by_name: true, run: stores::run },
];

impl Part {
    fn is_wanted(&self, names: &[&str]) -> bool {
        if names.is_empty() { !self.by_name } else { names.contains(&self.name) }
    }
}

/// Where the programs are and where inputs may lie.
struct Bench<'a> {
    workspace: &'a Workspace,
    scratch: TempDir,
}

/// Measures the named parts, or all.
pub(crate) fn run(workspace: &Workspace, names: &[&str]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !PARTS.iter().any(|part| part.name == **name)) {
        let known: Vec<&str> = PARTS.iter().map(|part| part.name).collect();
        bail!("{unknown:?} is no part; there is {}", known.join(", "));
    }
    match names {
        // They look at one program, and a build of all of them takes as long as the rest.
        [SCANNERS | DRIFT | STORES] => dist::build_first(workspace)?,
        _ => dist::build(workspace)?,
    }
    let scratch = tempfile::tempdir().context("make a temporary directory")?;
    let bench = Bench { workspace, scratch };
    let mut lines = Vec::new();
    for part in PARTS.iter().filter(|part| part.is_wanted(names)) {
        println!("measuring {} ...", part.name);
        match (part.run)(&bench) {
            Ok(measured) => lines.extend(measured),
            Err(error) => lines.push(Line::Missing { work: part.name, why: format!("{error:#}") }),
        }
    }
    println!("\n{}", table::render(&lines));
    Ok(())
}

impl Bench<'_> {
    /// The program that has every verb.
    fn program(&self) -> PathBuf {
        dist::PROGRAMS[0].path(self.workspace)
    }

    /// Tagship, run where it finds nothing of this repository.
    fn tagship(&self, directory: &Path, arguments: &[&str]) -> Command {
        let mut tagship = Command::new(self.program());
        // What the host of a workflow says would only disturb; the search path is needed for git.
        let kept = std::env::vars_os().filter(|(name, _)| name == "PATH");
        tagship.args(arguments).current_dir(directory).env_clear().envs(kept);
        tagship
    }

    fn input(&self, name: &str, make: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<PathBuf> {
        let path = self.scratch.path().join(name);
        make(&path).with_context(|| format!("make {}", path.display()))?;
        Ok(path)
    }

    fn validate(&self, path: &Path, times: u32) -> Result<cost::Cost> {
        let path = path.to_string_lossy();
        cost::of(|| self.tagship(self.scratch.path(), &["validate", &path]), times)
    }
}

fn row(work: &'static str, measured: f64, budget: f64, unit: Unit) -> Line {
    Line::Row(Row { work, measured, budget, unit })
}

#[allow(clippy::cast_precision_loss, reason = "bytes of a process or file")]
fn bytes(count: u64) -> f64 {
    count as f64
}

/// Whether a counterpart can be started here.
fn exists(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg(if program == "openssl" { "version" } else { "--version" });
    process::output(command).is_ok()
}

fn small(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let model = bench.workspace.path("tests/fixtures/models/churn/v1/model.onnx");
    let cost = bench.validate(&model, SHORT_RUNS)?;
    Ok(vec![row("validate a small ONNX file", cost.cpu, 0.010, Unit::Cpu)])
}

/// Reading, judging and hashing against hashing alone, one right after the other.
fn large(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let tensors = bench.input("large.safetensors", |path| inputs::safetensors(path, 256))?;
    let works =
        ["validate 1 GB safetensors, CPU of `openssl dgst -sha256`", "validate 1 GB safetensors, memory"];
    let mut lines = beside_openssl(bench, &tensors, works)?;
    fs::remove_file(&tensors).context("remove the input")?;
    let state = bench.input("large.pt", |path| inputs::torch(path, 256))?;
    let works = ["validate 1 GB torch zip, CPU of `openssl dgst -sha256`", "validate 1 GB torch zip, memory"];
    lines.extend(beside_openssl(bench, &state, works)?);
    fs::remove_file(&state).context("remove the input")?;
    let model = bench.input("large.onnx", |path| inputs::onnx(path, 124))?;
    let works = ["validate 520 MB ONNX, CPU of `openssl dgst -sha256`", "validate 520 MB ONNX, memory"];
    lines.extend(beside_openssl(bench, &model, works)?);
    let cost = bench.validate(&model, 1)?;
    lines.push(row("validate 520 MB ONNX", cost.cpu, 1.0, Unit::Cpu));
    fs::remove_file(&model).context("remove the input")?;
    Ok(lines)
}

fn beside_openssl(bench: &Bench<'_>, path: &Path, [work, memory]: [&'static str; 2]) -> Result<Vec<Line>> {
    let ours = bench.validate(path, 3)?;
    let memory = row(memory, bytes(ours.memory), READER_MEMORY, Unit::Memory);
    if !exists("openssl") {
        return Ok(vec![Line::Missing { work, why: "openssl cannot be started".to_owned() }, memory]);
    }
    let hash = || {
        let mut openssl = Command::new("openssl");
        openssl.args(["dgst", "-sha256"]).arg(path);
        openssl
    };
    let theirs = cost::of(hash, 3)?;
    Ok(vec![row(work, ours.cpu / theirs.cpu, 1.2, Unit::Times), memory])
}

fn pickle(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let path = bench.input("large.pkl", inputs::pickle)?;
    let cost = bench.validate(&path, 1)?;
    fs::remove_file(&path).context("remove the input")?;
    Ok(vec![
        row("validate a 430 MB pickle of 180 million opcodes", cost.cpu, 3.0, Unit::Cpu),
        row("the same, memory", bytes(cost.memory), READER_MEMORY, Unit::Memory),
    ])
}

fn registry(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.scratch.path().join("tags");
    inputs::repository(&directory, 10_000)?;
    let mut lines = vec![];
    for (work, words, budget) in [
        ("registry show with 10,000 tags", &["show", "--format", "json"][..], 0.2),
        ("registry check with 10,000 tags", &["check", "m7@v1.7.0"], 0.3),
        // Planned in full; the tag itself costs three calls of git.
        ("registry register with 10,000 tags", &["register", "new", "--dry-run"], 0.3),
    ] {
        let words = [&["registry"], words].concat();
        let cost = cost::of(|| bench.tagship(&directory, &words), 10)?;
        lines.push(row(work, cost.cpu, budget, Unit::Cpu));
    }
    Ok(lines)
}

/// A step for an event that leads to nothing, as most events do.
fn step(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.scratch.path().join("step");
    inputs::repository(&directory, 10)?;
    fs::write(directory.join("event.json"), r#"{"action":"started"}"#).context("write the event")?;
    let idle = ["run", "--event-name", "watch", "--event-path", "event.json"];
    let cost = cost::of(|| bench.tagship(&directory, &idle), SHORT_RUNS)?;
    let mut lines = vec![row("a step that has nothing to do", cost.cpu, 0.015, Unit::Cpu)];
    let work = "the same, wall time of `node -e ''`";
    if exists("node") {
        let node = || {
            let mut node = Command::new("node");
            node.args(["-e", ""]);
            node
        };
        let (ours, theirs) = (
            cost::least_wall(|| bench.tagship(&directory, &idle), SHORT_RUNS)?,
            cost::least_wall(node, SHORT_RUNS)?,
        );
        lines.push(row(work, ours / theirs, 0.1, Unit::Times));
    } else {
        lines.push(Line::Missing { work, why: "node cannot be started".to_owned() });
    }
    Ok(lines)
}

/// What an action adds to a job that it has nothing to do in: bash, `run.sh` and the program, against the smallest action
/// that runs on node.
fn action(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let directory = bench.scratch.path().join("action");
    inputs::repository(&directory, 10)?;
    fs::write(directory.join("event.json"), r#"{"action":"started"}"#).context("write the event")?;
    let hello = directory.join("hello.js");
    fs::write(&hello, "console.log('hello')\n").context("write the node program")?;
    let decide = dist::PROGRAMS.into_iter().find(|program| program.name == "tagship-decide");
    let decide = decide.context("tagship-decide is not shipped")?.path(bench.workspace);
    let programs = decide.parent().context("a program lies in a directory")?;
    // As a runner starts the one step of `action.yml`.
    let ours = || {
        let mut bash = Command::new("bash");
        bash.args(["--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]);
        bash.arg(r#""$GITHUB_ACTION_PATH/../_run/run.sh" decide"#);
        let kept = std::env::vars_os().filter(|(name, _)| name == "PATH");
        bash.current_dir(&directory).env_clear().envs(kept);
        bash.env("GITHUB_ACTIONS", "true").env("RUNNER_OS", "Linux").env("TAGSHIP_BINARY_DIR", programs);
        bash.env("GITHUB_ACTION_PATH", bench.workspace.path("actions/decide"));
        bash.env("TAGSHIP_EVENT_NAME", "watch").env("TAGSHIP_EVENT_PATH", "event.json");
        bash
    };
    let node = || {
        let mut node = Command::new("node");
        node.arg(&hello);
        node
    };
    let [wall, cpu] = ["an action with nothing to do, wall time of a node hello", "the same, CPU"];
    if !exists("node") {
        return Ok(vec![Line::Missing { work: wall, why: "node cannot be started".to_owned() }]);
    }
    let (our_cost, node_cost) = (cost::of(ours, SHORT_RUNS)?, cost::of(node, SHORT_RUNS)?);
    let (our_wall, node_wall) = (cost::least_wall(ours, SHORT_RUNS)?, cost::least_wall(node, SHORT_RUNS)?);
    Ok(vec![
        row(wall, our_wall / node_wall, 0.1, Unit::Times),
        row(cpu, our_cost.cpu / node_cost.cpu, 0.1, Unit::Times),
    ])
}

/// The profiles of what is shipped strip it.
fn size(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let measured = |program: dist::Program| {
        let path = program.path(bench.workspace);
        let metadata = fs::metadata(&path).with_context(|| format!("look at {}", path.display()))?;
        Ok(row(program.name, bytes(metadata.len()), bytes(program.budget), Unit::Size))
    };
    dist::PROGRAMS.into_iter().map(measured).collect()
}

/// Inference has no budget of its own yet: its figures are printed as they come.
fn forest(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let arguments = ["bench", "--locked", "--profile", "dist", "--package", "tagship-serve"];
    process::run(bench.workspace.cargo(&arguments))?;
    Ok(vec![])
}

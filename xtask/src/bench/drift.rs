//! Drift of two tables of a million rows and twenty columns, beside the tools that data scientists use for it.

use std::{path::PathBuf, process::Command};

use anyhow::Result;

use super::{
    Bench, bytes, cost,
    cost::Cost,
    row,
    table::{Line, Unit},
};
use crate::{process, python::Environment};

const PACKAGES: [&str; 5] =
    ["evidently==0.7.23", "numpy==2.4.6", "pandas==2.3.3", "pyarrow==26.0.1", "scipy==1.17.1"];
const ROWS: &str = "1000000";

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let python = Environment::install(bench.workspace, "bench-drift", &PACKAGES)?;
    let script = |words: &[&str]| -> Command {
        let mut command = python.program("python");
        command.arg(bench.workspace.path("tests/e2e/drift_tables.py")).args(words);
        command
    };
    let make = |name: &str, seed: &str| -> Result<PathBuf> {
        let path = bench.scratch.path().join(name);
        process::run(script(&["make", &path.to_string_lossy(), ROWS, seed]))?;
        Ok(path)
    };
    let (reference, current) = (make("reference.parquet", "1")?, make("current.parquet", "2")?);
    let (reference, current) = (reference.to_string_lossy(), current.to_string_lossy());
    let asked = ["monitor", "drift", "--format", "json", "--reference", &reference, "--current", &current];
    let ours = cost::of(|| bench.tagship(bench.scratch.path(), &asked), 3)?;
    let mut lines = vec![
        row("drift of 1,000,000 x 20 Parquet", ours.cpu, 4.0, Unit::Cpu),
        row("the same, memory", bytes(ours.memory), 200e6, Unit::Memory),
    ];
    let mut beside = |works: [&'static str; 2], tool: &str, cpu: f64, memory: f64| -> Result<()> {
        let theirs: Cost = cost::of(|| script(&[tool, &reference, &current]), 1)?;
        println!("{tool}: {:.1} s CPU, {:.0} MB", theirs.cpu, bytes(theirs.memory) / 1e6);
        lines.push(row(works[0], ours.cpu / theirs.cpu, cpu, Unit::Times));
        lines.push(row(works[1], bytes(ours.memory) / bytes(theirs.memory), memory, Unit::Times));
        Ok(())
    };
    beside(
        ["the same, CPU of numpy and scipy", "the same, memory of numpy and scipy"],
        "numpy",
        1.0 / 3.0,
        1.0 / 3.0,
    )?;
    beside(["the same, CPU of Evidently", "the same, memory of Evidently"], "evidently", 0.04, 0.1)?;
    Ok(lines)
}

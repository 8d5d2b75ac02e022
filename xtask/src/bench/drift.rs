//! Drift of two tables of a million rows and twenty columns, beside the tools that data scientists use for it.

use std::{fs, path::PathBuf, process::Command};

use anyhow::{Context, Result};

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
/// Files of a million rows a side, where the environment names no other number: 10 GB for both sides.
const FILES: &str = "42";
/// Name of the variable that names it; `0` leaves the large set out.
const FILES_VARIABLE: &str = "TAGSHIP_BENCH_DRIFT_FILES";

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
    lines.extend(large(bench, [&reference, &current])?);
    Ok(lines)
}

/// The same files many times over, as folders of links: what is read grows, and memory must not.
#[allow(clippy::disallowed_methods, reason = "how large it is, is up to who measures")]
fn large(bench: &Bench<'_>, sides: [&str; 2]) -> Result<Vec<Line>> {
    let files = std::env::var(FILES_VARIABLE).unwrap_or_else(|_absent| FILES.to_owned());
    let files: u32 = files.parse().with_context(|| format!("{FILES_VARIABLE} {files:?} is no number"))?;
    if files == 0 {
        return Ok(vec![]);
    }
    let mut bytes_read = 0.0;
    let mut folders = vec![];
    for (side, path) in ["large-reference", "large-current"].into_iter().zip(sides) {
        let folder = bench.scratch.path().join(side);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        for file in 0..files {
            let link = folder.join(format!("part-{file:03}.parquet"));
            fs::hard_link(path, &link).with_context(|| format!("make {}", link.display()))?;
        }
        let metadata = fs::metadata(path).with_context(|| format!("look at {path}"))?;
        bytes_read += bytes(metadata.len()) * f64::from(files);
        folders.push(folder.to_string_lossy().into_owned());
    }
    let asked =
        ["monitor", "drift", "--format", "json", "--reference", &folders[0], "--current", &folders[1]];
    let cost = cost::of(|| bench.tagship(bench.scratch.path(), &asked), 1)?;
    println!(
        "{files} files a side, {:.1} GB: {:.1} s CPU, {:.0} MB",
        bytes_read / 1e9,
        cost.cpu,
        bytes(cost.memory) / 1e6
    );
    Ok(vec![row("drift of many files (10 GB by default), memory", bytes(cost.memory), 200e6, Unit::Memory)])
}

//! A model of five gigabytes released to a directory and to a registry, and pulled again, beside `cp` and `sha256sum`.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::{
    Bench, READER_MEMORY, row,
    table::{Line, Unit},
};
use crate::{e2e::system, process};

/// Gigabytes of the model.
const SIZE: &str = "5";
/// How many times as long as copying and hashing a transfer may take: 0.8 of the throughput.
const TIMES: f64 = 1.25;

/// What the script says of one transfer.
#[derive(Deserialize)]
struct Measured {
    work: String,
    seconds: f64,
    memory: f64,
    times: f64,
}

/// What is measured, by what the script calls it.
const WORKS: [(&str, [&str; 2]); 6] = [
    ("release file", ["release 5 GB to a directory, beside cp and sha256sum", "the same, memory"]),
    ("pull file", ["pull 5 GB from a directory, beside cp and sha256sum", "the same, memory"]),
    ("release oci", ["release 5 GB to a registry, beside cp and sha256sum", "the same, memory"]),
    ("pull oci", ["pull 5 GB from a registry, beside cp and sha256sum", "the same, memory"]),
    (
        "release oci-parts",
        ["release 5 GB to a registry in parts, beside cp and sha256sum", "the same, memory"],
    ),
    ("pull oci-parts", ["pull 5 GB from a registry in parts, beside cp and sha256sum", "the same, memory"]),
];

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    system::demand("docker-registry", "docker-registry")?;
    let mut script = std::process::Command::new("python3");
    script.arg(bench.workspace.path("tests/e2e/store_bench.py")).arg(bench.program());
    script.args(["docker-registry", SIZE]).arg(bench.scratch.path().join("stores"));
    let said = process::output(script)?;
    let mut lines = vec![];
    for line in said.lines().filter(|line| line.starts_with('{')) {
        let measured: Measured = serde_json::from_str(line).with_context(|| format!("read {line}"))?;
        let known = WORKS.iter().find(|(work, _)| *work == measured.work);
        let (_, [throughput, memory]) = known.with_context(|| format!("nobody asked for {line}"))?;
        println!("{}: {:.1} s", measured.work, measured.seconds);
        lines.push(row(throughput, measured.times, TIMES, Unit::Times));
        lines.push(row(memory, measured.memory, READER_MEMORY, Unit::Memory));
    }
    Ok(lines)
}

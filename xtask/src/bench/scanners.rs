//! Tagship beside other scanners of model files: makes the files, installs the scanners, and has `docs/scanners.md` written.

use std::{collections::BTreeMap, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde_json::json;

use super::{Bench, inputs, table::Line};
use crate::{process, python::Environment};

/// A scanner with its version, and what is installed for it. Each has an environment of its own: their needs conflict.
struct Peer {
    name: &'static str,
    version: &'static str,
    packages: &'static [&'static str],
}

const PEERS: [Peer; 4] = [
    Peer {
        name: "picklescan",
        version: "1.0.5",
        packages: &["picklescan[7z]==1.0.5", "numpy==2.4.6", "py7zr==1.1.4"],
    },
    Peer { name: "modelscan", version: "0.8.8", packages: &["modelscan[h5py]==0.8.8", "h5py==3.16.0"] },
    // What it imports, and does not name for every Python.
    Peer {
        name: "fickling",
        version: "0.1.12",
        packages: &["fickling==0.1.12", "typing_extensions==4.16.0"],
    },
    Peer {
        name: "modelaudit",
        version: "0.2.54",
        packages: &["modelaudit==0.2.54", "modelaudit-picklescan==0.1.12"],
    },
];

/// What writes the benign files. Keras needs a backend, and this is the smallest.
const WRITERS: [&str; 14] = [
    "gguf==0.19.0",
    "h5py==3.16.0",
    "jax==0.10.2",
    "joblib==1.6.0",
    "keras==3.15.1",
    "lightgbm==4.7.0",
    "numpy==2.4.6",
    "onnx==1.23.2",
    "pandas==3.1.1",
    "py7zr==1.1.4",
    "safetensors==0.8.0",
    "scikit-learn==1.9.1",
    "skops==0.16.0",
    "xgboost-cpu==3.2.0",
];

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let workspace = bench.workspace;
    let writers = Environment::install(workspace, "bench-scanner-files", &WRITERS)?;
    let files = bench.scratch.path().join("files");
    let mut write = writers.program("python");
    write.arg(workspace.path("tests/e2e/scanner_files.py")).arg(&files);
    process::run(write)?;
    let mut peers = BTreeMap::new();
    for peer in PEERS {
        let environment = Environment::install(workspace, &format!("bench-{}", peer.name), peer.packages)?;
        let mut python = environment.program("python");
        python.args(["-c", "import platform; print(platform.python_version())"]);
        let python = process::output(python)?.trim().to_owned();
        let programs = json!({
            "version": peer.version, "directory": environment.path(""), "python": python,
        });
        peers.insert(peer.name, programs);
    }
    let settings = json!({
        "tagship": bench.program(),
        "peers": peers,
        "files": files,
        "large": large(bench)?,
        "small": workspace.path("tests/fixtures/models/churn/v1/model.onnx"),
    });
    let path = bench.scratch.path().join("settings.json");
    fs::write(&path, settings.to_string()).context("write the settings")?;
    let mut page = writers.program("python");
    page.arg(workspace.path("tests/e2e/scanner_page.py")).arg(path).arg(workspace.path("docs/scanners.md"));
    process::run(page)?;
    Ok(vec![])
}

/// Files of the sizes that budgets are stated for, by what they are.
fn large(bench: &Bench<'_>) -> Result<BTreeMap<&'static str, PathBuf>> {
    Ok(BTreeMap::from([
        ("a 430 MB pickle of 180 million opcodes", bench.input("large.pkl", inputs::pickle)?),
        ("1 GB of safetensors", bench.input("large.safetensors", |path| inputs::safetensors(path, 256))?),
        ("1 GB of a torch zip", bench.input("large.pt", |path| inputs::torch(path, 256))?),
        ("520 MB of ONNX", bench.input("large.onnx", |path| inputs::onnx(path, 124))?),
    ]))
}

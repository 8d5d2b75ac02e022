//! The libraries that write and read model files, held against what `validate` says: Python's own pickle reader (on plain,
//! changed, hostile and composed streams), pyarrow, safetensors, onnx.checker and h5py; and the same bytes on machines that differ in
//! everything else.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{process, python::Environment};

const PACKAGES: [&str; 6] = [
    "h5py==3.16.0",
    "ml_dtypes==0.6.0",
    "numpy==2.4.6",
    "onnx==1.23.2",
    "pyarrow==26.0.1",
    "safetensors==0.8.0",
];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-oracles", &PACKAGES)?;
    let mut compare = environment.program("python");
    compare.arg(subject.workspace.path("tests/e2e/oracles.py")).arg(subject.tagship()?);
    process::run(compare)?;
    Ok(Ending::Passed)
}

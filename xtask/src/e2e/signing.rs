//! The reference implementation of the `OpenSSF` Model Signing standard believes our signatures, we believe its, and the
//! bills of materials that releases carry are valid by `CycloneDX`'s own schema.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{process, python::Environment};

/// `pyopenssl` is needed by `model-signing`, which does not say so; the library of `CycloneDX` brings its schemas.
const PACKAGES: [&str; 4] =
    ["model-signing==1.1.1", "pyopenssl==26.4.0", "cyclonedx-python-lib==11.12.0", "jsonschema==4.26.0"];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-signing", &PACKAGES)?;
    let mut script = environment.program("python");
    script.arg(subject.workspace.path("tests/e2e/model_signing.py"));
    script.arg(subject.tagship()?).arg(subject.demo()?);
    process::run(script)?;
    Ok(Ending::Passed)
}

//! Stores of releases against services that speak the providers' protocols.

use std::path::Path;

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::python::Environment;

/// An implementation of S3, with what its server needs.
const MOTO: &str = "moto[s3,server]==5.2.5";

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-moto", &[MOTO])?;
    system::demand("docker-registry", "docker-registry")?;
    let registry = Path::new("docker-registry");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    system::play(subject, "stores.py", &[&environment.path("moto_server"), registry, Path::new(&cargo)])?;
    Ok(Ending::Passed)
}

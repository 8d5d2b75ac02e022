//! Stores of releases against services that speak the providers' protocols.

use std::path::Path;

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::{node::Packages, python::Environment};

/// An implementation of S3, with what its server needs.
const MOTO: &str = "moto[s3,server]==5.2.5";

/// Microsoft's emulator of its storage.
const AZURITE: &str = "azurite@3.37.0";

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-moto", &[MOTO])?;
    system::demand("docker-registry", "docker-registry")?;
    system::demand("skopeo", "skopeo")?;
    let azurite = Packages::install(subject.workspace, "azurite", &[AZURITE])?.program("azurite-blob");
    let registry = Path::new("docker-registry");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    system::play(
        subject,
        "stores.py",
        &[&environment.path("moto_server"), registry, &azurite, Path::new(&cargo)],
    )?;
    Ok(Ending::Passed)
}

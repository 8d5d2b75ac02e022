//! GTO reads the registry as Tagship does.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{process, python::Environment};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-gto", &["gto==1.10.1"])?;
    let mut compare = environment.program("python");
    compare
        .arg(subject.workspace.path("tests/e2e/gto_compare.py"))
        .arg(subject.demo()?.join("clone"))
        .arg(subject.tagship()?)
        .arg("--gto")
        .arg(environment.path("gto"));
    process::run(compare)?;
    Ok(Ending::Passed)
}

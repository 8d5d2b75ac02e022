//! GTO and Tagship read and write one registry alike.

use anyhow::Result;

use super::{Ending, Subject};
use crate::{process, python::Environment};

/// Random histories that both write and read; the script plays 200 where nobody says how many.
const HISTORIES: &str = "120";

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
    let mut play = environment.program("python");
    play.arg(subject.workspace.path("tests/e2e/gto_histories.py")).arg(subject.tagship()?);
    play.args(["--histories", HISTORIES]);
    process::run(play)?;
    Ok(Ending::Passed)
}

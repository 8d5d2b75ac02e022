//! Counterparts that come from the system's own packages.

use std::{ffi::OsStr, path::Path};

use anyhow::{Result, bail};

use super::Subject;
use crate::process;

/// Where daemons lie, which is not everybody's search path.
const DAEMONS: &str = "/usr/sbin";

/// Fails with what to install, unless a program of the system is there.
pub(super) fn demand(program: &str, package: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).chain([DAEMONS.into()]);
    if places.any(|place| place.join(program).is_file()) {
        return Ok(());
    }
    bail!(
        "there is no {program}; install it, on Debian: `apt-get install {package}`, with a /usr/sbin/policy-rc.d that ends \
         with 101 where no service may start by itself"
    )
}

/// Runs a test in Python with the built programs and a directory of its own. It needs no package.
pub(super) fn play(subject: &Subject<'_>, script: &str, words: &[&Path]) -> Result<()> {
    process::run(subject.workspace.cargo(&["build", "--locked", "--bin", "tagship-serve"]))?;
    let directory = tempfile::tempdir()?;
    let mut python = subject.workspace.command("python3");
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(OsStr::new(":"));
    path.push(DAEMONS);
    python.env("PATH", path).arg(subject.workspace.path("tests/e2e").join(script)).arg(subject.tagship()?);
    python.args(words).arg(directory.path());
    process::run(python)
}

//! Counterparts that come from the system's own packages.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::Subject;
use crate::process;

/// Where daemons lie, which is not everybody's search path.
const DAEMONS: &str = "/usr/sbin";

/// Installs a package of the system unless its program is there.
pub(crate) fn demand(program: &str, package: &str) -> Result<()> {
    if is_there(program) {
        return Ok(());
    }
    let hint = format!("install it and run again, on Debian: `apt-get install {package}`");
    install(package).with_context(|| format!("there is no {program}; {hint}"))?;
    if is_there(program) { Ok(()) } else { bail!("{package} was installed and brought no {program}") }
}

fn is_there(program: &str) -> bool {
    find(program).is_some()
}

/// Where a program lies.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places = std::env::split_paths(&path).chain([DAEMONS.into()]);
    places.map(|place| place.join(program)).find(|place| place.is_file())
}

/// Installs with the system's own client. A daemon that comes along is not started: `policy-rc.d` is Debian's way to say
/// so, and is taken away again where it was not there before. Steps beside each other install one after the other.
fn install(package: &str) -> Result<()> {
    const SCRIPT: &str = r#"set -eu
export DEBIAN_FRONTEND=noninteractive
exec 9</etc/apt
flock 9
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -q
apt-get install -q -y --no-install-recommends "$1""#;
    let is_root = rustix::process::geteuid().is_root();
    let mut command = Command::new(if is_root { "sh" } else { "sudo" });
    if !is_root {
        command.args(["-n", "sh"]);
    }
    command.args(["-c", SCRIPT, "install", package]);
    process::run(command)
}

/// Runs a test in Python with the built programs and a directory of its own. It needs no package.
pub(super) fn play(subject: &Subject<'_>, script: &str, words: &[&Path]) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let mut python = subject.workspace.command("python3");
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(OsStr::new(":"));
    path.push(DAEMONS);
    python.env("PATH", path).arg(subject.workspace.path("tests/e2e").join(script)).arg(subject.tagship()?);
    python.args(words).arg(directory.path());
    process::run(python)
}

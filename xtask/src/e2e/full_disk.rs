//! A file system that is really full: a small one in memory, mounted where nobody else sees it.

use anyhow::{Result, bail};

use super::{Ending, Subject};
use crate::process;

/// Runs every verb that writes on a full and on a read-only file system. A machine may forbid mounts, as containers
/// do; that is told, and a failure where the step is demanded: under `CI=true`.
pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let namespace = |script: &str| {
        let mut unshare = subject.workspace.command("unshare");
        // As the superuser of a user namespace, too, for whoever is not the machine's.
        unshare.args(["--map-root-user", "--mount", "--propagation", "private", "sh", "-euc", script]);
        unshare
    };
    let mut probe = namespace(r#"mount -t tmpfs -o size=64k tmpfs "$0""#);
    let directory = tempfile::tempdir()?;
    probe.arg(directory.path());
    if let Err(error) = process::output(probe) {
        let missing =
            "this machine lets no file system be mounted in a namespace (`unshare --map-root-user --mount`)";
        if std::env::var_os("CI").is_some_and(|value| value == "true") {
            bail!("{missing}: {error:#}");
        }
        return Ok(Ending::NotRun(format!("{missing}: {error:#}")));
    }
    let mut script = namespace(r#"exec "$0" "$@""#);
    script.arg(subject.workspace.path("tests/e2e/full_disk.sh")).arg(subject.tagship()?);
    script.arg(subject.workspace.path("tests/fixtures")).arg(directory.path());
    process::run(script)?;
    Ok(Ending::Passed)
}

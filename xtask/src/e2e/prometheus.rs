//! A real Prometheus with a password scrapes a model server, and canaries are judged by what it counted and answers; it
//! is wrong, refuses and dies, and none of that is a pass.

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::process;

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    system::play(subject, "prometheus_rollout.py", &[])?;
    Ok(Ending::Passed)
}

/// Every ready-made query counts its own version among series with the names and labels that their programs write.
pub(super) fn ready_queries(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    let directory = tempfile::tempdir()?;
    let mut python = subject.workspace.command("python3");
    python.arg(subject.workspace.path("tests/e2e/ready_queries.py"));
    python.arg(subject.example("ready_queries")?).arg(directory.path());
    process::run(python)?;
    Ok(Ending::Passed)
}

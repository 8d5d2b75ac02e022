//! A real Prometheus with a password scrapes a model server, and canaries are judged by what it counted and answers; it
//! is wrong, refuses and dies, and none of that is a pass.

use anyhow::Result;

use super::{Ending, Subject, system};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    system::play(subject, "prometheus_rollout.py", &[])?;
    Ok(Ending::Passed)
}

//! The rules that Tagship writes for Prometheus: `promtool` checks them, runs the tests that come with them, and gives the same
//! series through them that a real Prometheus gives to Tagship's own judge.

use anyhow::Result;

use super::{Ending, Subject, system};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    system::play(subject, "monitor_rules.py", &[])?;
    Ok(Ending::Passed)
}

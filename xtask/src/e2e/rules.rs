//! The rules that Tagship writes for Prometheus: `promtool` checks them, runs the tests that come with them, and gives the same
//! series through them that a real Prometheus gives to Tagship's own judge. The dashboard beside them is one by Grafana's own types.

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::node::Packages;

/// The types of dashboards, and what checks a document against them.
const GRAFANA: [&str; 2] = ["@grafana/schema@13.2.3", "typescript@5.9.3"];

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    let packages = Packages::install(subject.workspace, "e2e-grafana", &GRAFANA)?;
    system::play(subject, "monitor_rules.py", &[&packages.path("")])?;
    Ok(Ending::Passed)
}

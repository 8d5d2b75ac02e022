//! The whole loop of monitoring on real servers: Prometheus scrapes a model server under load, a regression alerts in Alertmanager
//! and as an issue and goes back, and what stops answering is told as missing data.

use anyhow::Result;

use super::{Ending, Subject, system};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    for (program, package) in [
        ("prometheus", "prometheus"),
        ("prometheus-alertmanager", "prometheus-alertmanager"),
        ("amtool", "prometheus-alertmanager"),
        ("prometheus-node-exporter", "prometheus-node-exporter"),
    ] {
        system::demand(program, package)?;
    }
    system::play(subject, "monitor_loop.py", &[&subject.example("github")?])?;
    Ok(Ending::Passed)
}

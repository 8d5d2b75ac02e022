//! A look puts its metrics on a real Pushgateway, and a real Prometheus scrapes them there.

use anyhow::Result;

use super::{Ending, Subject, system};

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    system::demand("prometheus", "prometheus")?;
    system::demand("prometheus-pushgateway", "prometheus-pushgateway")?;
    system::play(subject, "monitor_pushgateway.py", &[])?;
    Ok(Ending::Passed)
}

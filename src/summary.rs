//! The summary of a step: what the status comment would say, for whoever looks at the run.

use tagship_adapters::SystemClock;
use tagship_domain::report::{Section, StatusReport};
use tagship_ports::Clock as _;
use tagship_report::markdown;
use tagship_runner::Context;

/// The summary of a step about sections. Nothing where no run is known, since nobody would read it.
pub(crate) fn of(context: &Context, sections: Vec<Section>) -> Option<String> {
    context.summary_file.as_ref()?;
    let proposed = context.proposed.as_ref().map(|proposed| proposed.head.clone());
    let report = StatusReport {
        sha: proposed.or_else(|| context.sha.clone())?,
        pull_request: None,
        written: SystemClock.now(),
        by: context.by.clone(),
        note: None,
        sections,
    };
    Some(markdown::summary(&report))
}

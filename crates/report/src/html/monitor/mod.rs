//! Dashboards: what is known of a model in an environment, the same for one comparison of data, and all models together.

mod data;
mod drift;
mod findings;
mod head;
mod histogram;
mod incidents;
mod index;
mod objectives;
mod quality;
mod rollouts;
mod strip;
mod style;
mod timeline;
mod untested;

use tagship_domain::{drift::DriftReport, monitor::MonitorReport};

use self::style::STYLE;
use super::{frame, table::section as titled};

pub use index::{Place, index};

/// The page of a model in an environment. `home` is the address of the page that lists all of them, where there is one.
pub fn monitor(report: &MonitorReport, home: Option<&str>) -> String {
    let details = report.details.as_ref();
    let parts = [
        head::of(report, home),
        incidents::section(report),
        findings::section(report),
        timeline::section(report),
        rollouts::running(report),
        details.and_then(|details| details.drift.as_ref()).map(drift::section).unwrap_or_default(),
        details.map(|details| objectives::section(&details.objectives)).unwrap_or_default(),
        details.and_then(|details| details.quality.as_ref()).map(quality::section).unwrap_or_default(),
        untested::section(report),
        data::section(report),
        rollouts::past(report),
    ];
    let footer = format!(
        "<footer>Made at {} of what lies in git under <code>refs/tagship/monitor/…</code> and \
         <code>refs/tagship/rollouts/…</code>. What is not known is not told as good.</footer>\n",
        report.at.readable()
    );
    let title = format!("{} in {}", report.model, report.environment);
    frame::page(&title, STYLE, &(parts.concat() + &footer))
}

/// The page of one comparison of data.
pub fn drift(report: &DriftReport, name: &str) -> String {
    let inside = drift::head(report, name)
        + &titled("columns", "Columns", &drift::columns(report))
        + &untested::of_drift_alone(report)
        + "<footer>Both sides are counted in the same bins, and drawn as shares of their own rows.</footer>\n";
    frame::page(&format!("Drift of {name}"), STYLE, &inside)
}

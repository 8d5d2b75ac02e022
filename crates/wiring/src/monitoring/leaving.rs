//! Leaving the metrics of a look where a server reads them.

use tagship_adapters::metric_sinks;
use tagship_config::MonitorSettings;
use tagship_domain::incident::WatchReport;
use tagship_export::exposition;
use tagship_ports::{Problem, metric_sink::MetricPage};
use tagship_runner::{Context, Failure};

use crate::workspace::{Workspace, located};

/// Whether metrics can be left, before there are some. A run without secrets is no mistake.
///
/// # Errors
/// For an unknown kind and for settings that it does not have, with the place that names it.
pub(crate) fn check(workspace: &Workspace, watched: &MonitorSettings) -> Result<(), Failure> {
    let Some(spec) = &watched.export else { return Ok(()) };
    match metric_sinks::open(spec, &workspace.root, &Context::secret) {
        Err(error) if error.problem != Problem::Denied => Err(located(&error, spec)),
        _ => Ok(()),
    }
}

/// Leaves the metrics of a look. What fails is a warning: whoever reads them sees an old look by its time.
pub(crate) async fn leave(workspace: &Workspace, watched: &MonitorSettings, look: &WatchReport) {
    let Some(spec) = &watched.export else { return };
    let page = MetricPage {
        model: look.model.clone(),
        environment: look.environment.clone(),
        text: exposition::page(look),
    };
    let left = async { metric_sinks::open(spec, &workspace.root, &Context::secret)?.put(&page).await };
    if let Err(error) = left.await {
        let hint = error.hint.as_ref().map_or_else(String::new, |hint| format!("; {hint}"));
        workspace
            .tell_once(&format!("warning: {error}{hint}; the metrics there are those of an earlier look"));
    }
}

//! Who can be told of incidents, by the kinds that a configuration may name. Forges are not among them: they are no adapters of
//! this crate.

use tagship_config::AdapterSpec;
use tagship_domain::{Duration, incident::IncidentNotice};
use tagship_ports::{Alerter, PortError, Problem};

use super::{Alertmanager, Message, Slack, Teams, Webhook, post::link};

/// The kinds that can be told of incidents.
pub const ALERTERS: [&str; 4] = ["slack", "teams", "webhook", "alertmanager"];

/// Opens one that a configuration names. An open incident is told again after `remind`; `secret` answers the value of an
/// environment variable.
///
/// # Errors
/// [`Problem::Denied`] for a secret that is not set, [`Problem::Invalid`] for settings that it does not have,
/// [`Problem::Unsupported`] for a kind that is none of [`ALERTERS`].
pub fn open_alerter(
    spec: &AdapterSpec,
    remind: Duration,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<Box<dyn Alerter>, PortError> {
    Ok(match spec.kind.as_str() {
        "slack" => Box::new(Slack::from_settings(&spec.settings, secret)?),
        "teams" => Box::new(Teams::from_settings(&spec.settings, secret)?),
        "webhook" => Box::new(Webhook::from_settings(&spec.settings, secret)?),
        "alertmanager" => Box::new(Alertmanager::from_settings(&spec.settings, remind, secret)?),
        other => {
            let message = format!("{other:?} is no kind of alert");
            return Err(PortError::new(Problem::Unsupported, "open the alerts", message)
                .hint(format!("known kinds are github-issue, dispatch, {}", ALERTERS.join(", "))));
        }
    })
}

/// What people read about an incident.
pub(super) fn message(notice: &IncidentNotice) -> Message {
    let finding = &notice.finding;
    let value = finding.value.map_or_else(|| "no value".to_owned(), |value| format!("{value:.4}"));
    let mut links = vec![];
    links.extend(link(notice.runbook.as_ref()).map(|runbook| ("Runbook", runbook)));
    links.extend(link(notice.run.as_ref()).map(|run| ("Open the run", run)));
    Message {
        title: notice.title(),
        sentence: finding.sentence.clone(),
        advice: Some(format!(
            "value {value}; asked for {}; over {}\n{}",
            finding.threshold, finding.window, notice.command
        )),
        links,
    }
}

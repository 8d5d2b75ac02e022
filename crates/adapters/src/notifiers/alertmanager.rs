//! Alerts to Alertmanager's API v2: what is open is sent as firing, what is over with its end.
//!
//! Alertmanager forgets an alert that is not sent again within its `resolve_timeout`, so an open one carries an end in the
//! future that each reminder moves on.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tagship_domain::{
    Duration,
    incident::{IncidentChange, IncidentNotice},
};
use tagship_ports::{Alerter, PortError};

use super::post::{Post, link};
use crate::settings;

const WHAT: &str = "alerts to alertmanager";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AlertmanagerSettings {
    /// Name of the environment variable that holds the address of the server.
    url_env: String,
}

/// What an alert lasts beyond its reminders, for a server whose clock is another.
const MARGIN: Duration = Duration::from_secs(60 * 60);

/// A server with the API v2.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    post: Post,
    lasts: Duration,
}

impl Alertmanager {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        remind: Duration,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: AlertmanagerSettings = settings::read(WHAT, given)?;
        let post = Post::new(WHAT, &given.url_env, secret)?.below("api/v2/alerts");
        // A reminder comes with the first look after it is due, and looks may be as far apart as reminders.
        Ok(Self { post, lasts: remind.plus(remind).plus(MARGIN) })
    }

    fn message(&self, notice: &IncidentNotice) -> Value {
        let finding = &notice.finding;
        let ends =
            if notice.change == IncidentChange::Resolved { notice.at } else { notice.at.after(self.lasts) };
        let mut annotations = json!({
            "summary": notice.title(),
            "description": finding.sentence,
            "threshold": finding.threshold,
            "window": finding.window,
            "command": notice.command,
        });
        if let Some(value) = finding.value {
            annotations["value"] = json!(value.to_string());
        }
        if let Some(runbook) = &notice.runbook {
            annotations["runbook_url"] = json!(runbook);
        }
        let labels = json!({
            "alertname": "TagshipIncident",
            "model": notice.model,
            "environment": notice.environment,
            "topic": notice.topic,
        });
        let mut alert = json!({
            "labels": labels,
            "annotations": annotations,
            "startsAt": notice.opened.to_string(),
            "endsAt": ends.to_string(),
        });
        if let Some(run) = link(notice.run.as_ref()) {
            alert["generatorURL"] = json!(run);
        }
        json!([alert])
    }
}

#[async_trait]
impl Alerter for Alertmanager {
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError> {
        self.post.send(self.message(notice).to_string(), &[]).await
    }
}

//! Alerts to Alertmanager's API v2: what is open is sent as firing, what is over with its end.
//!
//! Alertmanager forgets an alert that is not sent again within its `resolve_timeout`, so an open one carries an end in the
//! future that each look moves on.

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
    /// How long an open alert lasts without being sent again.
    #[serde(default = "a_day")]
    lasts: Duration,
}

/// As long as an incident may go without being told again.
fn a_day() -> Duration {
    Duration::from_secs(25 * 60 * 60)
}

/// A server with the API v2.
#[derive(Debug, Clone)]
pub struct Alertmanager {
    post: Post,
    lasts: Duration,
}

impl Alertmanager {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: AlertmanagerSettings = settings::read(WHAT, given)?;
        let post = Post::new(WHAT, &given.url_env, secret)?.below("api/v2/alerts");
        Ok(Self { post, lasts: given.lasts })
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

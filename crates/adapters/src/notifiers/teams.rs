//! Notifier `teams`: an Adaptive Card for a workflow's webhook ("post to a channel when a webhook request is received").
//!
//! All text stands in `TextRun`s, which unlike `TextBlock`s read no Markdown, so that foreign text makes no links.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tagship_domain::{incident::IncidentNotice, notice::Notice};
use tagship_ports::{Alerter, Notifier, PortError};

use super::{Message, alerters, post::Post};
use crate::settings;

const WHAT: &str = "notifier teams";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TeamsSettings {
    /// Name of the environment variable that holds the webhook's address.
    webhook_env: String,
}

/// A workflow's webhook of Microsoft Teams.
#[derive(Debug, Clone)]
pub struct Teams(Post);

impl Teams {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: TeamsSettings = settings::read(WHAT, given)?;
        Post::new(WHAT, &given.webhook_env, secret).map(Self)
    }
}

fn card(message: &Message) -> Value {
    let line = |text: &str, bold: bool| {
        let weight = if bold { "Bolder" } else { "Default" };
        json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] })
    };
    let mut body = vec![line(&message.title, true), line(&message.sentence, false)];
    // A text run has no line breaks.
    body.extend(message.advice.iter().flat_map(|advice| advice.lines()).map(|advice| line(advice, false)));
    let open = |(name, url): &(&str, String)| json!({ "type": "Action.OpenUrl", "title": name, "url": url });
    let actions: Vec<Value> = message.links.iter().map(open).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": actions,
    });
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

#[async_trait]
impl Notifier for Teams {
    async fn notify(&self, notice: &Notice) -> Result<(), PortError> {
        self.0.send(card(&Message::of(notice)).to_string(), &[]).await
    }
}

#[async_trait]
impl Alerter for Teams {
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError> {
        self.0.send(card(&alerters::message(notice)).to_string(), &[]).await
    }
}

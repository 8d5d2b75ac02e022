//! Notifier `slack`: an incoming webhook, with Block Kit.
//!
//! Only `&`, `<` and `>` mean something in a message's text (mentions, links); escaped, foreign text is text. What is not
//! ours stands in `plain_text` blocks, where even `*` means nothing.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tagship_domain::{incident::IncidentNotice, notice::Notice};
use tagship_ports::{Alerter, Notifier, PortError};

use super::{Message, alerters, post::Post};
use crate::settings;

const WHAT: &str = "notifier slack";
/// Most characters of a text block.
const LONGEST: usize = 2900;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SlackSettings {
    /// Name of the environment variable that holds the webhook's address.
    webhook_env: String,
}

/// An incoming webhook of Slack.
#[derive(Debug, Clone)]
pub struct Slack(Post);

impl Slack {
    pub(super) fn from_settings(
        given: &Map<String, Value>,
        secret: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, PortError> {
        let given: SlackSettings = settings::read(WHAT, given)?;
        Post::new(WHAT, &given.webhook_env, secret).map(Self)
    }
}

fn block_kit(message: &Message) -> Value {
    let Message { title, sentence, advice, links } = message;
    let plain = |text: &str| {
        let text: String = text.chars().take(LONGEST).collect();
        json!({ "type": "section", "text": { "type": "plain_text", "text": text, "emoji": false } })
    };
    let mut blocks = vec![
        json!({ "type": "header", "text": { "type": "plain_text", "text": title.chars().take(150).collect::<String>(), "emoji": false } }),
        plain(sentence),
    ];
    blocks.extend(advice.as_deref().map(plain));
    for (name, address) in links {
        let text = format!("<{}|{name}>", escaped(address).replace('|', "%7C"));
        blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": text }] }));
    }
    // What is shown where blocks are not: notifications, screen readers.
    json!({ "text": escaped(&format!("{title}: {sentence}")), "blocks": blocks })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[async_trait]
impl Notifier for Slack {
    async fn notify(&self, notice: &Notice) -> Result<(), PortError> {
        self.0.send(block_kit(&Message::of(notice)).to_string(), &[]).await
    }
}

#[async_trait]
impl Alerter for Slack {
    async fn alert(&self, notice: &IncidentNotice) -> Result<(), PortError> {
        self.0.send(block_kit(&alerters::message(notice)).to_string(), &[]).await
    }
}

//! `notify`: who is told what the rollouts of an environment come to.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tagship_domain::notice::NoticeKind;

use crate::{
    adapter::{AdapterLayer, AdapterSpec},
    diagnostic::{listed, printable},
    place::Place,
};

/// One place where people are told.
#[derive(Debug, Clone, PartialEq)]
pub struct NotifyConfig {
    /// What sends the notices, with its settings.
    pub notifier: AdapterSpec,
    /// What is told.
    pub on: Vec<NoticeKind>,
}

/// A [`NotifyConfig`] as it is written: a kind with its settings, and `on` among these.
#[derive(Debug)]
pub(crate) struct NotifyLayer(AdapterLayer);

impl NotifyLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<NotifyConfig> {
        let mut notifier = self.0.resolve(place);
        let at = place.key(&notifier.kind).key("on");
        let on = match notifier.settings.remove("on") {
            None => NoticeKind::DEFAULT.to_vec(),
            Some(Value::Array(words)) if !words.is_empty() => {
                let kinds = words.iter().enumerate().map(|(index, word)| kind(word, &at.index(index)));
                kinds.collect::<Vec<_>>().into_iter().collect::<Option<_>>()?
            }
            Some(_) => {
                let help = "write a list, e.g. `on: [pause, rollback]`, or leave `on` out".to_owned();
                at.report("expected a list of what is told, with at least one entry".to_owned(), Some(help));
                return None;
            }
        };
        Some(NotifyConfig { notifier, on })
    }
}

fn kind(word: &Value, place: &Place<'_>) -> Option<NoticeKind> {
    let found = NoticeKind::ALL.into_iter().find(|kind| word.as_str() == Some(kind.as_str()));
    if found.is_none() {
        let known = NoticeKind::ALL.map(NoticeKind::as_str);
        let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
        let message = format!("`{}` is nothing that is told", printable(&word));
        place.report(message, Some(format!("write one of {}", listed(&known))));
    }
    found
}

impl<'de> Deserialize<'de> for NotifyLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        AdapterLayer::deserialize(deserializer).map(Self)
    }
}

impl JsonSchema for NotifyLayer {
    fn schema_name() -> Cow<'static, str> {
        "Notify".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kinds = generator.subschema_for::<NoticeKind>();
        json_schema!({
            "description": "The kind of a notifier with its settings.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": {
                "type": "object",
                "properties": {
                    "on": {
                        "description": "What is told; pauses, promotions and rollbacks where it is left out.",
                        "type": "array",
                        "minItems": 1,
                        "items": kinds,
                    },
                },
            },
        })
    }
}

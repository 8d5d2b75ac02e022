//! `strategy`: how traffic moves to a new version.
//!
//! Whether its steps leave enough of stable to compare with is judged where the rest of the environment is known.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use tagship_domain::{Duration, plan::Strategy};

use crate::{
    choice::{exactly_one, present},
    diagnostic::{nearest, printable},
    place::Place,
    step::{StepLayer, resolve_steps},
};

/// How long a blue-green candidate stands ready without traffic where nothing is said.
pub(crate) const DEFAULT_PREVIEW: Duration = Duration::from_secs(0);
const DEFAULT_AUTO_PROMOTE: bool = true;
const EXAMPLE: &str = "`canary: { steps: [{ set-weight: 5 }, { pause: 10m }] }`";
/// Strategies that need no settings.
const WORDS: &[&str] = &["all-at-once", "blue-green"];

/// A strategy as it is written.
#[derive(Debug)]
pub(crate) enum StrategyLayer {
    AllAtOnce,
    Settings(StrategyKeys),
}

/// How traffic moves, with settings; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "StrategySettings", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct StrategyKeys {
    /// A growing share of traffic, step by step.
    canary: Option<CanaryLayer>,
    /// All traffic at once, after a time without traffic in which the new version can be tried.
    #[serde(default, deserialize_with = "present")]
    blue_green: Option<BlueGreenLayer>,
}

/// A growing share of traffic, step by step.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Canary")]
pub(crate) struct CanaryLayer {
    /// Shares of traffic and the pauses after them, in order.
    #[schemars(required, length(min = 1))]
    steps: Option<Vec<StepLayer>>,
}

/// All traffic at once, after a time without traffic in which the new version can be tried.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "BlueGreen")]
pub(crate) struct BlueGreenLayer {
    /// How long the new version stands ready without traffic, e.g. `10m`.
    #[schemars(extend("default" = DEFAULT_PREVIEW))]
    preview: Option<Duration>,
    /// Whether traffic moves by itself then; otherwise a person promotes.
    #[schemars(extend("default" = DEFAULT_AUTO_PROMOTE))]
    auto_promote: Option<bool>,
}

impl StrategyLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<Strategy> {
        let StrategyLayer::Settings(keys) = self else { return Some(Strategy::AllAtOnce) };
        let canary = keys.canary.map(|layer| layer.resolve(&place.key("canary")));
        let blue_green = keys.blue_green.map(|layer| Some(layer.resolve()));
        let choices = [("canary", canary), ("blue-green", blue_green)];
        exactly_one(place, choices, EXAMPLE).and_then(|(_, strategy)| strategy)
    }
}

impl CanaryLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Strategy> {
        let steps = resolve_steps(self.steps, &place.key("steps"))?;
        Some(Strategy::Canary { steps })
    }
}

impl BlueGreenLayer {
    fn resolve(self) -> Strategy {
        Strategy::BlueGreen {
            preview: self.preview.unwrap_or(DEFAULT_PREVIEW),
            auto_promote: self.auto_promote.unwrap_or(DEFAULT_AUTO_PROMOTE),
        }
    }
}

impl<'de> Deserialize<'de> for StrategyLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrategyVisitor)
    }
}

struct StrategyVisitor;

impl<'de> Visitor<'de> for StrategyVisitor {
    type Value = StrategyLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a strategy: `all-at-once`, `canary: { steps: [...] }` or `blue-green: { preview: 10m }`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<StrategyLayer, E> {
        match word {
            "all-at-once" => Ok(StrategyLayer::AllAtOnce),
            "blue-green" => Ok(StrategyLayer::Settings(StrategyKeys {
                blue_green: Some(BlueGreenLayer::default()),
                canary: None,
            })),
            "canary" => Err(E::custom(format_args!("a canary needs steps; write {EXAMPLE}"))),
            _ => {
                let meant = nearest(word, &["all-at-once", "blue-green", "canary"])
                    .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
                let word = printable(word);
                Err(E::custom(format_args!(
                    "expected `all-at-once`, `canary` with its steps or `blue-green`, found `{word}`{meant}"
                )))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<StrategyLayer, A::Error> {
        StrategyKeys::deserialize(MapAccessDeserializer::new(entries)).map(StrategyLayer::Settings)
    }
}

impl JsonSchema for StrategyLayer {
    fn schema_name() -> Cow<'static, str> {
        "Strategy".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How traffic moves to a new version.",
            "oneOf": [
                { "type": "string", "enum": WORDS },
                generator.subschema_for::<StrategyKeys>(),
            ],
        })
    }
}

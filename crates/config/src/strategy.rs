//! `strategy`: how traffic moves to a new version.
//!
//! Whether its steps leave enough of stable to compare with is judged where the rest of the environment is known.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use tagship_domain::{
    Duration,
    plan::{Step, Strategy},
    routing::HeaderName,
    traffic::Weight,
};

use crate::{
    ab_test::AbLayer,
    choice::{exactly_one, present},
    diagnostic::{nearest, printable},
    header::HeaderLayer,
    place::Place,
    share::WeightLayer,
    step::{StepLayer, resolve_steps},
};

/// How long a blue-green candidate stands ready without traffic where nothing is said.
pub(crate) const DEFAULT_PREVIEW: Duration = Duration::from_secs(0);
const DEFAULT_AUTO_PROMOTE: bool = true;
const EXAMPLE: &str = "`canary: { steps: [{ set-weight: 5 }, { pause: 10m }] }`";
/// Strategies that need no settings.
const WORDS: &[&str] = &["all-at-once", "blue-green"];

/// Last share of a linear canary where nothing is said.
const DEFAULT_MAX_WEIGHT: u8 = 50;

/// A strategy as it is written.
#[derive(Debug)]
pub(crate) enum StrategyLayer {
    AllAtOnce,
    Settings(Box<StrategyKeys>),
}

/// How traffic moves, with settings; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "StrategySettings", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct StrategyKeys {
    /// A growing share of traffic, step by step.
    canary: Option<CanaryLayer>,
    /// A canary whose share grows by the same amount each time.
    linear: Option<LinearLayer>,
    /// All traffic at once, after a time without traffic in which the new version can be tried.
    #[serde(default, deserialize_with = "present")]
    blue_green: Option<BlueGreenLayer>,
    /// Copies of requests for a fixed time, whose answers reach nobody; all traffic at once after it.
    shadow: Option<ShadowLayer>,
    /// A part of the traffic for a fixed time, whose clients stay on their side; all traffic at once after it.
    a_b: Option<AbLayer>,
}

/// A growing share of traffic, step by step.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Canary")]
pub(crate) struct CanaryLayer {
    /// Shares of traffic and the pauses after them, in order.
    #[schemars(required, length(min = 1))]
    steps: Option<Vec<StepLayer>>,
    /// Header by which clients stay with their version while traffic is shared, e.g. `x-user-id`.
    sticky: Option<HeaderLayer>,
}

/// A canary whose share grows by the same amount each time.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Linear")]
pub(crate) struct LinearLayer {
    /// The first share, and by how much each following one is larger, in percent.
    #[schemars(required)]
    step_weight: Option<WeightLayer>,
    /// How long each share is held, e.g. `10m`.
    #[schemars(required)]
    pause: Option<Duration>,
    /// The last share before the new version gets everything.
    #[schemars(extend("default" = DEFAULT_MAX_WEIGHT))]
    max_weight: Option<WeightLayer>,
    /// Header by which clients stay with their version while traffic is shared, e.g. `x-user-id`.
    sticky: Option<HeaderLayer>,
}

/// Copies of requests for a fixed time, whose answers reach nobody; all traffic at once after it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "ShadowTest")]
pub(crate) struct ShadowLayer {
    /// Share of the requests that are copied, in percent.
    #[schemars(extend("default" = Weight::ALL))]
    mirror: Option<WeightLayer>,
    /// How long, e.g. `1h`.
    #[serde(rename = "for")]
    #[schemars(required)]
    length: Option<Duration>,
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
    /// Share of the requests that the new version answers copies of meanwhile, so that it can be measured before it has
    /// traffic.
    #[schemars(extend("default" = Weight::NONE))]
    mirror: Option<WeightLayer>,
}

impl StrategyLayer {
    /// The strategy, and the header by which clients stay on their side.
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<(Strategy, Option<HeaderName>)> {
        let StrategyLayer::Settings(keys) = self else { return Some((Strategy::AllAtOnce, None)) };
        let keys = *keys;
        let choices = [
            ("canary", keys.canary.map(|layer| layer.resolve(&place.key("canary")))),
            ("linear", keys.linear.map(|layer| layer.resolve(&place.key("linear")))),
            ("blue-green", keys.blue_green.map(|layer| Some((layer.resolve(), None)))),
            ("shadow", keys.shadow.map(|layer| Some((layer.resolve(&place.key("shadow"))?, None)))),
            ("a-b", keys.a_b.map(|layer| layer.resolve(&place.key("a-b")))),
        ];
        exactly_one(place, choices, EXAMPLE).and_then(|(_, strategy)| strategy)
    }
}

impl CanaryLayer {
    fn resolve(self, place: &Place<'_>) -> Option<(Strategy, Option<HeaderName>)> {
        let steps = resolve_steps(self.steps, &place.key("steps"))?;
        Some((Strategy::Canary { steps }, self.sticky.map(|header| header.0)))
    }
}

impl LinearLayer {
    fn resolve(self, place: &Place<'_>) -> Option<(Strategy, Option<HeaderName>)> {
        let step = required(self.step_weight, place, "step-weight", "10");
        let pause = required(self.pause, place, "pause", "10m");
        let most = self.max_weight.map_or(DEFAULT_MAX_WEIGHT, |weight| weight.0.get());
        let (step, pause) = (step?.0.get(), some_time(pause?, &place.key("pause"))?);
        if step == 0 || step > most || most > Weight::ALL.get() {
            let message = format!("steps of {step}% do not lead to {most}%");
            place.key("step-weight").report(message, Some("write e.g. `step-weight: 10`".to_owned()));
            return None;
        }
        let shares = (1..).map(|count: u8| count.saturating_mul(step).min(most));
        let last = usize::from(most.div_ceil(step));
        let steps = shares.take(last).filter_map(Weight::percent);
        let steps = steps.flat_map(|share| [Step::SetWeight(share), Step::Pause(Some(pause))]);
        Some((Strategy::Canary { steps: steps.collect() }, self.sticky.map(|header| header.0)))
    }
}

impl ShadowLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Strategy> {
        let mirror = self.mirror.map_or(Weight::ALL, |share| share.0);
        let length = some_time(required(self.length, place, "for", "1h")?, &place.key("for"))?;
        if mirror == Weight::NONE {
            let message = "a mirror of 0 copies no requests".to_owned();
            place
                .key("mirror")
                .report(message, Some("write the share to copy, e.g. `mirror: 100`".to_owned()));
            return None;
        }
        Some(Strategy::Shadow { mirror, length })
    }
}

/// A key that must be there.
pub(crate) fn required<T>(value: Option<T>, place: &Place<'_>, key: &str, example: &str) -> Option<T> {
    if value.is_none() {
        let help = format!("write e.g. `{key}: {example}`");
        place.key(key).report(format!("the key `{key}` is missing"), Some(help));
    }
    value
}

/// A length that is one.
pub(crate) fn some_time(length: Duration, place: &Place<'_>) -> Option<Duration> {
    if length > Duration::default() {
        return Some(length);
    }
    place.report("in no time nothing is measured".to_owned(), Some("write a time, e.g. `1h`".to_owned()));
    None
}

impl BlueGreenLayer {
    fn resolve(self) -> Strategy {
        Strategy::BlueGreen {
            preview: self.preview.unwrap_or(DEFAULT_PREVIEW),
            auto_promote: self.auto_promote.unwrap_or(DEFAULT_AUTO_PROMOTE),
            mirror: self.mirror.map_or(Weight::NONE, |share| share.0),
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
            "blue-green" => Ok(StrategyLayer::Settings(Box::new(StrategyKeys {
                blue_green: Some(BlueGreenLayer::default()),
                ..StrategyKeys::default()
            }))),
            "linear" | "shadow" | "a-b" => {
                Err(E::custom(format_args!("the strategy `{word}` needs settings; write {}", settings(word))))
            }
            "canary" => Err(E::custom(format_args!("a canary needs steps; write {EXAMPLE}"))),
            _ => {
                let meant =
                    nearest(word, &["all-at-once", "blue-green", "canary", "linear", "shadow", "a-b"])
                        .map_or(String::new(), |meant| format!("; did you mean `{meant}`?"));
                let word = printable(word);
                Err(E::custom(format_args!(
                    "expected `all-at-once`, `canary` with its steps, `linear`, `blue-green`, `shadow` or `a-b`, found \
                     `{word}`{meant}"
                )))
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<StrategyLayer, A::Error> {
        let keys = StrategyKeys::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(StrategyLayer::Settings(Box::new(keys)))
    }
}

/// The least settings of a strategy that needs some.
fn settings(strategy: &str) -> &'static str {
    match strategy {
        "linear" => "`linear: { step-weight: 10, pause: 10m }`",
        "shadow" => "`shadow: { for: 1h }`",
        _ => "`a-b: { sticky: x-user-id, for: 7d }`",
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

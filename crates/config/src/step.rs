//! The steps of a canary: `{ mirror: 100 }`, `{ set-weight: 5 }`, `{ pause: 10m }`, and `{ pause: {} }` or `pause` to
//! wait for a person.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use tagship_domain::{Duration, plan::Step, traffic::Weight};

use crate::{
    choice::{exactly_one, present},
    place::Place,
    share::WeightLayer,
};

const EXAMPLE: &str = "`set-weight: 5` or `pause: 10m`";

/// A step as it is written.
#[derive(Debug)]
pub(crate) enum StepLayer {
    /// The word `pause`.
    ForPerson,
    Keys(StepKeys),
}

/// A share of traffic or of copies, or a pause; exactly one key.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "StepSettings", extend("minProperties" = 1, "maxProperties" = 1))]
pub(crate) struct StepKeys {
    /// Give the new version this share of traffic, in percent.
    set_weight: Option<WeightLayer>,
    /// Have the new version answer copies of this share of the requests, in percent. Its answers reach nobody.
    mirror: Option<WeightLayer>,
    /// Go on after this time, e.g. `10m`; `{}` waits for a person.
    #[serde(default, deserialize_with = "present")]
    pause: Option<PauseLayer>,
}

/// How long a pause is; absent where a person ends it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PauseLayer(Option<Duration>);

/// Reads the steps of a canary. Weights grow, because a share that falls undoes what was shown.
pub(crate) fn resolve_steps(layers: Option<Vec<StepLayer>>, place: &Place<'_>) -> Option<Vec<Step>> {
    let Some(layers) = layers else {
        let help = "write shares of traffic and pauses, e.g. `steps: [{ set-weight: 5 }, { pause: 10m }]`";
        place.report("the key `steps` is missing".to_owned(), Some(help.to_owned()));
        return None;
    };
    let count = layers.len();
    let mut steps = vec![];
    let mut last = Weight::NONE;
    for (index, layer) in layers.into_iter().enumerate() {
        let at = place.index(index);
        let Some(step) = layer.resolve(&at) else { continue };
        match step {
            Step::SetWeight(weight) => {
                check_growth(weight, last, &at.key("set-weight"));
                last = last.max(weight);
            }
            Step::Pause(Some(length)) if length == Duration::default() => {
                let help = "leave it out, or write `pause: {}` to wait for a person".to_owned();
                at.key("pause").report("a pause of no time waits for nothing".to_owned(), Some(help));
            }
            Step::Mirror(share) => check_mirror(share, last, &at.key("mirror")),
            Step::Pause(_) => {}
        }
        steps.push(step);
    }
    if steps.len() < count {
        return None;
    }
    if !steps.iter().any(|step| matches!(step, Step::SetWeight(_))) {
        let message = "no step gives the new version traffic".to_owned();
        place.report(message, Some("begin with a small share, e.g. `{ set-weight: 5 }`".to_owned()));
    }
    Some(steps)
}

fn check_mirror(share: Weight, last: Weight, place: &Place<'_>) {
    if last > Weight::NONE {
        let message = format!("a version with {last} of the traffic answers no copies of requests");
        place.report(message, Some("copy requests before the first `set-weight`".to_owned()));
    } else if share == Weight::NONE {
        let message = "a mirror of 0 copies no requests".to_owned();
        place.report(message, Some("write the share to copy, e.g. `mirror: 100`".to_owned()));
    }
}

fn check_growth(weight: Weight, last: Weight, place: &Place<'_>) {
    if weight == Weight::NONE {
        let message = "a weight of 0 gives the new version no traffic to be judged on".to_owned();
        place.report(message, Some("write the first share, e.g. `set-weight: 5`".to_owned()));
    } else if weight <= last {
        let message = format!("the weight {weight} does not grow: an earlier step has {last}");
        place.report(message, Some("let every `set-weight` be larger than the one before".to_owned()));
    }
}

impl StepLayer {
    fn resolve(self, place: &Place<'_>) -> Option<Step> {
        let StepLayer::Keys(StepKeys { set_weight, mirror, pause }) = self else {
            return Some(Step::Pause(None));
        };
        let choices = [
            ("set-weight", set_weight.map(|weight| Step::SetWeight(weight.0))),
            ("mirror", mirror.map(|share| Step::Mirror(share.0))),
            ("pause", pause.map(|pause| Step::Pause(pause.0))),
        ];
        exactly_one(place, choices, EXAMPLE).map(|(_, step)| step)
    }
}

impl<'de> Deserialize<'de> for StepLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StepVisitor)
    }
}

struct StepVisitor;

impl<'de> Visitor<'de> for StepVisitor {
    type Value = StepLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a step, as in `set-weight: 5`, `pause: 10m` or `pause: {}`")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<StepLayer, E> {
        if word == "pause" {
            Ok(StepLayer::ForPerson)
        } else {
            Err(E::invalid_type(de::Unexpected::Str(word), &self))
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<StepLayer, A::Error> {
        StepKeys::deserialize(MapAccessDeserializer::new(entries)).map(StepLayer::Keys)
    }
}

impl<'de> Deserialize<'de> for PauseLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PauseVisitor)
    }
}

struct PauseVisitor;

impl<'de> Visitor<'de> for PauseVisitor {
    type Value = PauseLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, as in `10m`, or `{}` to wait for a person")
    }

    fn visit_unit<E>(self) -> Result<PauseLayer, E> {
        Ok(PauseLayer(None))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<PauseLayer, E> {
        let message =
            format!("a pause carries a unit; write `{number}m` for minutes or `{number}s` for seconds");
        Err(E::custom(message))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PauseLayer, E> {
        text.parse().map(|length| PauseLayer(Some(length))).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<PauseLayer, A::Error> {
        match entries.next_key::<String>()? {
            None => Ok(PauseLayer(None)),
            Some(_) => Err(de::Error::custom("a pause has no keys; write its length, as in `pause: 10m`")),
        }
    }
}

impl JsonSchema for StepLayer {
    fn schema_name() -> Cow<'static, str> {
        "Step".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share of traffic, or a pause.",
            "oneOf": [{ "const": "pause" }, generator.subschema_for::<StepKeys>()],
        })
    }
}

impl JsonSchema for PauseLayer {
    fn schema_name() -> Cow<'static, str> {
        "Pause".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A duration with units, e.g. `10m`; `{}` or nothing waits for a person.",
            "oneOf": [
                { "type": "string", "minLength": 2 },
                { "type": "object", "maxProperties": 0 },
                { "type": "null" },
            ],
        })
    }
}

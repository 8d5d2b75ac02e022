//! Shares: of traffic in whole percent, `5` or `5%`; of observations as a number or in percent, `0.02` or `2%`.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use tagship_domain::traffic::Weight;

use crate::diagnostic::printable;

/// A share of traffic as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightLayer(pub(crate) Weight);

/// A share of observations as it is written, above 0 and below 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareLayer(pub(crate) f64);

struct WeightVisitor;
struct ShareVisitor;

impl<'de> Deserialize<'de> for WeightLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WeightVisitor)
    }
}

impl<'de> Deserialize<'de> for ShareLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareVisitor)
    }
}

impl Visitor<'_> for WeightVisitor {
    type Value = WeightLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share of traffic in whole percent from 0 to 100, as in `5` or `5%`")
    }

    fn visit_u64<E: de::Error>(self, percent: u64) -> Result<WeightLayer, E> {
        u8::try_from(percent)
            .ok()
            .and_then(Weight::percent)
            .map(WeightLayer)
            .ok_or_else(|| E::invalid_type(de::Unexpected::Unsigned(percent), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<WeightLayer, E> {
        match text.strip_suffix('%').and_then(|number| number.trim_end().parse().ok()) {
            Some(percent) => self.visit_u64(percent),
            None => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
    }
}

impl Visitor<'_> for ShareVisitor {
    type Value = ShareLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share above 0 and below 1, as in `0.02` or `2%`")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<ShareLayer, E> {
        // Above 1 a percentage was meant; 0 and 1 allow nothing or everything.
        let meant =
            if (2..100).contains(&number) { format!("; did you mean `{number}%`?") } else { String::new() };
        Err(E::custom(format_args!("{}{meant}", outside(&number))))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<ShareLayer, E> {
        Err(E::custom(outside(&number)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<ShareLayer, E> {
        if number > 0.0 && number < 1.0 { Ok(ShareLayer(number)) } else { Err(E::custom(outside(&number))) }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ShareLayer, E> {
        let number = text.strip_suffix('%').and_then(|number| number.trim_end().parse::<f64>().ok());
        match number.map(|percent| percent / 100.0) {
            Some(share) if share > 0.0 && share < 1.0 => Ok(ShareLayer(share)),
            Some(_) => Err(E::custom(outside(&printable(text)))),
            None => Err(E::invalid_type(de::Unexpected::Str(text), &self)),
        }
    }
}

fn outside(found: &dyn fmt::Display) -> String {
    format!("a share lies above 0 and below 1, as in `0.02` or `2%`, not at {found}")
}

impl JsonSchema for WeightLayer {
    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share of traffic in whole percent, e.g. `5` or `5%`.",
            "oneOf": [{ "type": "integer", "minimum": 0, "maximum": 100 }, { "type": "string", "minLength": 2 }],
        })
    }
}

impl JsonSchema for ShareLayer {
    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A share of observations above 0 and below 1, e.g. `0.02` or `2%`.",
            "oneOf": [{ "type": "number", "minimum": 0, "maximum": 1 }, { "type": "string", "minLength": 2 }],
        })
    }
}

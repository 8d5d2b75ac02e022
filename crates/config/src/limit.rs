//! A limit on looks: a number, or `off` where any number of them is tolerated.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, Visitor},
};
use tagship_domain::analysis::Metric;

const OFF: &str = "off";

/// A limit as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LimitLayer(pub(crate) u64);

struct LimitVisitor;

impl<'de> Deserialize<'de> for LimitLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LimitVisitor)
    }
}

impl Visitor<'_> for LimitVisitor {
    type Value = LimitLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of looks, or `off` to tolerate any number")
    }

    fn visit_u64<E: de::Error>(self, looks: u64) -> Result<LimitLayer, E> {
        Ok(LimitLayer(looks))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<LimitLayer, E> {
        if text == OFF {
            return Ok(LimitLayer(Metric::NO_LIMIT));
        }
        Err(E::invalid_type(de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for LimitLayer {
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of looks, or `off` to tolerate any number.",
            "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "enum": [OFF] }],
        })
    }
}

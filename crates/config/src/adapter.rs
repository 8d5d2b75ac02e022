//! A choice of an adapter: the kind by name, and settings that only the adapter understands.
//!
//! Written `kind` or `kind: { settings }`. Which kinds there are is known where they are implemented, not here.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::{Map, Value};

use crate::{diagnostic::Location, place::Place};

/// Where a release is stored, or where it is deployed to.
#[derive(Debug, Clone)]
pub struct AdapterSpec {
    /// The kind, as its implementation is registered.
    pub kind: String,
    /// Its settings, by key; empty where only the kind is named.
    pub settings: Map<String, Value>,
    /// Where it is configured, for the errors of whoever knows the kind; `None` for a default.
    pub location: Option<Location>,
}

/// Two choices are equal when they name the same thing, wherever they are written.
impl PartialEq for AdapterSpec {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.settings == other.settings
    }
}

impl AdapterSpec {
    /// A kind without settings that no file names.
    pub fn of_kind(kind: &str) -> Self {
        Self { kind: kind.to_owned(), settings: Map::new(), location: None }
    }
}

/// An [`AdapterSpec`] as it is written.
#[derive(Debug)]
pub(crate) struct AdapterLayer {
    kind: String,
    settings: Map<String, Value>,
}

impl AdapterLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> AdapterSpec {
        AdapterSpec { location: Some(place.location()), kind: self.kind, settings: self.settings }
    }
}

impl<'de> Deserialize<'de> for AdapterLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AdapterVisitor)
    }
}

struct AdapterVisitor;

impl<'de> Visitor<'de> for AdapterVisitor {
    type Value = AdapterLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a kind, as in `kind` or `kind: { settings }`")
    }

    fn visit_str<E: de::Error>(self, kind: &str) -> Result<AdapterLayer, E> {
        Ok(AdapterLayer { kind: kind.to_owned(), settings: Map::new() })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<AdapterLayer, A::Error> {
        let Some((kind, settings)) = entries.next_entry()? else {
            return Err(de::Error::custom("expected a kind, found an empty mapping"));
        };
        match entries.next_key::<String>()? {
            None => Ok(AdapterLayer { kind, settings }),
            Some(second) => Err(de::Error::custom(format_args!(
                "expected one kind, found `{kind}` and `{second}`; settings belong below the kind"
            ))),
        }
    }
}

impl JsonSchema for AdapterLayer {
    fn schema_name() -> Cow<'static, str> {
        "Adapter".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The name of a kind, or the kind with its settings.",
            "oneOf": [
                { "type": "string", "minLength": 1 },
                {
                    "type": "object",
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": { "type": ["object", "null"] },
                },
            ],
        })
    }
}

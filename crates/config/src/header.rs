//! Headers as they are written: names, values, and the requests that carry them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use tagship_domain::routing::{HeaderMatch, HeaderName, HeaderText};

use crate::{place::Place, strategy::required};

/// The name of a header as it is written.
#[derive(Debug, Clone)]
pub(crate) struct HeaderLayer(pub(crate) HeaderName);

/// The value of a header as it is written.
#[derive(Debug, Clone)]
pub(crate) struct HeaderTextLayer(HeaderText);

/// Requests that carry a header.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "HeaderMatch")]
pub(crate) struct MatchLayer {
    /// Name of the header, e.g. `x-cohort`.
    #[schemars(required)]
    header: Option<HeaderLayer>,
    /// Its whole value, e.g. `beta`; case matters.
    #[schemars(required)]
    exact: Option<HeaderTextLayer>,
}

impl MatchLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<HeaderMatch> {
        let header = required(self.header, place, "header", "x-cohort");
        let exact = required(self.exact, place, "exact", "beta");
        Some(HeaderMatch { header: header?.0, exact: exact?.0 })
    }
}

impl<'de> Deserialize<'de> for HeaderLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        HeaderName::new(name).map(Self).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for HeaderTextLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = String::deserialize(deserializer)?;
        HeaderText::new(value).map(Self).map_err(de::Error::custom)
    }
}

impl JsonSchema for HeaderTextLayer {
    fn schema_name() -> Cow<'static, str> {
        HeaderText::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        HeaderText::json_schema(generator)
    }
}

impl JsonSchema for HeaderLayer {
    fn schema_name() -> Cow<'static, str> {
        HeaderName::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        HeaderName::json_schema(generator)
    }
}

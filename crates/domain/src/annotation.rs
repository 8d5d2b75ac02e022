//! What people write about a model beside its versions: an entry of `artifacts.yaml`, as GTO knows it.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Number, Value};

/// One entry, in the fields and the order of GTO.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Annotation {
    /// What kind of artifact it is, e.g. `model`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Where it lies.
    pub path: Option<String>,
    /// Whether it lies outside of the repository.
    #[serde(rename = "virtual")]
    pub is_virtual: bool,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// What it is.
    pub description: String,
    /// Anything else.
    pub custom: Ordered,
}

/// Plain data whose mappings keep the order in which they were written.
#[derive(Debug, Clone, PartialEq)]
pub enum Ordered {
    /// Nothing.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// A text.
    Text(String),
    /// Values in a row.
    List(Vec<Self>),
    /// Values by key; no key stands twice.
    Mapping(Vec<(String, Self)>),
}

impl Ordered {
    /// The same data as JSON, whose mappings are sorted by key.
    pub fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Number(value) => Value::Number(value),
            Self::Text(text) => Value::String(text),
            Self::List(items) => items.into_iter().map(Self::into_json).collect(),
            Self::Mapping(entries) => Value::Object(
                entries.into_iter().map(|(key, value)| (key, value.into_json())).collect::<Map<_, _>>(),
            ),
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for a message.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a yes or no",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Mapping(_) => "a mapping",
        }
    }
}

impl Serialize for Ordered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Mapping(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

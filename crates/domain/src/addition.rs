//! Globals that a team lets pickles name beyond those that are known, each for a reason and for a time.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::suppression::Day;

/// One global that may be named, how it may be used, why, and until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addition {
    /// Which one, exactly.
    pub global: GlobalName,
    /// How a pickle may use it.
    pub call: GlobalUse,
    /// Why it is let through.
    pub reason: String,
    /// The last day on which it holds, in UTC; for good where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// Module and name of a global of Python, e.g. `churn.features.Encoder`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GlobalName {
    module: String,
    name: String,
}

/// How a pickle may use a global. Each allows what those before it allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GlobalUse {
    /// It is named as data and never called.
    Reference,
    /// Instances are made with `__new__`, without running `__init__`, and get their state.
    #[default]
    Newobj,
    /// It is called, as `__reduce__` asks for.
    Reduce,
}

/// A text that names no global.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} names no global; write module and name exactly, like churn.features.Encoder")]
pub struct GlobalNameError {
    text: String,
}

impl GlobalName {
    /// The module, e.g. `churn.features`.
    pub fn module(&self) -> &str {
        &self.module
    }

    /// The name in its module, e.g. `Encoder`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl FromStr for GlobalName {
    type Err = GlobalNameError;
    fn from_str(text: &str) -> Result<Self, GlobalNameError> {
        let is_identifier = |part: &str| {
            !part.is_empty()
                && !part.starts_with(|c: char| c.is_numeric())
                && part.chars().all(|c| c.is_alphanumeric() || c == '_')
        };
        match text.rsplit_once('.') {
            Some((module, name)) if text.split('.').all(is_identifier) => {
                Ok(Self { module: module.to_owned(), name: name.to_owned() })
            }
            _ => Err(GlobalNameError { text: text.to_owned() }),
        }
    }
}

impl fmt::Display for GlobalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.module, self.name)
    }
}

impl TryFrom<String> for GlobalName {
    type Error = GlobalNameError;
    fn try_from(text: String) -> Result<Self, GlobalNameError> {
        text.parse()
    }
}

impl From<GlobalName> for String {
    fn from(name: GlobalName) -> Self {
        name.to_string()
    }
}

impl JsonSchema for GlobalName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GlobalName".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "examples": ["churn.features.Encoder"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_global_is_named_exactly() {
        let name: GlobalName = "churn.features.Encoder".parse().unwrap();
        assert_eq!((name.module(), name.name()), ("churn.features", "Encoder"));
        assert_eq!(name.to_string(), "churn.features.Encoder");
        for text in ["Encoder", "churn.*", "churn..Encoder", ".Encoder", "churn.", "churn.2x", "a b.c", ""] {
            assert!(text.parse::<GlobalName>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_use_allows_what_those_before_it_allow() {
        assert!(GlobalUse::Reference < GlobalUse::Newobj && GlobalUse::Newobj < GlobalUse::Reduce);
        assert_eq!(serde_json::to_value(GlobalUse::Newobj).unwrap(), "newobj");
    }
}

//! `release.sign` and `verify`: the key that signs releases, and the keys that are trusted to have signed them.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};

use crate::{path::RepoPath, place::Place};

/// Where a trusted public key stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In a file of the repository.
    File(RepoPath),
    /// In a variable of the environment.
    Env(String),
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.fmt(f),
            Self::Env(name) => name.fmt(f),
        }
    }
}

/// The key that signs releases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Sign")]
pub(crate) struct SignLayer {
    /// The environment variable that holds the private key: PEM on P-256, P-384 or P-521, unencrypted.
    #[schemars(extend("pattern" = "^[A-Za-z_][A-Za-z0-9_]*$"))]
    key_env: String,
}

/// Who is trusted to have signed a release.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Verify")]
pub(crate) struct VerifyLayer {
    /// Public keys (PEM): paths in the repository, or variables of the environment as `{ key-env: NAME }`. One of them must
    /// have signed.
    #[schemars(extend("minItems" = 1))]
    keys: Vec<KeyLayer>,
}

/// A [`KeySource`] as it is written.
#[derive(Debug)]
enum KeyLayer {
    File(String),
    Env(String),
}

impl SignLayer {
    /// The variable.
    pub(crate) fn resolve(self, place: &Place<'_>) -> Option<String> {
        variable(self.key_env, &place.key("key-env"))
    }
}

impl VerifyLayer {
    pub(crate) fn resolve(self, place: &Place<'_>) -> Vec<KeySource> {
        let at = place.key("keys");
        if self.keys.is_empty() {
            let help = "name the file of a public key, e.g. `keys: [keys/release.pub.pem]`".to_owned();
            at.report("a list of no keys trusts nobody".to_owned(), Some(help));
        }
        let resolve = |(index, key): (usize, KeyLayer)| match key {
            KeyLayer::Env(name) => variable(name, &at.index(index).key("key-env")).map(KeySource::Env),
            KeyLayer::File(path) => match RepoPath::new(path) {
                Ok(path) => Some(KeySource::File(path)),
                Err(error) => {
                    at.index(index).report(error.to_string(), None);
                    None
                }
            },
        };
        self.keys.into_iter().enumerate().filter_map(resolve).collect()
    }
}

/// The name of a variable. A key itself in its place is not repeated.
fn variable(name: String, place: &Place<'_>) -> Option<String> {
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if is_name {
        return Some(name);
    }
    let help =
        "write the name alone, e.g. `TAGSHIP_SIGNING_KEY`, and keep the key out of this file".to_owned();
    place.report("expected the name of an environment variable".to_owned(), Some(help));
    None
}

impl<'de> Deserialize<'de> for KeyLayer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = KeyLayer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the path of a public key, or `{ key-env: NAME }`")
    }

    fn visit_str<E: de::Error>(self, path: &str) -> Result<KeyLayer, E> {
        Ok(KeyLayer::File(path.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<KeyLayer, A::Error> {
        match entries.next_entry::<String, String>()? {
            Some((key, name)) if key == "key-env" && entries.next_key::<String>()?.is_none() => {
                Ok(KeyLayer::Env(name))
            }
            _ => Err(de::Error::custom("expected the path of a public key, or `{ key-env: NAME }`")),
        }
    }
}

impl JsonSchema for KeyLayer {
    fn schema_name() -> Cow<'static, str> {
        "Key".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The path of a public key in the repository, or the environment variable that holds one.",
            "oneOf": [
                { "type": "string", "minLength": 1 },
                {
                    "type": "object",
                    "properties": { "key-env": { "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" } },
                    "required": ["key-env"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}

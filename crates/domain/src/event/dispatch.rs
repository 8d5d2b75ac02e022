//! What other programs, and earlier runs of ours, send to start a run: names of events and what they carry.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    digest::Digest,
    name::{Environment, ModelName},
    version::Version,
};

/// The event that a model registry, or a relay beside it, sends about a new version.
pub const MODEL_VERSION_CREATED: &str = "model-version-created";

/// The event by which a run asks for the next one: what it does in its own name starts no run by itself.
pub const CONTINUE: &str = "tagship-continue";

/// What [`MODEL_VERSION_CREATED`] carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct ModelVersion {
    /// The model, as it is called in `tagship.yml`.
    pub model: ModelName,
    /// The registry's own name of the version, e.g. `7` or `v1.4.0`.
    pub version: String,
    /// Digest of its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Where the registry keeps them; for people to read, nothing is fetched from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// The environment it goes to; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

/// What [`CONTINUE`] carries: with a version, the next stage of that version; without, running rollouts go on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Continuation {
    /// The model; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// The environment; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// The version to deploy there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

impl Continuation {
    /// As the fields of an event.
    pub fn payload(&self) -> Map<String, Value> {
        let fields = [
            ("model", self.model.as_ref().map(ToString::to_string)),
            ("environment", self.environment.as_ref().map(ToString::to_string)),
            ("version", self.version.as_ref().map(ToString::to_string)),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        fields.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_read() {
        for next in [
            Continuation::default(),
            Continuation {
                model: ModelName::new("teams:churn").ok(),
                environment: Environment::new("production").ok(),
                version: "v1.4.0-rc.1".parse().ok(),
            },
        ] {
            let read: Continuation = serde_json::from_value(Value::Object(next.payload())).unwrap();
            assert_eq!(read, next);
        }
    }
}

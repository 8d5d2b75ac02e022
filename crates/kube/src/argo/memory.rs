//! What is remembered of a `Rollout`, in an annotation of it, so that it changes in the very write that it belongs to. Argo makes
//! no new pods for that.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::{PortError, Problem, target::Order};

use crate::{notes::notes, object::text};

/// The annotation.
const STATE: &str = "tagship/state";

/// The memory of a `Rollout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Memory {
    pub(super) model: ModelName,
    /// Highest fence that was seen.
    pub(super) fence: u64,
    /// The version that keeps what a candidate does not get.
    #[serde(default)]
    pub(super) stable: Option<Version>,
    /// Whether requests are let in: not before the first version is given any.
    #[serde(default)]
    pub(super) open: bool,
    /// Versions that are loaded, or were and can be loaded again.
    #[serde(default)]
    pub(super) versions: BTreeMap<Version, Known>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Known {
    pub(super) digest: Digest,
    /// The pod template that serves it, so that the way back needs no manifest.
    pub(super) template: Value,
}

impl Memory {
    /// Of a model that nothing was written of yet.
    pub(super) fn new(model: ModelName) -> Self {
        Self { model, fence: 0, stable: None, open: false, versions: BTreeMap::new() }
    }

    /// Reads it from a `Rollout`.
    pub(super) fn read(rollout: &Value) -> Result<Self, PortError> {
        let written = rollout["metadata"]["annotations"][STATE].as_str().unwrap_or_default();
        serde_json::from_str(written).map_err(|error| {
            let name = text(rollout, "/metadata/name");
            let message = format!("its annotation `{STATE}` cannot be read: {error}");
            PortError::new(Problem::Conflict, format!("read Rollout {name}"), message)
                .hint("give `name` another value, or delete the Rollout if nobody needs it")
        })
    }

    /// The loaded versions with their digests.
    pub(super) fn digests(&self) -> impl Iterator<Item = (&Version, &Digest)> {
        self.versions.iter().map(|(version, known)| (version, &known.digest))
    }

    /// As annotations, with notes for people.
    pub(super) fn annotations(&self, order: &Order) -> Value {
        let mut annotations = notes(order);
        annotations[STATE] = json!(serde_json::to_string(self).unwrap_or_default());
        annotations
    }
}

//! What is remembered beside the `InferenceService`, in an object of its own: `KServe` makes a new revision for every
//! annotation that changes. It is written before the `InferenceService` is, so that no order is carried out unremembered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tagship_domain::{Digest, ModelName, Timestamp, Version};
use tagship_ports::{PortError, Problem, target::Order};

use super::{manifest::address, settings::KserveSettings};
use crate::{
    cluster::{Kind, MANAGER},
    notes::notes,
    object::text,
    owners::MANAGED_BY,
};

/// Where the notebook keeps it.
const STATE: &str = "state";

/// The memory of an `InferenceService`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Memory {
    pub(super) model: ModelName,
    /// Highest fence that was seen.
    pub(super) fence: u64,
    /// The version that keeps what a candidate does not get.
    #[serde(default)]
    pub(super) stable: Option<Version>,
    /// When requests from outside were let in, in Standard mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) shown: Option<Timestamp>,
    /// Since when the canary is loaded without a route that lists it, in Standard mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unlisted: Option<Timestamp>,
    /// The canary of which a route was seen that does, in Standard mode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) proven: Option<Version>,
    /// The canary's share before the one that is written, in percent.
    #[serde(default)]
    pub(super) before: u8,
    /// Versions that are loaded, or were and can be loaded again.
    #[serde(default)]
    pub(super) versions: BTreeMap<Version, Known>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Known {
    pub(super) digest: Digest,
    /// The predictor that serves it, so that the way back needs no manifest.
    pub(super) predictor: Value,
    /// The newest revision when this was written; any newer one is of this version.
    #[serde(default)]
    pub(super) since: Option<String>,
    /// Its revision when another version took its place in the specification.
    #[serde(default)]
    pub(super) revision: Option<String>,
}

impl Memory {
    /// Of a model that nothing was written of yet.
    pub(super) fn new(model: ModelName, fence: u64) -> Self {
        Self {
            model,
            fence,
            stable: None,
            shown: None,
            unlisted: None,
            proven: None,
            before: 0,
            versions: BTreeMap::new(),
        }
    }

    /// Reads it from the notebook.
    pub(super) fn read(notebook: &Value) -> Result<Self, PortError> {
        let written = notebook["data"][STATE].as_str().unwrap_or_default();
        serde_json::from_str(written).map_err(|error| {
            let name = text(notebook, "/metadata/name");
            PortError::new(
                Problem::Conflict,
                format!("read ConfigMap {name}"),
                format!("it is not Tagship's: {error}"),
            )
            .hint("give `name` another value, or delete the ConfigMap if nobody needs it")
        })
    }

    /// As a notebook is written.
    pub(super) fn notebook(&self, settings: &KserveSettings, order: &Order) -> Value {
        let metadata = json!({
            "name": settings.notebook(), "namespace": settings.namespace,
            "labels": { MANAGED_BY: MANAGER }, "annotations": notes(order),
        });
        json!({
            "apiVersion": Kind::ConfigMap.api_version(), "kind": "ConfigMap", "metadata": metadata,
            "data": { STATE: serde_json::to_string(self).unwrap_or_default() },
        })
    }

    /// The loaded versions with their digests.
    pub(super) fn digests(&self) -> impl Iterator<Item = (&Version, &Digest)> {
        self.versions.iter().map(|(version, known)| (version, &known.digest))
    }

    /// The version whose bytes have this address.
    pub(super) fn at(&self, uri: &str) -> Option<(&Version, &Known)> {
        self.versions.iter().find(|(_, known)| known.is_at(uri))
    }
}

impl Known {
    /// Whether its bytes have this address, which names their digest.
    pub(super) fn is_at(&self, uri: &str) -> bool {
        address(&self.predictor) == uri
    }
}

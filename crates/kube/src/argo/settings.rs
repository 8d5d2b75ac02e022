//! Settings of target `argo-rollouts`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

use super::manifest::Manifest;
use crate::object;

/// Longest name of a `Rollout`: `ReplicaSet`s add eleven characters, and names of Services take 63.
const LONGEST_NAME: usize = 52;
pub(super) const OPERATION: &str = "read the settings of target argo-rollouts";

/// Settings of target `argo-rollouts`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArgoSettings {
    /// Namespace of everything that is written.
    pub namespace: String,
    /// Name of the `Rollout`, which Tagship makes and owns; its Services are `NAME-stable` and `NAME-canary`.
    pub name: String,
    /// File with a `Rollout` that serves one version, from the repository's top.
    pub manifest: String,
    /// Port of the container that answers; Services lead to it from port 80.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Context of the kubeconfig; the current one where none is given.
    #[serde(default)]
    pub context: Option<String>,
}

fn default_port() -> u16 {
    8080
}

impl ArgoSettings {
    /// Reads them, and the manifest that they name.
    pub(super) fn read(settings: &Map<String, Value>, root: &Path) -> Result<(Self, Manifest), PortError> {
        let settings: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| wrong(error.to_string()))?;
        refuse_no_names(&settings.namespace, &settings.name)?;
        let manifest = Manifest::read(root, &settings.manifest)?;
        Ok((settings, manifest))
    }
}

/// Name of the Service of what is stable.
pub(super) fn stable_service(name: &str) -> String {
    format!("{name}-stable")
}

/// Name of the Service of what is rolled out.
pub(super) fn canary_service(name: &str) -> String {
    format!("{name}-canary")
}

/// Refuses what no namespace and no `Rollout` can be named.
pub(crate) fn refuse_no_names(namespace: &str, name: &str) -> Result<(), PortError> {
    object::refuse_no_names(OPERATION, [("namespace", namespace, 63), ("name", name, LONGEST_NAME)])
}

pub(super) fn wrong(message: String) -> PortError {
    PortError::new(Problem::Invalid, OPERATION, message)
}

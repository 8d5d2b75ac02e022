//! Settings of target `kserve`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_domain::ModelName;
use tagship_ports::{PortError, Problem};

use super::manifest::Manifest;
use crate::object;

/// Longest name of an `InferenceService`: the notebook adds eight characters, revisions twenty-four, and names of Services take 63.
const LONGEST_NAME: usize = 39;
pub(super) const OPERATION: &str = "read the settings of target kserve";

/// Settings of target `kserve`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct KserveSettings {
    /// Namespace of everything that is written.
    pub namespace: String,
    /// Name of the `InferenceService`, which Tagship makes and owns.
    pub name: String,
    /// File with an `InferenceService` that serves one version, from the repository's top. Its `storageUri` names the digest.
    pub manifest: String,
    /// The mode in which `KServe` runs it.
    #[serde(default)]
    pub mode: Mode,
    /// Context of the kubeconfig; the current one where none is given.
    #[serde(default)]
    pub context: Option<String>,
}

/// How `KServe` runs an `InferenceService`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// By Knative, which shares traffic by percent.
    #[default]
    Knative,
    /// By Deployments, and routes that carry canaries where the version of `KServe` writes any.
    Standard,
}

impl KserveSettings {
    /// Reads them, and the manifest that they name.
    pub(super) fn read(settings: &Map<String, Value>, root: &Path) -> Result<(Self, Manifest), PortError> {
        let settings: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| wrong(error.to_string()))?;
        refuse_no_names(&settings.namespace, &settings.name)?;
        let manifest = Manifest::read(root, &settings.manifest, settings.mode)?;
        Ok((settings, manifest))
    }

    /// Name of the object that remembers what the `InferenceService` does not tell.
    pub(super) fn notebook(&self) -> String {
        notebook(&self.name)
    }

    /// Under which name the model's server knows the model: the one of the `InferenceService`.
    pub(super) fn served_as(&self) -> Result<ModelName, PortError> {
        ModelName::new(&self.name).map_err(|error| wrong(format!("`name`: {error}")))
    }
}

/// Name of the object that remembers what the `InferenceService` of a name does not tell.
pub(super) fn notebook(name: &str) -> String {
    format!("{name}-tagship")
}

/// Refuses what no namespace and no `InferenceService` can be named.
pub(crate) fn refuse_no_names(namespace: &str, name: &str) -> Result<(), PortError> {
    object::refuse_no_names(OPERATION, [("namespace", namespace, 63), ("name", name, LONGEST_NAME)])
}

pub(super) fn wrong(message: String) -> PortError {
    PortError::new(Problem::Invalid, OPERATION, message)
}

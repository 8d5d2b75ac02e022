//! Settings of target `flagger`.

use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

use crate::object;

const OPERATION: &str = "read the settings of target flagger";

/// Settings of target `flagger`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FlaggerSettings {
    /// Namespace of the `Canary` and its Deployments.
    pub namespace: String,
    /// Name of the `Canary`.
    pub name: String,
    /// Context of the kubeconfig; the current one where none is given.
    #[serde(default)]
    pub context: Option<String>,
}

impl FlaggerSettings {
    pub(super) fn read(settings: &Map<String, Value>) -> Result<Self, PortError> {
        let settings: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| PortError::new(Problem::Invalid, OPERATION, error.to_string()))?;
        refuse_no_names(&settings.namespace, &settings.name)?;
        Ok(settings)
    }
}

/// Refuses what no namespace and no `Canary` can be named.
pub(crate) fn refuse_no_names(namespace: &str, name: &str) -> Result<(), PortError> {
    object::refuse_no_names(OPERATION, [("namespace", namespace, 63), ("name", name, 63)])
}

//! Settings of target `gateway-api`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

use super::workload::Manifest;
use crate::object;

/// Longest name of a route: Deployments and Services add nine characters, and take 63.
const LONGEST_NAME: usize = 54;
pub(super) const OPERATION: &str = "read the settings of target gateway-api";

/// Settings of target `gateway-api`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GatewaySettings {
    /// Namespace of everything that is written.
    pub namespace: String,
    /// Name of the `HTTPRoute`, which Tagship makes and owns; Deployments and Services are named after it.
    pub route: String,
    /// The gateways that the route is attached to.
    pub gateways: Vec<GatewayRef>,
    /// Hosts of the requests; those of the gateways where none is given.
    #[serde(default)]
    pub hostnames: Vec<String>,
    /// What paths of the requests begin with.
    #[serde(default = "default_path")]
    pub path: String,
    /// File with a Deployment that serves one version, from the repository's top.
    pub manifest: String,
    /// Port of the container that answers; Services lead to it from port 80.
    #[serde(default = "default_port")]
    pub port: u16,
    /// Context of the kubeconfig; the current one where none is given.
    #[serde(default)]
    pub context: Option<String>,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GatewayRef {
    /// Its name.
    pub name: String,
    /// Its namespace; the route's where none is given.
    #[serde(default)]
    pub namespace: Option<String>,
    /// Its listener; all of them where none is given.
    #[serde(default)]
    pub section_name: Option<String>,
}

fn default_path() -> String {
    "/".to_owned()
}

fn default_port() -> u16 {
    8080
}

impl GatewaySettings {
    /// Reads them, and the manifest that they name.
    pub(super) fn read(settings: &Map<String, Value>, root: &Path) -> Result<(Self, Manifest), PortError> {
        let settings: Self = serde_json::from_value(Value::Object(settings.clone()))
            .map_err(|error| wrong(error.to_string()))?;
        refuse_no_names(&settings.namespace, &settings.route)?;
        if settings.gateways.is_empty() {
            return Err(wrong("`gateways` is empty, so that no request would reach the route".to_owned())
                .hint("write `gateways: [{ name: ... }]`"));
        }
        if !settings.path.starts_with('/') {
            return Err(wrong(format!("`path` does not begin with `/`: {:?}", settings.path)));
        }
        let manifest = Manifest::read(root, &settings.manifest, settings.port)?;
        Ok((settings, manifest))
    }
}

/// Refuses what no namespace and no route can be named.
pub(crate) fn refuse_no_names(namespace: &str, route: &str) -> Result<(), PortError> {
    object::refuse_no_names(OPERATION, [("namespace", namespace, 63), ("route", route, LONGEST_NAME)])
}

pub(super) fn wrong(message: String) -> PortError {
    PortError::new(Problem::Invalid, OPERATION, message)
}

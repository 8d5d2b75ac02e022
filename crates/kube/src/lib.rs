//! Targets on Kubernetes.
//!
//! The cluster serves and routes; Tagship makes small guarded writes under the name `tagship`: what is not there is made by
//! POST, what is there is applied, never forced. Everything is decided from what is read. What others own is theirs: a conflict names them.
//! Only the way back of `argo-rollouts` writes over what they changed, for a version that serves comes first. For `flagger`
//! nothing is written at all.
//!
//! What the account may not do, and what a route or a controller does not confirm, stops a rollout before it moves
//! traffic; what it wrote says for which rollout.

mod access;
mod argo;
mod cluster;
mod connection;
mod digests;
mod endpoint;
mod failure;
mod flagger;
mod gateway;
mod kserve;
mod marks;
mod merge;
mod notes;
mod object;
mod owners;
#[cfg(test)]
mod played;
mod silence;
mod template;

use std::{path::Path, sync::Arc};

use serde_json::{Map, Value};
use tagship_ports::{Clock, ModelRunner, PortError, Problem, ReleaseAddresses, Target};

pub use argo::{ArgoSettings, ArgoTarget};
pub use connection::PLAIN_VARIABLES;
pub use flagger::{FlaggerSettings, FlaggerTarget};
pub use gateway::{GatewayApiTarget, GatewaySettings};
pub use kserve::{KserveSettings, KserveTarget, Mode as KserveMode};

/// The kinds of targets here that a configuration may name.
pub const KINDS: [&str; 4] = ["argo-rollouts", "flagger", "gateway-api", "kserve"];

/// Whether a target of this kind is only followed: another tool begins, shares and judges, and nothing is written.
pub fn is_followed(kind: &str) -> bool {
    kind == "flagger"
}

/// Opens what knows where the bytes of releases are.
pub type Addresses<'a> = &'a dyn Fn() -> Result<Arc<dyn ReleaseAddresses>, PortError>;

/// A target, and what reaches its prepared versions.
pub type Opened = (Box<dyn Target>, Box<dyn ModelRunner>);

/// Opens a target by its kind; `None` where it is none of [`KINDS`]. Relative paths are relative to `root`, the
/// repository. `variable` answers the value of an environment variable; `addresses` is opened where a target needs it;
/// `clock` says how long something is missing.
///
/// # Errors
/// For settings that the kind does not have, or a manifest that cannot be used.
pub fn open(
    kind: &str,
    settings: &Map<String, Value>,
    root: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    addresses: Addresses<'_>,
    clock: Arc<dyn Clock>,
) -> Option<Result<Opened, PortError>> {
    match kind {
        "argo-rollouts" => Some(ArgoTarget::from_settings(settings, root, variable, addresses).map(both)),
        "flagger" => Some(FlaggerTarget::from_settings(settings, variable).map(both)),
        "gateway-api" => Some(GatewayApiTarget::from_settings(settings, root, variable).map(both)),
        "kserve" => Some(KserveTarget::from_settings(settings, root, variable, addresses, clock).map(both)),
        _ => None,
    }
}

fn both(target: impl Target + ModelRunner + Clone + 'static) -> Opened {
    (Box::new(target.clone()), Box::new(target))
}

/// What an account needs on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rights {
    /// The context of the kubeconfig that leads to the cluster; the current one where there is none.
    pub context: Option<String>,
    /// A Role and its binding, as YAML that `kubectl apply` takes.
    pub manifests: String,
}

/// What the account needs in the cluster for a target of one of [`KINDS`]; `None` for other kinds. `endpoints`: whether golden
/// cases will ask the versions.
///
/// # Errors
/// For settings without what names the objects, and for those that are no names.
pub fn rbac(kind: &str, settings: &Map<String, Value>, endpoints: bool) -> Option<Result<Rights, PortError>> {
    KINDS.contains(&kind).then(|| rights(kind, settings, endpoints))
}

fn rights(kind: &str, settings: &Map<String, Value>, endpoints: bool) -> Result<Rights, PortError> {
    let text = |key: &str| {
        settings.get(key).and_then(Value::as_str).ok_or_else(|| {
            let message = format!("`{key}` is missing or no text");
            PortError::new(Problem::Invalid, format!("read the settings of target {kind}"), message)
        })
    };
    let namespace = text("namespace")?;
    let access = match kind {
        "argo-rollouts" => {
            let name = text("name")?;
            argo::refuse_no_names(namespace, name)?;
            argo::access(namespace, name, endpoints)
        }
        "flagger" => {
            let name = text("name")?;
            flagger::refuse_no_names(namespace, name)?;
            flagger::access(namespace, name)
        }
        "kserve" => {
            let name = text("name")?;
            kserve::refuse_no_names(namespace, name)?;
            let mode =
                settings.get("mode").cloned().map_or(Ok(kserve::Mode::default()), serde_json::from_value);
            let mode = mode.map_err(|error| {
                let operation = "read the settings of target kserve";
                PortError::new(Problem::Invalid, operation, format!("`mode`: {error}"))
            })?;
            kserve::access(namespace, name, mode, endpoints)
        }
        _ => {
            let route = text("route")?;
            gateway::refuse_no_names(namespace, route)?;
            gateway::access(namespace, route, endpoints)
        }
    };
    let context = settings.get("context").and_then(Value::as_str).map(str::to_owned);
    Ok(Rights { context, manifests: access.manifests() })
}

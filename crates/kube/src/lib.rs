//! Targets on Kubernetes.
//!
//! The cluster serves and routes; Tagship makes small writes that it owns, by server-side apply under the name `tagship`,
//! never forced, and decides everything from what it reads. What others own is theirs: a conflict names them.

mod access;
mod cluster;
mod connection;
mod endpoint;
mod failure;
mod gateway;

use std::path::Path;

use serde_json::{Map, Value};
use tagship_ports::{ModelRunner, PortError, Target};

pub use connection::PLAIN_VARIABLES;
pub use gateway::{GatewayApiTarget, GatewaySettings};

/// The kinds of targets here that a configuration may name.
pub const KINDS: [&str; 1] = ["gateway-api"];

/// A target, and what reaches its prepared versions.
pub type Opened = (Box<dyn Target>, Box<dyn ModelRunner>);

/// Opens a target by its kind; `None` where it is none of [`KINDS`]. Relative paths are relative to `root`, the
/// repository. `variable` answers the value of an environment variable.
///
/// # Errors
/// For settings that the kind does not have, or a manifest that cannot be used.
pub fn open(
    kind: &str,
    settings: &Map<String, Value>,
    root: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Option<Result<Opened, PortError>> {
    (kind == "gateway-api").then(|| {
        let target = GatewayApiTarget::from_settings(settings, root, variable)?;
        Ok((Box::new(target.clone()) as Box<dyn Target>, Box::new(target) as Box<dyn ModelRunner>))
    })
}

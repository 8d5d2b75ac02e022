//! Targets on Kubernetes.
//!
//! The cluster serves and routes; Tagship makes small writes that it owns, by server-side apply under the name `tagship`,
//! never forced, and decides everything from what it reads. What others own is theirs: a conflict names them.
//!
//! No configuration can name one of these targets yet, because `gateway-api` is not safe enough for production:
//! - objects are created by an apply without a guard, so that a late one overwrites what another run has made since;
//! - cleaning up removes a version by name, also where another run has brought it back meanwhile;
//! - a changed `port` leads to Services that do not have it, and changed hostnames or gateways are not compared;
//! - weights that were written and never confirmed can be told as the ones before, or as done by a repeated order;
//! - a stable version whose Deployment lost its labels gets no share, and one without annotations blocks going back;
//! - a 404 of any kind is taken for a route that is not there, and words of a login plugin can reach messages.

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

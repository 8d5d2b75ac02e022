//! Places outside of the repository that artifacts come from.

mod bucket;
mod directory;
mod oci;

use std::path::Path;

use tagship_config::Address;
use tagship_ports::{ArtifactPlace, ModelRegistry, PortError, Problem};

use crate::model_registries::{self, Wanted};

pub use directory::Directory;

/// The kinds of places that a configuration may name.
pub const KINDS: [&str; 6] = ["dir", "s3", "gs", "az", "oci", "mlflow"];

/// What places are opened with.
#[allow(missing_debug_implementations, reason = "it holds functions")]
pub struct Opener<'a> {
    /// The repository; relative paths are relative to it.
    pub root: &'a Path,
    /// Answers the value of an environment variable that is a secret.
    pub secret: &'a dyn Fn(&str) -> Option<String>,
    /// Answers the value of one that is none, e.g. the address of a server.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// What stands behind an address.
#[allow(missing_debug_implementations, reason = "it holds nothing but a seam")]
pub enum Opened {
    /// A place that holds one artifact at a time.
    Place(Box<dyn ArtifactPlace>),
    /// A model of a model registry, and which of its versions is meant.
    Registry(Box<dyn ModelRegistry>, Wanted),
}

/// Opens the place that an address names.
///
/// # Errors
/// For an unknown kind, an address that it does not have, or a variable that is not set.
pub fn open(address: &Address, opener: &Opener<'_>) -> Result<Opened, PortError> {
    match address.kind() {
        "dir" => Ok(Opened::Place(Box::new(Directory::new(opener.root, address.rest())))),
        "s3" | "gs" | "az" => Ok(Opened::Place(Box::new(bucket::open(address, opener)?))),
        "oci" => Ok(Opened::Place(Box::new(oci::open(address.rest(), opener)?))),
        "run-artifact" => {
            let message = "artifacts of a workflow's run are not fetched by this version";
            Err(PortError::new(Problem::Unsupported, format!("open {address}"), message).hint(
                "have actions/download-artifact with its `run-id` fetch it in a step before, and write `dir:PATH` here",
            ))
        }
        "mlflow" => {
            let (registry, wanted) = model_registries::mlflow(address.rest(), opener)?;
            Ok(Opened::Registry(Box::new(registry), wanted))
        }
        other => {
            let message = format!("{other:?} is no kind of place that an artifact comes from");
            Err(PortError::new(Problem::Unsupported, format!("open {address}"), message)
                .hint(format!("known kinds are {}; a path of the repository needs none", KINDS.join(", "))))
        }
    }
}

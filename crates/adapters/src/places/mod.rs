//! Places outside of the repository that artifacts come from.

pub(crate) mod bucket;
mod directory;
mod oci;
mod run_artifact;

use std::path::Path;

use tagship_config::Address;
use tagship_ports::{ArtifactPlace, ModelRegistry, PortError, Problem};

use crate::model_registries::{self, Wanted};

pub use directory::Directory;
pub use run_artifact::Runs;

/// The kinds of places that a configuration may name.
pub const KINDS: [&str; 7] = ["dir", "s3", "gs", "az", "oci", MLFLOW, RUN_ARTIFACT];

const MLFLOW: &str = "mlflow";
/// The kind of what a workflow's run keeps.
pub const RUN_ARTIFACT: &str = "run-artifact";

/// Answers the value of an environment variable.
type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Where places that no configuration describes further find what they need to know.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "it holds functions")]
pub struct Variables<'a> {
    /// Variables that are secrets.
    pub secret: Variable<'a>,
    /// Variables that are none, e.g. the address of a server.
    pub plain: Variable<'a>,
}

/// What places are opened with.
#[allow(missing_debug_implementations, reason = "it holds functions")]
pub struct Opener<'a> {
    /// The repository; relative paths are relative to it.
    pub root: &'a Path,
    /// Answers the value of an environment variable that is a secret.
    pub secret: &'a dyn Fn(&str) -> Option<String>,
    /// Answers the value of one that is none, e.g. the address of a server.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Answers the runs whose artifacts may be meant.
    pub runs: &'a dyn Fn() -> Result<Runs, PortError>,
}

/// What stands behind an address.
#[allow(missing_debug_implementations, reason = "it holds nothing but a seam")]
pub enum Opened {
    /// A place that holds one artifact at a time.
    Place(Box<dyn ArtifactPlace>),
    /// A model of a model registry, and which of its versions is meant.
    Registry(Box<dyn ModelRegistry>, Wanted),
}

/// Whether what stands behind an address numbers its versions, as model registries do.
pub fn has_versions(address: &Address) -> bool {
    address.kind() == MLFLOW
}

/// Opens the place that an address names.
///
/// # Errors
/// For an unknown kind, an address that it does not have, or a variable that is not set.
pub fn open(address: &Address, opener: &Opener<'_>) -> Result<Opened, PortError> {
    match address.kind() {
        "dir" => Ok(Opened::Place(Box::new(Directory::new(opener.root, address.rest())))),
        "s3" | "gs" | "az" => {
            let variables = Variables { secret: opener.secret, plain: opener.variable };
            Ok(Opened::Place(Box::new(bucket::open(address, &variables)?)))
        }
        "oci" => Ok(Opened::Place(Box::new(oci::open(address.rest(), opener)?))),
        RUN_ARTIFACT => {
            Ok(Opened::Place(Box::new(run_artifact::RunArtifact::new((opener.runs)()?, address.rest()))))
        }
        MLFLOW => {
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

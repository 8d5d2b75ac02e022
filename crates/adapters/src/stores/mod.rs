//! Stores of release bytes.

mod file;
mod remembering;

use std::path::Path;

use tagship_config::AdapterSpec;
use tagship_ports::{ArtifactStore, PortError, Problem};

pub use file::FileStore;
pub use remembering::Remembering;

/// The kinds of stores that a configuration may name.
pub const KINDS: [&str; 1] = ["file"];

/// The store of a repository that says nothing about one.
pub fn embedded(root: &Path) -> Box<dyn ArtifactStore> {
    Box::new(FileStore::embedded(root))
}

/// Opens the store that a configuration names; relative paths are relative to `root`, the repository.
///
/// # Errors
/// For an unknown kind or settings that it does not have.
pub fn open(spec: &AdapterSpec, root: &Path) -> Result<Box<dyn ArtifactStore>, PortError> {
    match spec.kind.as_str() {
        "file" => Ok(Box::new(FileStore::from_settings(&spec.settings, root)?)),
        other => {
            let message = format!("{other:?} is no kind of store");
            Err(PortError::new(Problem::Unsupported, "open the store", message)
                .hint(format!("known kinds are github, {}", KINDS.join(", "))))
        }
    }
}

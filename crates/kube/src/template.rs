//! An object as the team wrote it, in a file of the repository, with places for the version.

use std::path::Path;

use serde_json::Value;
use tagship_domain::{Digest, ModelName, Version};
use tagship_ports::{PortError, Problem};

/// Largest manifest, in bytes.
const LARGEST: u64 = 1 << 20;

/// The text of a manifest.
#[derive(Debug, Clone)]
pub(crate) struct Template(pub(crate) String);

/// What is put into the places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    pub(crate) model: &'a ModelName,
    pub(crate) version: &'a Version,
    pub(crate) digest: &'a Digest,
    /// Name of the object.
    pub(crate) name: &'a str,
}

impl Template {
    /// Reads it from a file of the repository. `operation`: what fails otherwise; `holds`: the kind that it must hold.
    pub(crate) fn read(root: &Path, file: &str, operation: &str, holds: &str) -> Result<Self, PortError> {
        let path = root.join(file);
        let is_inside = path
            .canonicalize()
            .ok()
            .zip(root.canonicalize().ok())
            .is_some_and(|(path, root)| path.starts_with(root));
        if !is_inside {
            let message = format!("`manifest` is no file of the repository: {file:?}");
            return Err(PortError::new(Problem::Invalid, operation, message)
                .hint(format!("name a file with {holds}, from the repository's top")));
        }
        let size = std::fs::metadata(&path).map(|metadata| metadata.len());
        let text = match size {
            Ok(size) if size > LARGEST => Err(format!("it has {size} bytes, more than {LARGEST}")),
            Ok(_) => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        text.map(Self).map_err(|why| PortError::new(Problem::Local, format!("read {file}"), why))
    }

    /// The object of a version.
    pub(crate) fn object(&self, places: &Places<'_>) -> Result<Value, String> {
        tagship_config::yaml::to_json(&self.filled(places)).map_err(|error| error.to_string())
    }

    fn filled(&self, places: &Places<'_>) -> String {
        let mut text = self.0.clone();
        for (place, value) in [
            ("{{model}}", places.model.to_string()),
            ("{{version}}", places.version.to_string()),
            ("{{digest}}", places.digest.to_string()),
            ("{{digest-hex}}", places.digest.hex().to_owned()),
            ("{{name}}", places.name.to_owned()),
        ] {
            text = text.replace(place, &value);
        }
        text
    }
}

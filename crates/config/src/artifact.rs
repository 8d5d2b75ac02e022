//! `artifact`: where the bytes of a model come from: a path of the repository, or a place elsewhere.
//!
//! A place is a kind and an address, `KIND:ADDRESS`. Which kinds there are, and what their addresses mean, is known where
//! they are implemented, not here.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::path::{PathError, RepoPath};

/// What is versioned, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Artifact {
    /// A file or directory of the repository.
    InRepository(RepoPath),
    /// Something that is fetched first.
    Elsewhere(Address),
}

/// A place outside of the repository, e.g. `oci://registry.example.org/churn:v1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    text: String,
    colon: usize,
}

/// Shortest kind: one letter before a colon is a drive.
const SHORTEST_KIND: usize = 2;

impl Artifact {
    /// Reads a path of the repository or a place elsewhere.
    ///
    /// # Errors
    /// As [`RepoPath::new`] for what names no kind; for a place without an address, or one with control characters.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        let kind = text.split_once(':').map(|(kind, _)| kind);
        let is_kind = |kind: &&str| {
            let mut bytes = kind.bytes();
            kind.len() >= SHORTEST_KIND
                && bytes.next().is_some_and(|byte| byte.is_ascii_lowercase())
                && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let Some(colon) = kind.filter(is_kind).map(str::len) else {
            return RepoPath::new(text).map(Self::InRepository);
        };
        if text.contains(char::is_control) {
            return Err(PathError::new(text, "holds a control character"));
        }
        if text[colon + 1..].trim_start_matches('/').is_empty() {
            return Err(PathError::new(text, "names a kind of place, and nothing in it"));
        }
        Ok(Self::Elsewhere(Address { text, colon }))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::InRepository(path) => path.as_str(),
            Self::Elsewhere(address) => &address.text,
        }
    }

    /// The path, where it lies in the repository.
    pub fn in_repository(&self) -> Option<&RepoPath> {
        match self {
            Self::InRepository(path) => Some(path),
            Self::Elsewhere(_) => None,
        }
    }

    /// The place, where it lies elsewhere.
    pub fn elsewhere(&self) -> Option<&Address> {
        match self {
            Self::InRepository(_) => None,
            Self::Elsewhere(address) => Some(address),
        }
    }
}

impl Address {
    /// The kind, as its implementation is registered.
    pub fn kind(&self) -> &str {
        &self.text[..self.colon]
    }

    /// What follows the colon.
    pub fn rest(&self) -> &str {
        &self.text[self.colon + 1..]
    }

    /// All of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands behind `@`, which is where a place that has aliases names one.
    pub fn named(&self) -> Option<&str> {
        let (_, named) = self.rest().split_once('@')?;
        Some(named.split_once('#').map_or(named, |(named, _)| named))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<RepoPath> for Artifact {
    fn from(path: RepoPath) -> Self {
        Self::InRepository(path)
    }
}

impl TryFrom<String> for Artifact {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<Artifact> for String {
    fn from(artifact: Artifact) -> Self {
        artifact.as_str().to_owned()
    }
}

impl JsonSchema for Artifact {
    fn schema_name() -> Cow<'static, str> {
        "Artifact".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "A path relative to the root of the repository, e.g. `models/churn`, or a place elsewhere \
                            that it is fetched from, `KIND:ADDRESS`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_a_colon_name_a_place_and_everything_else_a_path() {
        let place = Artifact::new("oci://registry.example.org/churn:v1").unwrap();
        let address = place.elsewhere().unwrap();
        assert_eq!((address.kind(), address.rest()), ("oci", "//registry.example.org/churn:v1"));
        assert_eq!(place.to_string(), "oci://registry.example.org/churn:v1");
        assert_eq!(Artifact::new("run-artifact:model").unwrap().elsewhere().unwrap().kind(), "run-artifact");
        let named = |text: &str| {
            Artifact::new(text).unwrap().elsewhere().and_then(|address| address.named().map(str::to_owned))
        };
        assert_eq!(named("mlflow:churn@champion#m.onnx").as_deref(), Some("champion"));
        assert_eq!((named("mlflow:churn@a").as_deref(), named("mlflow:churn")), (Some("a"), None));
        let path = Artifact::new("./models//churn/").unwrap();
        assert_eq!(path.in_repository().unwrap().as_str(), "models/churn");
        assert!(path.elsewhere().is_none());
    }

    #[test]
    fn what_names_nothing_is_refused() {
        for bad in ["", "oci:", "oci://", "dir:a\nb", "c:x", "C:/x", "/etc", "../x", "Oci://x"] {
            assert!(Artifact::new(bad).is_err(), "{bad:?} must be refused");
        }
    }
}

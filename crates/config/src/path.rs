//! Paths that the configuration may name: inside the repository, written with `/` on every platform.
//!
//! A value of [`RepoPath`] is relative and never climbs: joined to the repository's root it stays below it, as
//! far as text can tell. Symbolic links are for whoever opens the file to check.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is no path inside the repository.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("path {text:?} {why}")]
pub struct PathError {
    text: String,
    why: &'static str,
}

impl PathError {
    pub(crate) fn new(text: String, why: &'static str) -> Self {
        Self { text, why }
    }
}

/// A path relative to the root of the repository, e.g. `models/churn`; where a key says so it may hold `*` and `?`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPath(String);

impl RepoPath {
    /// Reads a path; `./` in front, a doubled and a final `/` are dropped, so that equal places compare equal.
    ///
    /// # Errors
    /// When the path is empty, absolute (also in Windows' spelling), climbs with `..` or holds a control
    /// character or a backslash.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        let refuse = |why| Err(PathError { text: text.clone(), why });
        if text.contains(char::is_control) {
            return refuse("holds a control character");
        }
        if text.contains('\\') {
            return refuse("holds a backslash; write `/` between directories");
        }
        let drive = text.as_bytes().get(1) == Some(&b':') && text.as_bytes()[0].is_ascii_alphabetic();
        if text.starts_with('/') || drive {
            return refuse("is absolute; write it relative to the root of the repository");
        }
        if text.contains("://") {
            return refuse("is a URL; only paths inside the repository are read");
        }
        if text.split('/').any(|part| part == "..") {
            return refuse("leaves the repository; `..` is not allowed");
        }
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() {
            return refuse("names no file or directory");
        }
        Ok(Self(parts.join("/")))
    }

    /// The path as text, with `/` between directories.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AsRef<std::path::Path> for RepoPath {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoPath {
    type Err = PathError;
    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl TryFrom<String> for RepoPath {
    type Error = PathError;
    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> String {
        path.0
    }
}

impl JsonSchema for RepoPath {
    fn schema_name() -> Cow<'static, str> {
        "RepoPath".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": 1,
            "description": "A path relative to the root of the repository, e.g. `models/churn`.",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_the_repository() {
        for (text, clean) in
            [("models/churn", "models/churn"), ("./a//b/", "a/b"), ("reports/*.xml", "reports/*.xml")]
        {
            assert_eq!(RepoPath::new(text).unwrap().as_str(), clean);
        }
        for bad in [
            "",
            ".",
            "./",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "C:/x",
            "c:x",
            "a\\b",
            "s3://b/k",
            "a\nb",
            "a\0",
        ] {
            assert!(RepoPath::new(bad).is_err(), "{bad:?} must be refused");
        }
    }
}

//! Names of models and environments.
//!
//! Both end up inside git tag names (`churn@v1.4.0`, `churn#production#7`), so their grammar is GTO's:
//! `artifact = [dirname "="] name`, where `=` in a tag is `:` in a name. A value of these types is always
//! safe to put in a tag, a ref or a file name component.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// A text that is not a legal model or environment name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} name {text:?} is not allowed: {why}")]
pub struct NameError {
    what: &'static str,
    text: String,
    why: &'static str,
}

/// A model: a named thing that is versioned, e.g. `churn` or `pricing:churn` (GTO calls it an artifact).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

/// A stage in the registry and the deployment environment of the same name, e.g. `production`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Environment(String);

impl ModelName {
    /// Reads a name in its written form (`:` between directory and name).
    ///
    /// # Errors
    /// When the text does not follow GTO's grammar, or git would refuse a tag that starts with it.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        match check_model(&text) {
            Ok(()) => Ok(Self(text)),
            Err(why) => Err(NameError { what: "model", text, why }),
        }
    }

    /// The name as written, with `:` between directory and name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in a git tag, with `=` between directory and name.
    pub fn tag_form(&self) -> Cow<'_, str> {
        if self.0.contains(':') { Cow::Owned(self.0.replacen(':', "=", 1)) } else { Cow::Borrowed(&self.0) }
    }

    /// The name as a part of a file's name. Two names never have one form.
    pub fn file_form(&self) -> String {
        self.0.replace('_', "__").replace('/', "_-").replace(':', "_.")
    }

    /// Reads the form that stands in a git tag.
    ///
    /// # Errors
    /// As [`ModelName::new`].
    pub fn from_tag_form(text: &str) -> Result<Self, NameError> {
        if text.contains(':') {
            return Err(NameError { what: "model", text: text.to_owned(), why: "`:` cannot stand in a tag" });
        }
        Self::new(text.replacen('=', ":", 1))
    }
}

impl Environment {
    /// Reads an environment name.
    ///
    /// # Errors
    /// When the text is not letters, digits, `-`, `_` or `/` between alphanumeric ends, or git would refuse it.
    pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
        let text = text.into();
        match check_name(&text) {
            Ok(()) => Ok(Self(text)),
            Err(why) => Err(NameError { what: "environment", text, why }),
        }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_model(text: &str) -> Result<(), &'static str> {
    match text.split_once(':') {
        None => check_name(text),
        Some((directory, name)) => {
            let legal = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            if directory.is_empty() || !directory.chars().all(legal) {
                return Err("the part before `:` takes letters, digits and - _ . / only");
            }
            check_components(directory)?;
            check_name(name)
        }
    }
}

fn check_name(text: &str) -> Result<(), &'static str> {
    let end = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if !end(text.chars().next()) || !end(text.chars().next_back()) {
        return Err("it must start and end with a letter or digit");
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || "-_/".contains(c)) {
        return Err("it takes letters, digits and - _ / only");
    }
    check_components(text)
}

/// git's own rules for path components of a ref that the grammar would let through.
fn check_components(text: &str) -> Result<(), &'static str> {
    let lock = |part: &str| part.len() >= 5 && part.as_bytes().ends_with(b".lock");
    if text.split('/').any(|part| part.is_empty() || part.starts_with('.') || lock(part))
        || text.contains("..")
    {
        return Err("git refuses an empty path component, a leading `.`, `..` and a trailing `.lock`");
    }
    Ok(())
}

macro_rules! text_type {
    ($name:ident, $schema:literal, $description:literal) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                $schema.into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "minLength": 1, "description": $description })
            }
        }
    };
}

text_type!(ModelName, "ModelName", "Name of a model, e.g. `churn` or `pricing:churn`.");
text_type!(Environment, "Environment", "Name of an environment, e.g. `production`.");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_tag_grammar() {
        for good in ["churn", "m", "a/b", "M_1-x/y", "sub/dir:mymodel", "a.b:m"] {
            assert!(ModelName::new(good).is_ok(), "{good} must be accepted");
        }
        for bad in
            ["", "-m", "m-", "a.b", "x:y:z", ":m", "m@v1", "m#p", "a//b", "é", "../x:n", "m.lock:n", "a b"]
        {
            assert!(ModelName::new(bad).is_err(), "{bad} must be refused");
        }
        assert!(Environment::new("production").is_ok());
        assert!(Environment::new("prod eu").is_err());
    }

    #[test]
    fn names_that_differ_lie_in_files_that_differ() {
        let names = ["a/b", "a:b", "a_b", "a_-b", "a__b", "a_/b", "a/_b"];
        let forms: BTreeSet<String> =
            names.iter().map(|name| ModelName::new(*name).unwrap().file_form()).collect();
        assert_eq!(forms.len(), names.len(), "{forms:?}");
        assert!(forms.iter().all(|form| !form.contains(['/', ':'])));
        assert_eq!(ModelName::new("churn").unwrap().file_form(), "churn");
    }

    #[test]
    fn tag_form_round_trips() {
        let name = ModelName::new("sub/dir:mymodel").unwrap();
        assert_eq!(name.tag_form(), "sub/dir=mymodel");
        assert_eq!(ModelName::from_tag_form("sub/dir=mymodel").unwrap(), name);
    }
}

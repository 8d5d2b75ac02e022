//! Versioned documents: every piece of data that crosses a process, a job or git carries its schema id.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A type that is exchanged as JSON with `"schema": "tagship/<thing>/v1"` as its first member.
pub trait Document: Serialize + DeserializeOwned {
    /// The schema id, e.g. `tagship/validation/v1`.
    const SCHEMA: &'static str;
}

/// Why a JSON text is not the document that was asked for.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not JSON, or members are missing or of the wrong type.
    #[error("read a {expected} document: {source}")]
    Malformed {
        /// The schema id that was expected.
        expected: &'static str,
        /// What the JSON reader met, with line and column.
        source: serde_json::Error,
    },
    /// Another document, or a version of it that this build does not know.
    #[error("read a {expected} document: this one says {found:?}; a newer tagship may have written it")]
    OtherSchema {
        /// The schema id that was expected.
        expected: &'static str,
        /// The schema id that was found, empty where there is none.
        found: String,
    },
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema: &'static str,
    #[serde(flatten)]
    body: &'a T,
}

#[derive(Deserialize)]
struct SchemaOnly {
    #[serde(default)]
    schema: String,
}

/// The document as pretty JSON with its schema id in front and a final line feed.
///
/// # Errors
/// When a map key is not a string; no document type has such a map.
pub fn to_json<T: Document>(document: &T) -> Result<String, DocumentError> {
    let mut text = serde_json::to_string_pretty(&Envelope { schema: T::SCHEMA, body: document })
        .map_err(|source| DocumentError::Malformed { expected: T::SCHEMA, source })?;
    text.push('\n');
    Ok(text)
}

/// The document as one line of JSON with its schema id in front, without a final line feed.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_line<T: Document>(document: &T) -> Result<String, DocumentError> {
    serde_json::to_string(&Envelope { schema: T::SCHEMA, body: document })
        .map_err(|source| DocumentError::Malformed { expected: T::SCHEMA, source })
}

/// Reads a document and checks its schema id.
///
/// # Errors
/// [`DocumentError::OtherSchema`] for another or a newer document, [`DocumentError::Malformed`] otherwise.
pub fn from_json<T: Document>(text: &str) -> Result<T, DocumentError> {
    let malformed = |source| DocumentError::Malformed { expected: T::SCHEMA, source };
    if !begins_with(text, T::SCHEMA) {
        let SchemaOnly { schema } = serde_json::from_str(text).map_err(malformed)?;
        if schema != T::SCHEMA {
            return Err(DocumentError::OtherSchema { expected: T::SCHEMA, found: schema });
        }
    }
    serde_json::from_str(text).map_err(malformed)
}

/// Whether a document says this schema in front, as [`to_json`] writes it. A journal has a thousand documents, and reading
/// each of them twice takes as long again.
fn begins_with(text: &str, schema: &str) -> bool {
    let mut rest = text;
    for token in ["{", "\"schema\"", ":", &format!("\"{schema}\"")] {
        match rest.trim_start().strip_prefix(token) {
            Some(left) => rest = left,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_in_front_is_seen_as_it_is_written() {
        for (text, expected) in [
            (r#"{"schema":"tagship/x/v1"}"#, true),
            ("{\n  \"schema\": \"tagship/x/v1\",\n  \"a\": 1\n}", true),
            (r#"{"schema":"tagship/x/v11"}"#, false),
            (r#"{"schema":" tagship/x/v1"}"#, false),
            (r#"{"a":1,"schema":"tagship/x/v1"}"#, false),
            ("", false),
        ] {
            assert_eq!(begins_with(text, "tagship/x/v1"), expected, "{text}");
        }
    }
}

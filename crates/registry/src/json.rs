//! JSON laid out as GTO prints it: four spaces, only ASCII.

use serde::Serialize;
use serde_json::{Serializer, ser::PrettyFormatter};

use crate::error::RegistryError;

/// The text `gto ... --json` would print for the same data, without the line feed at the end.
///
/// # Errors
/// [`RegistryError::Json`] when the value is none that JSON can hold.
pub fn to_json<T: Serialize>(value: &T) -> Result<String, RegistryError> {
    let failed = |reason: String| RegistryError::Json { reason };
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer).map_err(|error| failed(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| failed(error.to_string()))?;
    Ok(ascii_only(&text))
}

/// Python escapes everything outside printable ASCII. In JSON such characters stand inside strings only.
fn ascii_only(text: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() && c != '\x7f' {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_python() {
        let value = serde_json::json!({ "a": [], "b": ["é", "🪴\x7f\u{1f}"], "c": {} });
        let text = to_json(&value).unwrap();
        assert_eq!(
            text,
            "{\n    \"a\": [],\n    \"b\": [\n        \"\\u00e9\",\n        \"\\ud83e\\udeb4\\u007f\\u001f\"\n    ],\n    \"c\": {}\n}"
        );
    }
}

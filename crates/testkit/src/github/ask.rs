//! A request taken apart.

use serde_json::Value;

use super::http::Request;

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) method: String,
    /// Decoded segments of the path.
    pub(super) segments: Vec<String>,
    query: Vec<(String, String)>,
    pub(super) bytes: Vec<u8>,
    /// The body where it is JSON, else null.
    pub(super) body: Value,
    /// Address without the query, for links.
    address: String,
}

impl Ask {
    pub(super) fn of(request: &Request, base: &str) -> Self {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let pair = |part: &str| {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(key), decoded(value))
        };
        Self {
            method: request.method.clone(),
            segments: path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect(),
            query: query.split('&').filter(|part| !part.is_empty()).map(pair).collect(),
            bytes: request.body.clone(),
            body: serde_json::from_slice(&request.body).unwrap_or_default(),
            address: format!("{base}{path}"),
        }
    }

    pub(super) fn query(&self, key: &str) -> Option<&str> {
        self.query.iter().find(|(there, _)| there == key).map(|(_, value)| value.as_str())
    }

    /// A field of the body that is text.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.body.get(field)?.as_str()
    }

    /// The address with some of the query replaced.
    pub(super) fn url_with(&self, changed: &[(&str, usize)]) -> String {
        let kept = self.query.iter().filter(|(key, _)| !changed.iter().any(|(other, _)| other == key));
        let kept = kept.map(|(key, value)| format!("{key}={}", encoded(value)));
        let changed = changed.iter().map(|(key, value)| format!("{key}={value}"));
        format!("{}?{}", self.address, kept.chain(changed).collect::<Vec<_>>().join("&"))
    }
}

/// Undoes percent-encoding.
pub(super) fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%').then(|| tail.get(..2)).flatten();
        match hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

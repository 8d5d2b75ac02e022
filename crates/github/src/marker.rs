//! Hidden lines by which our own comments and issues are found again: `<!-- tagship:KIND {json} -->`.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};
use tagship_domain::{CommitId, Digest, Timestamp};

use crate::call::encode;

/// What a comment's marker says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// When the content was written.
    pub(crate) written: Timestamp,
    /// The commit that the content is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) about: Option<CommitId>,
    /// The run that wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<String>,
    /// Of the text below, so that what a person changed can be told; older programs wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sum: Option<String>,
}

/// A checksum of a text, whatever a host does to the ends of its lines.
pub(crate) fn sum(body: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(body.replace("\r\n", "\n").trim_end()).into();
    Digest::from_bytes(digest).short().to_owned()
}

/// A text under its marker.
pub(crate) fn mark<T: Serialize>(kind: &str, about: &T, body: &str) -> String {
    // What is serialised here are a few plain fields.
    let json = serde_json::to_string(about).unwrap_or_default();
    // Nothing in it can end the comment of the marker, or begin another one.
    let json = json.replace('<', "\\u003c").replace('>', "\\u003e").replace("--", "-\\u002d");
    format!("<!-- tagship:{} {json} -->\n{body}", encode(kind))
}

/// What the marker of this kind says, and the text under it. Only the first line counts: a text may quote a marker.
pub(crate) fn unmark<T: DeserializeOwned>(kind: &str, text: &str) -> Option<(T, String)> {
    let text = text.replace("\r\n", "\n");
    let (line, body) = text.split_once('\n').unwrap_or((&text, ""));
    let line = line.strip_prefix("<!-- tagship:")?.strip_suffix(" -->")?;
    let (there, json) = line.split_once(' ')?;
    if there != encode(kind) {
        return None;
    }
    Some((serde_json::from_str(json).ok()?, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_break_out_of_a_marker_or_forge_one() {
        let about = Marker {
            written: "2026-11-24T12:00:00Z".parse().unwrap(),
            about: None,
            run: Some("--> <script> <!-- tagship:status {} --".to_owned()),
            sum: None,
        };
        for kind in ["status", "a b --> c", "é"] {
            let text = mark(kind, &about, "<!-- tagship:other {} -->\nbody\n--");
            assert_eq!(text.lines().next().unwrap().matches("-->").count(), 1, "{text}");
            let (read, body) = unmark::<Marker>(kind, &text).unwrap();
            assert_eq!((read, body.as_str()), (about.clone(), "<!-- tagship:other {} -->\nbody\n--"));
            assert_eq!(unmark::<Marker>("other", &text), None, "a quoted marker is text");
        }
        assert!(unmark::<Marker>("status", &mark("status", &about, "a\nb").replace('\n', "\r\n")).is_some());
        assert_eq!(unmark::<Marker>("status", "<!-- tagship:status nonsense -->\nx"), None);
    }
}

//! Foreign text in HTML, as text and inside quoted attributes.

use crate::text::clean;

/// Longest foreign text, in characters.
const LONGEST: usize = 600;

/// Foreign text, cleaned, cut and escaped for text and for attributes in quotes.
pub(super) fn text(foreign: &str) -> String {
    let clean = clean(foreign, LONGEST);
    let mut safe = String::with_capacity(clean.len() + 8);
    for character in clean.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// A link to a web address; anything else stays text, for an address may be a script.
pub(super) fn link(address: &str, words: &str) -> String {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '\\' | '`');
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    if is_web && address.len() <= LONGEST && address.chars().all(plain) {
        format!("<a href=\"{}\" rel=\"noopener noreferrer\">{}</a>", text(address), text(words))
    } else {
        text(address)
    }
}

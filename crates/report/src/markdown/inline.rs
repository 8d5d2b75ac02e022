//! Text inside a line of Markdown, escaped once, by type.
//!
//! Escapes are HTML entities rather than backslashes: they mean the same in a paragraph, a table cell and an HTML
//! block. Mentions and references (`@name`, `#12`) are looked for in the rendered text, where an entity is a plain
//! character again, so a zero-width space is put behind their first character.

use std::{borrow::Borrow, fmt::Write};

use crate::text::clean;

const BREAK: &str = "&#8203;";

/// A piece of one line of Markdown. Only the constructors here make one from foreign text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inline(String);

impl Inline {
    /// Our own words; may hold Markdown and the few HTML tags that reports use.
    pub(crate) fn fixed(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Foreign text of at most `limit` characters, shown as it is.
    pub(crate) fn text(foreign: &str, limit: usize) -> Self {
        Self(escape(&clean(foreign, limit)))
    }

    /// Foreign text as code: a code span, or escaped inside `<code>` where a code span could be broken out of.
    pub(crate) fn code(foreign: &str, limit: usize) -> Self {
        let text = clean(foreign, limit);
        if text.is_empty() {
            return Self("<i>empty</i>".to_owned());
        }
        if is_plain_code(&text) {
            Self(format!("`{text}`"))
        } else {
            Self(format!("<code>{}</code>", escape(&text)))
        }
    }

    /// A foreign sentence in which pairs of backticks mark code, as messages of Tagship do.
    pub(crate) fn prose(foreign: &str, limit: usize) -> Self {
        let text = clean(foreign, limit);
        let parts: Vec<&str> = text.split('`').collect();
        let mut line = Self::default();
        for (index, part) in parts.iter().enumerate() {
            let (quoted, closed) = (index % 2 == 1, index + 1 < parts.len());
            match (quoted, part.trim().is_empty()) {
                (true, false) if closed => line = line.and(Self::code(part, limit)),
                (true, _) => line.0.push_str(&escape(&format!("`{part}{}", if closed { "`" } else { "" }))),
                (false, _) => line.0.push_str(&escape(part)),
            }
        }
        line
    }

    /// A link with our own words; as code where the address is no plain web address.
    pub(crate) fn link(words: &'static str, address: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#&=+,;%".contains(c);
        let web = address.starts_with("https://") || address.starts_with("http://");
        if web && address.len() <= 500 && address.chars().all(plain) {
            return Self(format!("[{words}]({address})"));
        }
        Self::code(address, 120)
    }

    /// Two pieces side by side.
    #[must_use]
    pub(crate) fn and(mut self, other: impl Borrow<Self>) -> Self {
        self.0.push_str(&other.borrow().0);
        self
    }

    /// Bold.
    #[must_use]
    pub(crate) fn bold(self) -> Self {
        Self(format!("**{}**", self.0))
    }

    /// Small print.
    #[must_use]
    pub(crate) fn small(self) -> Self {
        Self(format!("<sub>{}</sub>", self.0))
    }

    /// Pieces with our own words between them; empty ones are left out.
    pub(crate) fn join(pieces: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let pieces: Vec<String> = pieces.into_iter().map(|piece| piece.0).filter(|p| !p.is_empty()).collect();
        Self(pieces.join(between))
    }

    /// Whether nothing would be shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As Markdown.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a code span may hold this text in any place, table cells included.
fn is_plain_code(text: &str) -> bool {
    let opens_tag = |(at, _)| {
        let next = text[at + 1..].chars().next();
        next.is_some_and(|c: char| c.is_ascii_alphabetic() || "!/?".contains(c))
    };
    !text.contains(['`', '|', '\\', '$']) && !text.match_indices('<').any(opens_tag)
}

/// Cleaned text with everything escaped that Markdown or HTML could read as more than text.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut before = None;
    for (at, character) in text.char_indices() {
        let rest = &text[at + character.len_utf8()..];
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '@' | '#' => {
                escaped.push(character);
                escaped.push_str(BREAK);
            }
            '_' if joins_word(before, rest) => escaped.push('_'),
            '|' | '*' | '_' | '[' | ']' | '`' | '\\' | '~' | '$' => entity(&mut escaped, character),
            '-' | '+' | '=' | ':' if before.is_none() => entity(&mut escaped, character),
            '.' | ')' if opens_item(&text[..at], rest) => entity(&mut escaped, character),
            _ => escaped.push(character),
        }
        if starts_link(&text[..at], character, rest) {
            escaped.push_str(BREAK);
        }
        before = Some(character);
    }
    escaped
}

fn entity(escaped: &mut String, character: char) {
    let _ = write!(escaped, "&#{};", u32::from(character));
}

/// Whether a full stop or bracket between these would make a numbered item of the line.
fn opens_item(before: &str, rest: &str) -> bool {
    before.bytes().all(|b| b.is_ascii_digit()) && (rest.is_empty() || rest.starts_with(' '))
}

/// An underscore inside a word is no emphasis, and names read better with it.
fn joins_word(before: Option<char>, rest: &str) -> bool {
    let word = |c: char| c.is_alphanumeric();
    before.is_some_and(word) && rest.chars().next().is_some_and(word)
}

/// Whether a web address, a reference like `GH-12` or an emoji short code would go on behind this character.
fn starts_link(before: &str, character: char, rest: &str) -> bool {
    let ends_with = |word: &str| {
        let start = before.len().checked_sub(word.len());
        start.and_then(|start| before.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(word))
    };
    match character {
        ':' => rest.starts_with("//") || is_short_code(rest) || ends_with("mailto") || ends_with("xmpp"),
        '.' => ends_with("www"),
        '-' => ends_with("gh"),
        _ => false,
    }
}

/// `tada:`: what follows the first colon of an emoji's short code.
fn is_short_code(rest: &str) -> bool {
    let part_of = |c: char| c.is_ascii_alphanumeric() || "_+-".contains(c);
    // Two digits are a time of day; the short codes made of digits alone are longer.
    let time = |code: &str| code.len() <= 2 && code.bytes().all(|b| b.is_ascii_digit());
    rest.find(|c| !part_of(c)).is_some_and(|end| rest[end..].starts_with(':') && !time(&rest[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_messages_stay_readable() {
        for text in [
            "accuracy is 0.83, not 0.90",
            "0.83",
            "at 03:44:52",
            "24 tests passed (2 skipped)",
            "roc_auc fell by 3%",
            "a: b",
        ] {
            assert_eq!(Inline::text(text, 200).as_str(), text);
        }
        assert_eq!(
            Inline::prose("`metrics.f1 >= 0.9` holds with `x`", 200).as_str(),
            "`metrics.f1 >= 0.9` holds with `x`"
        );
    }

    #[test]
    fn what_markdown_or_a_forge_would_act_on_is_broken() {
        for (text, escaped) in [
            ("@octo", "@&#8203;octo"),
            ("fixes #12", "fixes #&#8203;12"),
            ("a|b", "a&#124;b"),
            ("<!-- x -->", "&lt;!-- x --&gt;"),
            ("http://e.vil", "http:&#8203;//e.vil"),
            ("www.e.vil", "www.&#8203;e.vil"),
            ("GH-1", "GH-&#8203;1"),
            (":x: ok", "&#58;&#8203;x: ok"),
            ("1. a", "1&#46; a"),
            ("- a", "&#45; a"),
            ("_a_ *b*", "&#95;a&#95; &#42;b&#42;"),
            ("an `open one", "an &#96;open one"),
        ] {
            assert_eq!(Inline::prose(text, 200).as_str(), escaped);
        }
    }

    #[test]
    fn code_that_a_code_span_cannot_hold_is_escaped_in_html() {
        assert_eq!(Inline::code("a < b", 99).as_str(), "`a < b`");
        assert_eq!(Inline::code("a|b", 99).as_str(), "<code>a&#124;b</code>");
        assert_eq!(Inline::code("<!-- x", 99).as_str(), "<code>&lt;!-- x</code>");
        assert_eq!(Inline::code("a`b", 99).as_str(), "<code>a&#96;b</code>");
    }

    #[test]
    fn only_plain_web_addresses_become_links() {
        assert_eq!(Inline::link("run", "https://ci.example/7").as_str(), "[run](https://ci.example/7)");
        for bad in ["javascript:alert(1)", "https://a b", "https://x)[y](z", "//x", "https://a@b/"] {
            assert!(!Inline::link("run", bad).as_str().starts_with('['), "{bad}");
        }
    }
}

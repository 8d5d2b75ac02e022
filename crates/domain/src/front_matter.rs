//! The front matter of a page: what stands between two lines `---` at its top (Hugging Face's model cards).

/// Splits a page into the text of its front matter and what is below; the first is absent where there is none. A mark of the
/// byte order does not count.
pub fn split_front_matter(text: &str) -> (Option<&str>, &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some(rest) = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n")) else {
        return (None, text);
    };
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return (Some(&rest[..at]), &rest[at + line.len()..]);
        }
        at += line.len();
    }
    // A rule at the top of a page is no front matter.
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_closed_is_front_matter() {
        assert_eq!(split_front_matter("---\nno end\n"), (None, "---\nno end\n"));
        assert_eq!(split_front_matter("# Title\n---\na: 1\n---\n").0, None);
        assert_eq!(split_front_matter("---\r\na: 1\r\n---\r\nx"), (Some("a: 1\r\n"), "x"));
        assert_eq!(split_front_matter("---\n---\n"), (Some(""), ""));
        assert_eq!(split_front_matter("\u{feff}---\na: 1\n---\nx"), (Some("a: 1\n"), "x"));
    }
}

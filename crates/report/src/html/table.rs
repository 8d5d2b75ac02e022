//! Tables that are read row by row on a phone.

use std::fmt::Write as _;

use super::escape::text;

/// A table with a name that is only heard. Cells are HTML; the first of a row is its header. Roles are said in full: without
/// them, a table whose rows are stacked on a phone is none for a screen reader.
pub(super) fn table(name: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut out =
        format!("<table class=\"told\" role=\"table\"><caption class=\"heard\">{}</caption>", text(name));
    out.push_str("<thead role=\"rowgroup\"><tr role=\"row\">");
    for title in head {
        let _ = write!(out, "<th scope=\"col\" role=\"columnheader\">{}</th>", text(title));
    }
    out.push_str("</tr></thead><tbody role=\"rowgroup\">\n");
    for row in rows {
        out.push_str("<tr role=\"row\">");
        for (at, (cell, title)) in row.iter().zip(head).enumerate() {
            let class = if has_long_word(cell) { "" } else { " class=\"short\"" };
            let _ = if at == 0 {
                write!(out, "<th{class} scope=\"row\" role=\"rowheader\">{cell}</th>")
            } else {
                write!(out, "<td{class} role=\"cell\" data-label=\"{}\">{cell}</td>", text(title))
            };
        }
        out.push_str("</tr>\n");
    }
    out + "</tbody></table>\n"
}

/// Longest word, in characters, that is never broken: a column is at least as wide.
const WORD: usize = 18;

/// Whether the text of a cell has a word that may have to be broken. What stands in tags is not shown.
fn has_long_word(cell: &str) -> bool {
    let (mut length, mut is_shown) = (0, true);
    for character in cell.chars() {
        match character {
            '<' => (is_shown, length) = (false, 0),
            '>' => is_shown = true,
            _ if !is_shown => {}
            _ if character.is_whitespace() || character == '-' => length = 0,
            _ => length += 1,
        }
        if length > WORD {
            return true;
        }
    }
    false
}

/// A section with its heading; empty where there is nothing inside.
pub(super) fn section(id: &str, title: &str, inside: &str) -> String {
    if inside.is_empty() {
        return String::new();
    }
    format!(
        "<section aria-labelledby=\"h-{id}\"><h2 id=\"h-{id}\">{}</h2>\n{inside}</section>\n",
        text(title)
    )
}

/// A short word in the colour of how something stands.
pub(super) fn chip(class: &str, word: &str) -> String {
    format!("<span class=\"chip {class}\">{}</span>", text(word))
}

/// Foreign sentences as a list; empty where there are none.
pub(super) fn list<'a>(sentences: impl Iterator<Item = &'a str>) -> String {
    let mut items = String::new();
    for sentence in sentences {
        let _ = write!(items, "<li>{}</li>", text(sentence));
    }
    if items.is_empty() { items } else { format!("<ul>{items}</ul>\n") }
}

/// That of `count` things only `shown` are there; empty where that is all.
pub(super) fn left_out(count: usize, shown: usize, what: &str) -> String {
    match count.saturating_sub(shown) {
        0 => String::new(),
        hidden => format!("<p class=\"note\">{hidden} more {} not shown.</p>\n", text(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_only_where_they_are_long() {
        for whole in
            ["unknown", "confidence", chip("unknown", "unknown").as_str(), "tagship rollback --model churn"]
        {
            assert!(!has_long_word(whole), "{whole}");
        }
        for long in ["a_feature_with_a_very_long_name", "<code>https://example.org/some/where</code>"] {
            assert!(has_long_word(long), "{long}");
        }
        let made = table("T", &["What", "State"], &[vec!["slo/cpu".to_owned(), "unknown".to_owned()]]);
        assert_eq!(made.matches("class=\"short\"").count(), 2, "{made}");
    }
}

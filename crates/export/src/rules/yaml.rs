//! Rules and their unit tests as YAML: the same text for the same rules, every text quoted.

use std::{collections::BTreeMap, fmt::Write as _};

use super::Rule;

/// Labels or annotations by name.
pub(super) type Texts = BTreeMap<&'static str, String>;

/// A text as a scalar of one line: in single quotes, which know no escapes but their own.
pub(super) fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        // JSON's escapes are YAML's in double quotes.
        return serde_json::Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// `key: {a: 'b'}` on lines of their own, so far to the right.
pub(super) fn texts(out: &mut String, indent: usize, key: &str, texts: &Texts) {
    if texts.is_empty() {
        return;
    }
    let _ = writeln!(out, "{:indent$}{key}:", "");
    for (name, text) in texts {
        let _ = writeln!(out, "{:indent$}  {name}: {}", "", quoted(text));
    }
}

/// A rule as an element of a list.
pub(super) fn rule(out: &mut String, rule: &Rule) {
    let kind = if rule.is_alert { "alert" } else { "record" };
    let _ = writeln!(out, "      - {kind}: {}", rule.name);
    let _ = writeln!(out, "        expr: {}", quoted(&rule.expr));
    if let Some(lasts) = rule.lasts {
        let _ = writeln!(out, "        for: {lasts}");
    }
    texts(out, 8, "labels", &rule.labels);
    texts(out, 8, "annotations", &rule.annotations);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_what_they_are() {
        assert_eq!(quoted(r#"a{b="c'd"}"#), r#"'a{b="c''d"}'"#);
        assert_eq!(quoted("a\nb: \"c\""), r#""a\nb: \"c\"""#);
    }
}

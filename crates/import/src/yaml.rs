//! Writes YAML with comments, in the order in which it is given.

use std::fmt::Write as _;

use serde_json::Value;

/// Columns that comments are broken at.
const WIDTH: usize = 110;

/// What is written.
#[derive(Debug, Clone)]
pub(crate) enum Yaml {
    /// On one line; mappings and lists in flow style.
    Line(Value),
    /// A word that needs no quotes and is none of YAML's own: a duration, a name of ours.
    Word(String),
    Mapping(Vec<Entry>),
    List(Vec<Item>),
}

/// A key with its value and the comments above it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) comments: Vec<String>,
    pub(crate) key: String,
    pub(crate) value: Yaml,
}

/// A list item with the comments above it.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) comments: Vec<String>,
    pub(crate) value: Yaml,
}

impl Entry {
    pub(crate) fn new(key: &str, value: Yaml) -> Self {
        Self { comments: vec![], key: key.to_owned(), value }
    }

    #[must_use]
    pub(crate) fn noted(mut self, comments: Vec<String>) -> Self {
        self.comments.extend(comments);
        self
    }
}

impl From<Value> for Yaml {
    fn from(value: Value) -> Self {
        Self::Line(value)
    }
}

/// The text of a mapping.
pub(crate) fn write(entries: &[Entry]) -> String {
    let mut text = String::new();
    mapping(&mut text, entries, 0, false);
    text
}

fn mapping(text: &mut String, entries: &[Entry], depth: usize, mut begins: bool) {
    for entry in entries {
        // The first key of a list item stands behind the dash, so its comments stand in front of the item.
        if !begins {
            comments(text, &entry.comments, depth);
            indent(text, depth);
        }
        begins = false;
        let _ = write!(text, "{}:", scalar(&entry.key));
        value(text, &entry.value, depth + 1);
    }
}

fn value(text: &mut String, value: &Yaml, depth: usize) {
    match value {
        Yaml::Line(line) => {
            let _ = writeln!(text, " {}", flow(line));
        }
        Yaml::Word(word) => {
            let _ = writeln!(text, " {word}");
        }
        Yaml::Mapping(entries) => {
            text.push('\n');
            mapping(text, entries, depth, false);
        }
        Yaml::List(items) => {
            text.push('\n');
            for item in items {
                comments(text, &item.comments, depth);
                indent(text, depth);
                text.push('-');
                match &item.value {
                    Yaml::Mapping(entries) => {
                        text.push(' ');
                        mapping(text, entries, depth + 1, true);
                    }
                    other => self::value(text, other, depth + 1),
                }
            }
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    text.extend(std::iter::repeat_n("  ", depth));
}

fn comments(text: &mut String, lines: &[String], depth: usize) {
    for line in lines {
        let mut column = 0;
        for word in line.split_whitespace() {
            let long = word.chars().count();
            if column == 0 || column + 1 + long > WIDTH {
                if column > 0 {
                    text.push('\n');
                }
                let lead = if column == 0 { "#" } else { "#  " };
                indent(text, depth);
                text.push_str(lead);
                column = 2 * depth + lead.len();
            }
            text.push(' ');
            text.push_str(word);
            column += 1 + long;
        }
        if column > 0 {
            text.push('\n');
        }
    }
}

/// A value on one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Value::Object(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        value => value.to_string(),
    }
}

/// A text as it has to be quoted to be read as that text.
fn scalar(text: &str) -> String {
    const WORDS: [&str; 12] =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf", "~"];
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_word {
        return text.to_owned();
    }
    let plain = |c: char| c == ' ' || (!c.is_control() && !c.is_whitespace() && c != '\u{feff}');
    let has_quotes = text.contains(['"', '\\']);
    if has_quotes && text.chars().all(plain) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if plain(c) => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use tagship_config::yaml::to_json;

    use super::*;

    #[test]
    fn comments_stand_above_and_are_broken() {
        let long = "word ".repeat(30);
        let item = Item { comments: vec!["one".to_owned()], value: json!({ "pause": "10m" }).into() };
        let text = write(&[Entry::new("steps", Yaml::List(vec![item])).noted(vec![long])]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH + 2), "{text}");
        assert!(text.ends_with("steps:\n  # one\n  - { pause: \"10m\" }\n"), "{text}");
        assert_eq!(to_json(&text).unwrap(), json!({ "steps": [{ "pause": "10m" }] }));
    }

    proptest! {
        #[test]
        fn any_text_reads_back(text in "\\PC{0,40}|[\\x00-\\x7f\u{80}\u{85}\u{2028}\u{feff}]{0,12}", comment in "\\PC{0,40}") {
            let comment = crate::notes::printable(&comment);
            let inner = Entry::new("k", json!([text.clone()]).into()).noted(vec![comment.clone()]);
            let item = Item { comments: vec![comment], value: Yaml::Mapping(vec![inner]) };
            let written = write(&[Entry::new(&text, Yaml::List(vec![item]))]);
            prop_assert_eq!(to_json(&written).unwrap(), json!({ text.clone(): [{ "k": [text] }] }));
        }
    }
}

//! A text with places for what a look is about: `{{arm}}`, `{{candidate}}`, `{{stable}}`, `{{from}}`, `{{to}}` and
//! `{{interval}}`. What is put there is escaped as the text around it needs.

use std::fmt::Write as _;

use tagship_ports::Question;

/// What may stand between braces.
const NAMES: [&str; 6] = ["arm", "candidate", "stable", "from", "to", "interval"];

/// A checked text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(&'static str),
}

impl Template {
    /// Checks that every place has a name that there is.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let mut pieces = vec![];
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((name, after)) = behind.split_once("}}") else {
                return Err("has `{{` without `}}`".to_owned());
            };
            let Some(known) = NAMES.into_iter().find(|known| *known == name.trim()) else {
                let known = NAMES.map(|name| format!("{{{{{name}}}}}")).join(", ");
                return Err(format!("has the place {{{{{name}}}}}, which is not known; there is {known}"));
            };
            pieces.extend([Piece::Text(before.to_owned()), Piece::Name(known)]);
            rest = after;
        }
        pieces.push(Piece::Text(rest.to_owned()));
        Ok(Self { pieces })
    }

    /// Whether it says when the look ended, so that it can ask about one in the past.
    pub(super) fn says_when(&self) -> bool {
        self.pieces.contains(&Piece::Name("to"))
    }

    /// The text for one question.
    pub(super) fn fill(
        &self,
        question: &Question<'_>,
        escape: impl Fn(&str) -> String,
    ) -> Result<String, String> {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Name(name) => filled.push_str(&escape(&value(name, question)?)),
            }
        }
        Ok(filled)
    }
}

fn value(name: &str, question: &Question<'_>) -> Result<String, String> {
    Ok(match name {
        "arm" => question.version.to_string(),
        "candidate" => question.candidate.to_string(),
        "stable" => match question.stable {
            Some(stable) => stable.to_string(),
            None => {
                return Err(
                    "it is asked with {{stable}}, and no stable version serves beside this one".to_owned()
                );
            }
        },
        "from" => question.from.as_seconds().to_string(),
        "to" => question.to.as_seconds().to_string(),
        _ => interval(question),
    })
}

/// The length of a look in whole seconds, as query languages write it.
pub(super) fn interval(question: &Question<'_>) -> String {
    format!("{}s", question.to.since(question.from).std().as_secs().max(1))
}

/// Inside of an address.
pub(super) fn in_url(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// Inside of a text in JSON.
pub(super) fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Inside of quotes, single or double, that a backslash escapes.
pub(super) fn in_quotes(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '\'' | '"') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// As it is.
pub(super) fn plain(text: &str) -> String {
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use tagship_domain::{Duration, Timestamp, Version};

    use super::*;

    #[test]
    fn places_are_filled_and_escaped_and_unknown_ones_refused() {
        let [one, two]: [Version; 2] = ["v1.0.0", "v1.1.0-rc.1"].map(|version| version.parse().unwrap());
        let from: Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let to = from.after(Duration::from_secs(60));
        let question = Question { version: &two, candidate: &two, stable: Some(&one), from, to };
        let fill = |text: &str| Template::new(text).unwrap().fill(&question, plain).unwrap();
        assert_eq!(fill("a {{arm}} {{ candidate }}/{{stable}} b"), "a v1.1.0-rc.1 v1.1.0-rc.1/v1.0.0 b");
        assert_eq!(fill("[{{interval}}] {{from}}-{{to}}"), "[60s] 1795521600-1795521660");
        let lone = Question { stable: None, ..question };
        assert!(Template::new("{{stable}}").unwrap().fill(&lone, plain).unwrap_err().contains("no stable"));
        for (text, words) in [("{{arn}}", "{{arm}}, {{candidate}}"), ("{{arm", "without")] {
            assert!(Template::new(text).unwrap_err().contains(words), "{text}");
        }
        assert_eq!(
            (in_url("a+b/é"), in_json("a\"b"), in_quotes("a'b")),
            ("a%2Bb%2F%C3%A9".into(), "a\\\"b".into(), "a\\'b".into())
        );
        assert!(
            Template::new("{{to}}").unwrap().says_when() && !Template::new("{{arm}}").unwrap().says_when()
        );
    }
}

//! Arguments of analysis templates: `{{args.name}}` anywhere in a metric.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{document::Document, fields::Fields, notes::About};

/// What stands for the candidate, and for the version beside it, in our sources.
const CANDIDATE: &str = "{{arm}}";
const STABLE: &str = "{{stable}}";

/// What an argument is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Argument {
    /// This text.
    Text(String),
    /// It lies in a secret.
    Secret,
    /// It cannot be known here; why.
    Unknown(String),
}

/// Arguments by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Arguments(BTreeMap<String, Argument>);

impl Arguments {
    /// Adds arguments of a list, which take the place of those that are known; such without a value only where there are
    /// none.
    pub(super) fn add(&mut self, block: &Fields<'_>, rollout: &Document) {
        for argument in block.list("args") {
            let Some(name) = argument.text("name") else {
                argument.notes().mistake(argument.at("name"), "it is missing");
                continue;
            };
            let value = argument.text("value").map(Argument::Text);
            let value = value.or_else(|| argument.below("valueFrom").map(|from| of(&from, &name, rollout)));
            argument.rest(&About::Key("analysis"), &[("valueFrom", "its `value` is taken")]);
            match value {
                Some(value) => {
                    self.0.insert(name, value);
                }
                None => {
                    let unknown = || Argument::Unknown("nobody gives it a value".to_owned());
                    self.0.entry(name).or_insert_with(unknown);
                }
            }
        }
    }

    /// A value with every argument put in, or the first reason why that cannot be.
    pub(super) fn fill(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => Value::String(self.fill_text(text)?),
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.fill(item)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let filled = map.iter().map(|(key, value)| Ok((key.clone(), self.fill(value)?)));
                Value::Object(filled.collect::<Result<_, String>>()?)
            }
            value => value.clone(),
        })
    }

    fn fill_text(&self, text: &str) -> Result<String, String> {
        let (mut filled, mut rest) = (String::new(), text);
        while let Some((before, behind)) = rest.split_once("{{") {
            let Some((place, after)) = behind.split_once("}}") else {
                return Err("it has `{{` without `}}`".to_owned());
            };
            let name = place.trim().strip_prefix("args.").map(str::trim);
            let Some(name) = name else {
                return Err(format!("it has the place {{{{{}}}}}, which is no argument", place.trim()));
            };
            filled.push_str(before);
            match self.0.get(name) {
                Some(Argument::Text(text)) => filled.push_str(text),
                Some(Argument::Secret) => filled.push_str(&marker(name)),
                Some(Argument::Unknown(why)) => {
                    return Err(format!("its argument `{name}` is not known: {why}"));
                }
                None => return Err(format!("its argument `{name}` is not declared")),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }
}

/// Marks the place of a secret; nothing that a specification can say looks like it.
const MARK: char = '\u{e000}';

fn marker(name: &str) -> String {
    format!("{MARK}{name}{MARK}")
}

/// The secret that a text is, behind an optional prefix.
pub(super) fn secret<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let name = text.strip_prefix(prefix)?.trim().strip_prefix(MARK)?.strip_suffix(MARK)?;
    (!name.contains(MARK)).then_some(name)
}

/// Whether a secret stands anywhere in a value.
pub(super) fn has_secret(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(MARK),
        Value::Array(items) => items.iter().any(has_secret),
        Value::Object(map) => map.values().any(has_secret),
        _ => false,
    }
}

/// The variable that a secret is read from.
pub(super) fn variable(name: &str) -> String {
    let upper = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = name.chars().map(upper).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn of(from: &Fields<'_>, name: &str, rollout: &Document) -> Argument {
    let value = value_from(from, name, rollout);
    from.rest(&About::Key("analysis"), &[]);
    value
}

fn value_from(from: &Fields<'_>, name: &str, rollout: &Document) -> Argument {
    if from.value("secretKeyRef").is_some() {
        let text =
            format!("a secret is read from a variable of the workflow, {} where it is used", variable(name));
        from.notes().by_hand(About::Key("analysis"), from.at("secretKeyRef"), text);
        return Argument::Secret;
    }
    match from.text("podTemplateHashValue").as_deref() {
        Some("Latest") => return Argument::Text(CANDIDATE.to_owned()),
        Some("Stable") => return Argument::Text(STABLE.to_owned()),
        Some(other) => return Argument::Unknown(format!("{other:?} is no version")),
        None => {}
    }
    let path = from.below("fieldRef").and_then(|field| {
        let path = field.text("fieldPath");
        field.rest(&About::Key("analysis"), &[]);
        path
    });
    match (path.as_deref(), &rollout.namespace) {
        (Some("metadata.name"), _) => Argument::Text(rollout.name.clone()),
        (Some("metadata.namespace"), Some(namespace)) => Argument::Text(namespace.clone()),
        (Some(path), _) => Argument::Unknown(format!("it is the field {path} of an object in a cluster")),
        (None, _) => Argument::Unknown("where it comes from is not known".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_filled_and_what_is_unknown_is_named() {
        let arguments = Arguments(BTreeMap::from([
            ("a".to_owned(), Argument::Text("x".to_owned())),
            ("key".to_owned(), Argument::Secret),
            ("gone".to_owned(), Argument::Unknown("because".to_owned())),
        ]));
        let fill = |text: &str| arguments.fill(&json!({ "q": [text] }));
        assert_eq!(fill("{{args.a}}/{{ args.a }}").unwrap(), json!({ "q": ["x/x"] }));
        for (text, words) in [
            ("{{args.gone}}", "`gone` is not known: because"),
            ("{{args.b}}", "`b` is not declared"),
            ("{{other}}", "no argument"),
            ("{{args.a", "without"),
        ] {
            assert!(fill(text).unwrap_err().contains(words), "{text}");
        }
        let filled = fill("Bearer {{args.key}}").unwrap();
        let text = filled["q"][0].as_str().unwrap();
        assert_eq!(
            (secret(text, "Bearer "), secret(text, ""), has_secret(&filled)),
            (Some("key"), None, true)
        );
        assert_eq!((variable("api-key"), variable("1st")), ("API_KEY".to_owned(), "_1ST".to_owned()));
    }
}

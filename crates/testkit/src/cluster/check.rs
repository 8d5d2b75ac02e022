//! An object against its schema: fields that are not declared, wrong types, missing fields, values out of bounds.

use serde_json::Value;

use super::schema::{Kind, ListType, Schema};

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Misfit {
    /// Where: `.spec.replicas`.
    pub(super) path: String,
    pub(super) what: String,
    pub(super) fault: Fault,
}

/// Kinds of misfits; servers treat them differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Undeclared,
    Type,
    Missing,
    Value,
}

impl Misfit {
    /// In the words of a server.
    pub(super) fn sentence(&self) -> String {
        format!("{}: {}", self.path, self.what)
    }

    /// The path as field errors have it, without the first dot.
    pub(super) fn field(&self) -> &str {
        self.path.trim_start_matches('.')
    }
}

/// Everything that does not fit, in the order of the fields.
pub(super) fn misfits(schema: &Schema, value: &Value) -> Vec<Misfit> {
    let mut found = Vec::new();
    walk(schema, value, "", &mut found);
    found
}

fn walk(schema: &Schema, value: &Value, path: &str, found: &mut Vec<Misfit>) {
    let mut misfit = |path: String, fault: Fault, what: String| found.push(Misfit { path, what, fault });
    if value.is_null() && (schema.nullable || schema.kind == Kind::Any) {
        return;
    }
    if !is_of(schema.kind, value) {
        misfit(
            path.to_owned(),
            Fault::Type,
            format!("expected {}, got {}", named(schema.kind), named_value(value)),
        );
        return;
    }
    if !schema.allowed.is_empty() && !schema.allowed.contains(value) {
        let allowed: Vec<String> = schema.allowed.iter().map(ToString::to_string).collect();
        misfit(
            path.to_owned(),
            Fault::Value,
            format!("Unsupported value: {value}: supported values: {}", allowed.join(", ")),
        );
    }
    if let Some(what) = out_of_bounds(schema, value) {
        misfit(path.to_owned(), Fault::Value, what);
    }
    match value {
        Value::Object(fields) => {
            for name in schema.required.iter().filter(|name| !fields.contains_key(*name)) {
                misfit(format!("{path}.{name}"), Fault::Missing, "Required value".to_owned());
            }
            for (name, inner) in fields {
                let path = format!("{path}.{name}");
                match schema.field(name) {
                    Some(schema) => walk(schema, inner, &path, found),
                    None => found.push(Misfit {
                        path,
                        what: "field not declared in schema".to_owned(),
                        fault: Fault::Undeclared,
                    }),
                }
            }
        }
        Value::Array(items) => {
            let mut seen = Vec::new();
            for (index, item) in items.iter().enumerate() {
                let path = format!("{path}[{index}]");
                walk(schema.item(), item, &path, found);
                found.extend(key_misfit(schema, item, &path, &mut seen));
            }
        }
        _ => {}
    }
}

/// An item of an associative list without its keys, or with those of another.
fn key_misfit(schema: &Schema, item: &Value, path: &str, seen: &mut Vec<String>) -> Option<Misfit> {
    if schema.list == ListType::Atomic {
        return None;
    }
    let (fault, what) = match schema.item_key(item) {
        None => (Fault::Missing, "associative list with keys has an element that omits key field".to_owned()),
        Some(key) if seen.contains(&key) => (Fault::Value, format!("Duplicate value: {}", &key[2..])),
        Some(key) => {
            seen.push(key);
            return None;
        }
    };
    Some(Misfit { path: path.to_owned(), what, fault })
}

fn out_of_bounds(schema: &Schema, value: &Value) -> Option<String> {
    let size = match value {
        Value::String(text) => text.chars().count() as u64,
        Value::Array(items) => items.len() as u64,
        Value::Number(number) => {
            let number = number.as_f64()?;
            let below = schema.minimum.filter(|minimum| number < *minimum);
            let above = schema.maximum.filter(|maximum| number > *maximum);
            let what = below.map(|bound| format!("greater than or equal to {bound}"));
            let what = what.or(above.map(|bound| format!("less than or equal to {bound}")))?;
            return Some(format!("Invalid value: {value}: should be {what}"));
        }
        _ => return None,
    };
    let (least, most) = schema.length;
    let short = least.filter(|least| size < *least).map(|least| format!("at least {least} long"));
    let long = most.filter(|most| size > *most).map(|most| format!("at most {most} long"));
    short.or(long).map(|what| format!("Invalid value: {value}: should be {what}"))
}

fn is_of(kind: Kind, value: &Value) -> bool {
    match kind {
        Kind::Any => true,
        Kind::Object => value.is_object(),
        Kind::Array => value.is_array(),
        Kind::String => value.is_string(),
        Kind::Integer => value.is_i64() || value.is_u64(),
        Kind::Number => value.is_number(),
        Kind::Boolean => value.is_boolean(),
        Kind::IntOrString => value.is_i64() || value.is_u64() || value.is_string(),
    }
}

fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Any => "a value",
        Kind::Object => "map",
        Kind::Array => "list",
        Kind::String => "string",
        Kind::Integer => "integer",
        Kind::Number => "numeric (int or float)",
        Kind::Boolean => "boolean",
        Kind::IntOrString => "integer or string",
    }
}

fn named_value(value: &Value) -> String {
    match value {
        Value::Object(_) => "map".to_owned(),
        Value::Array(_) => "list".to_owned(),
        other => other.to_string(),
    }
}

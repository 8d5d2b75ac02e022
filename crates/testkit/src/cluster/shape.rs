//! What a server makes of an object before it stores it: fields that no schema declares go, defaults come.

use serde_json::Value;

use super::schema::Schema;

/// Drops what is not declared.
pub(super) fn prune(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(fields) => fields.retain(|name, inner| match schema.field(name) {
            Some(schema) => {
                prune(schema, inner);
                true
            }
            None => false,
        }),
        Value::Array(items) => items.iter_mut().for_each(|item| prune(schema.item(), item)),
        _ => {}
    }
}

/// Fills in defaults; also for `null` where null is not allowed, as servers do.
pub(super) fn fill(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in &schema.properties {
                let Some(default) = &inner.default else { continue };
                let there = fields.get(name);
                if there.is_none_or(|there| there.is_null() && !inner.nullable) {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, inner) in fields.iter_mut() {
                if let Some(schema) = schema.field(name) {
                    fill(schema, inner);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| fill(schema.item(), item)),
        _ => {}
    }
}

//! Server-side apply: the live object with what a manager says laid over it, and without what it no longer says.

use serde_json::Value;

use super::{
    fields::FieldSet,
    schema::{ListType, Schema},
};

/// Lays `said` over `live`. Atomic values are taken whole.
pub(super) fn merged(schema: &Schema, live: &Value, said: &Value) -> Value {
    if schema.is_granular(live) && schema.is_granular(said) {
        let mut all = live.clone();
        for (name, inner) in said.as_object().into_iter().flatten() {
            let inner = match (schema.field(name), live.get(name)) {
                (Some(schema), Some(live)) => merged(schema, live, inner),
                _ => inner.clone(),
            };
            all[name.as_str()] = inner;
        }
        return all;
    }
    if schema.is_associative(live) && schema.is_associative(said) {
        let mut all = live.as_array().cloned().unwrap_or_default();
        for item in said.as_array().into_iter().flatten() {
            let key = schema.item_key(item);
            match all.iter_mut().find(|there| schema.item_key(there) == key) {
                Some(there) if matches!(schema.list, ListType::Map(_)) => {
                    *there = merged(schema.item(), there, item);
                }
                Some(_) => {}
                None => all.push(item.clone()),
            }
        }
        return Value::Array(all);
    }
    said.clone()
}

/// Removes what a manager said before (`last`) and nobody says now (`kept`).
pub(super) fn without(schema: &Schema, value: &mut Value, last: &FieldSet, kept: &FieldSet) {
    let nobody = FieldSet::default();
    for (key, inner) in last.children() {
        let kept = kept.child(key).unwrap_or(&nobody);
        if let Some(name) = key.strip_prefix("f:") {
            let Some(schema) = schema.field(name) else { continue };
            if kept.is_empty() {
                value.as_object_mut().map(|fields| fields.remove(name));
            } else if let Some(value) = value.get_mut(name) {
                without(schema, value, inner, kept);
            }
        } else if let Some(items) = value.as_array_mut() {
            let at = items.iter().position(|item| schema.item_key(item).as_deref() == Some(key));
            let Some(at) = at else { continue };
            if kept.is_empty() {
                items.remove(at);
            } else {
                without(schema.item(), &mut items[at], inner, kept);
            }
        }
    }
}

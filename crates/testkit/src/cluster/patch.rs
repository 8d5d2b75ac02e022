//! Patches that do not know schemas: JSON merge patch (RFC 7386) and JSON patch (RFC 6902).

use serde_json::Value;

/// Lays a merge patch over a value: `null` removes.
pub(super) fn merge_patch(value: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = Value::Object(serde_json::Map::new());
    }
    let Some(fields) = value.as_object_mut() else { return };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(name);
        } else {
            merge_patch(fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Performs the operations of a JSON patch, all or none.
pub(super) fn json_patch(value: &Value, operations: &Value) -> Result<Value, String> {
    let mut changed = value.clone();
    for operation in operations.as_array().ok_or("a JSON patch is a list")? {
        let text =
            |name: &str| operation[name].as_str().ok_or_else(|| format!("an operation without {name}"));
        let path = text("path")?;
        let given = || operation.get("value").cloned().ok_or("an operation without value");
        match text("op")? {
            "test" => {
                let there = changed.pointer(path).ok_or_else(|| format!("nothing at {path}"))?;
                if *there != given()? {
                    return Err(format!("testing {path} failed"));
                }
            }
            "add" => add(&mut changed, path, given()?)?,
            "remove" => drop(remove(&mut changed, path)?),
            "replace" => {
                let there = changed.pointer_mut(path).ok_or_else(|| format!("nothing at {path}"))?;
                *there = given()?;
            }
            "move" => {
                let moved = remove(&mut changed, text("from")?)?;
                add(&mut changed, path, moved)?;
            }
            "copy" => {
                let from = text("from")?;
                let copied = changed.pointer(from).cloned().ok_or_else(|| format!("nothing at {from}"))?;
                add(&mut changed, path, copied)?;
            }
            other => return Err(format!("unknown operation {other:?}")),
        }
    }
    Ok(changed)
}

fn add(value: &mut Value, path: &str, new: Value) -> Result<(), String> {
    let Some((parent, last)) = split(path) else {
        *value = new;
        return Ok(());
    };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(last, new);
        }
        Some(Value::Array(items)) if last == "-" => items.push(new),
        Some(Value::Array(items)) => {
            let at = last.parse().ok().filter(|at| *at <= items.len());
            items.insert(at.ok_or_else(|| format!("no place {path}"))?, new);
        }
        _ => return Err(format!("nothing at {parent}")),
    }
    Ok(())
}

fn remove(value: &mut Value, path: &str) -> Result<Value, String> {
    let nothing = || format!("nothing at {path}");
    let (parent, last) = split(path).ok_or_else(nothing)?;
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last).ok_or_else(nothing),
        Some(Value::Array(items)) => {
            let at = last.parse().ok().filter(|at| *at < items.len()).ok_or_else(nothing)?;
            Ok(items.remove(at))
        }
        _ => Err(nothing()),
    }
}

/// The pointer of the container, and the unescaped name in it.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

//! What is read of any object, and what every order about one must pass.

use serde_json::Value;
use tagship_ports::{PortError, Problem, target::Order};

/// A text in an object; empty where there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// Whether an object is about to go.
pub(crate) fn is_going(object: &Value) -> bool {
    object["metadata"]["deletionTimestamp"].is_string()
}

/// Refuses an order that is older than one that was seen.
pub(crate) fn refuse_late(operation: &str, order: &Order, seen: Option<u64>) -> Result<(), PortError> {
    match seen.filter(|seen| order.fence < *seen) {
        None => Ok(()),
        Some(seen) => {
            let message = format!("order {} came after {seen}", order.fence);
            Err(PortError::new(Problem::Fenced, operation, message))
        }
    }
}

/// Refuses what no object can be named: keys of settings, their values, and how long those may be.
pub(crate) fn refuse_no_names(operation: &str, names: [(&str, &str, usize); 2]) -> Result<(), PortError> {
    for (key, name, longest) in names {
        if !is_label(name, longest) {
            let hint =
                format!("write 1 to {longest} lower-case letters, digits and `-`, beginning with a letter");
            let message = format!("`{key}` is no name: {name:?}");
            return Err(PortError::new(Problem::Invalid, operation, message).hint(hint));
        }
    }
    Ok(())
}

/// A name that objects of all kinds may have (RFC 1035).
fn is_label(name: &str, longest: usize) -> bool {
    name.len() <= longest
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

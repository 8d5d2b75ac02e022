//! Merges that turn one object into another.

use serde_json::{Value, json};

/// What turns one object into another by a merge: fields that are gone are taken out.
pub(crate) fn difference(from: &Value, to: &Value) -> Value {
    let (Some(before), Some(after)) = (from.as_object(), to.as_object()) else { return to.clone() };
    let mut change = json!({});
    for field in before.keys().filter(|field| !after.contains_key(*field)) {
        change[field.as_str()] = Value::Null;
    }
    for (field, value) in after {
        match before.get(field) {
            Some(there) if there == value => {}
            Some(there) => change[field.as_str()] = difference(there, value),
            None => change[field.as_str()] = value.clone(),
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merge_of_the_difference_takes_out_what_is_gone() {
        let from = json!({ "a": 1, "b": { "c": 1, "d": 2 }, "e": [1] });
        let to = json!({ "b": { "c": 1, "f": 3 }, "e": [2], "g": 4 });
        let difference = difference(&from, &to);
        assert_eq!(difference, json!({ "a": null, "b": { "d": null, "f": 3 }, "e": [2], "g": 4 }));
    }
}

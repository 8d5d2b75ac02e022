//! Names of metrics: the keys that lead to a number, joined by dots.
//!
//! A key that holds a dot, a bracket or a quote, or nothing, is written as `["..."]`, so that a name leads back to
//! its keys.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The name of `key` below `base`.
pub(crate) fn join(base: &str, key: &str) -> String {
    if key.is_empty() || key.contains(['.', '[', ']', '"']) {
        format!("{base}[{}]", Value::from(key))
    } else if base.is_empty() {
        key.to_owned()
    } else {
        format!("{base}.{key}")
    }
}

/// The keys of a name. A text that [`join`] does not make gives some keys or other, never a failure.
pub(crate) fn keys(name: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        if let Some((key, after)) = quoted(rest) {
            keys.push(key);
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        let end = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| matches!(c, '.' | '['))
            .map_or(rest.len(), |(at, _)| at);
        keys.push(rest[..end].to_owned());
        rest = rest[end..].strip_prefix('.').unwrap_or(&rest[end..]);
    }
    keys
}

/// A key written as `["..."]` at the start of `text`, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('[')?;
    let mut values = serde_json::Deserializer::from_str(inner).into_iter::<String>();
    let key = values.next()?.ok()?;
    let after = inner[values.byte_offset()..].strip_prefix(']')?;
    Some((key, after))
}

/// Numbers by name as the nested object that rules read. Where one name is a prefix of another, as no file can
/// hold them, the longer one is left out.
pub(crate) fn nested(numbers: &BTreeMap<String, f64>) -> Value {
    let mut root = Map::new();
    for (name, number) in numbers {
        let mut keys = keys(name);
        let Some(last) = keys.pop() else { continue };
        let mut place = Some(&mut root);
        for key in keys {
            place = place
                .and_then(|map| map.entry(key).or_insert_with(|| Value::Object(Map::new())).as_object_mut());
        }
        if let Some(map) = place {
            map.entry(last).or_insert_with(|| Value::from(*number));
        }
    }
    Value::Object(root)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn names_lead_back_to_their_keys() {
        assert_eq!(join("per_class", "cat"), "per_class.cat");
        assert_eq!(join("", "top-5"), "top-5");
        assert_eq!(join("recall", "0.5"), r#"recall["0.5"]"#);
        let numbers = [("a.b", 1.0), (r#"a["0.5"].x"#, 2.0), ("top-5", 3.0), ("a.b.c", 4.0)];
        let numbers = numbers.map(|(name, number)| (name.to_owned(), number)).into();
        assert_eq!(nested(&numbers), json!({ "a": { "b": 1.0, "0.5": { "x": 2.0 } }, "top-5": 3.0 }));
    }

    proptest! {
        #[test]
        fn any_keys_survive_the_way_there_and_back(path in prop::collection::vec("[a-z0-9.\"\\[\\]é -]{0,4}", 1..5)) {
            let name = path.iter().fold(String::new(), |base, key| join(&base, key));
            prop_assert_eq!(keys(&name), path);
        }

        #[test]
        fn any_name_has_keys(name in "\\PC{0,20}") {
            let _ = keys(&name);
        }
    }
}

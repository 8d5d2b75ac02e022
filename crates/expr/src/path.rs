//! How a place inside JSON is written: the way an expression would read it.

/// The path of member `key` of `base`: `metrics.f1`, or `metrics["top-5"]` where the key is no identifier.
/// An empty `base` gives the key alone.
pub fn member(base: &str, key: &str) -> String {
    let mut characters = key.chars();
    let identifier = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    match (identifier, base.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{base}.{key}"),
        (false, _) => format!("{base}[{}]", serde_json::Value::from(key)),
    }
}

/// The path of element `index` of `base`: `metrics.folds[2]`.
pub fn element(base: &str, index: usize) -> String {
    format!("{base}[{index}]")
}

//! Mappings of which exactly one key is given: the key is the choice, its value the settings.

use serde::{Deserialize, Deserializer};

use crate::{diagnostic::listed, place::Place};

/// Reads a key that may stand without a value: `pause:` is there, unlike no `pause` at all.
pub(crate) fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The one that was chosen. Reports when none or several are, with an example of what to write.
pub(crate) fn exactly_one<T>(
    place: &Place<'_>,
    choices: impl IntoIterator<Item = (&'static str, Option<T>)>,
    example: &str,
) -> Option<(&'static str, T)> {
    let (mut known, mut chosen) = (vec![], vec![]);
    for (key, value) in choices {
        known.push(key);
        chosen.extend(value.map(|value| (key, value)));
    }
    if chosen.len() > 1 {
        let keys: Vec<&str> = chosen.iter().map(|(key, _)| *key).collect();
        let message = format!("only one of {} can be chosen", listed(&keys));
        place.report(message, Some(format!("write one, e.g. {example}")));
        return None;
    }
    let one = chosen.pop();
    if one.is_none() {
        let message = format!("one of {} is missing", listed(&known));
        place.report(message, Some(format!("write one, e.g. {example}")));
    }
    one
}

//! YAML as plain data: metrics files and the like, as JSON.
//!
//! Untrusted: the text, the values that aliases make of it and their depth are bounded. What JSON cannot hold (NaN,
//! infinities) is an error that names the value, so that it can never turn into a null and look like no data.

use std::{cell::RefCell, collections::HashSet, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use tagship_domain::annotation::Ordered;

/// Largest text that is read, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// Most values that are read, each use of an alias counted in full.
const MAX_VALUES: usize = 50_000;
/// Deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 64;

/// Why a text is no data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlError {
    /// Not YAML, or YAML that has no meaning as plain data: tags, keys that are lists, keys that stand twice.
    #[error("read YAML: {message}")]
    Malformed {
        /// What is wrong, with line and column where the reader knows them.
        message: String,
    },
    /// A number that is not finite.
    #[error("read YAML: the value of {path} is {value}, which is no number to judge")]
    NotFinite {
        /// Keys and indices that lead to it, e.g. `folds[2].accuracy`.
        path: String,
        /// `NaN`, `inf` or `-inf`.
        value: String,
    },
    /// The text, or what its aliases make of it, is too large.
    #[error("read YAML: it holds more than {limit} {what}, the most that is read")]
    TooLarge {
        /// How many are read.
        limit: usize,
        /// Of what: bytes, values or levels.
        what: &'static str,
    },
}

/// Reads one YAML document as JSON. An empty text is a null; keys that are numbers or booleans become text.
///
/// # Errors
/// [`YamlError`], each case of it.
pub fn to_json(text: &str) -> Result<Value, YamlError> {
    to_ordered(text).map(Ordered::into_json)
}

/// Reads one YAML document and keeps the order of its mappings; otherwise as [`to_json`].
///
/// # Errors
/// [`YamlError`], each case of it.
pub(crate) fn to_ordered(text: &str) -> Result<Ordered, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError::TooLarge { limit: MAX_BYTES, what: "bytes" });
    }
    let reading = Reading { refused: RefCell::new(None), left: RefCell::new(MAX_VALUES) };
    let seed = Data { reading: &reading, path: String::new(), depth: 0 };
    let read = seed.deserialize(serde_yaml::Deserializer::from_str(text));
    let refused = reading.refused.into_inner();
    read.map_err(|error| refused.unwrap_or_else(|| YamlError::Malformed { message: error.to_string() }))
}

/// Reads every document of a YAML text as JSON, as [`to_json`] does one; empty ones are left out.
///
/// # Errors
/// [`YamlError`], each case of it. The limits hold for all documents together.
pub fn to_json_documents(text: &str) -> Result<Vec<Value>, YamlError> {
    if text.len() > MAX_BYTES {
        return Err(YamlError::TooLarge { limit: MAX_BYTES, what: "bytes" });
    }
    let reading = Reading { refused: RefCell::new(None), left: RefCell::new(MAX_VALUES) };
    let mut documents = vec![];
    for document in serde_yaml::Deserializer::from_str(text) {
        let seed = Data { reading: &reading, path: String::new(), depth: 0 };
        match seed.deserialize(document) {
            Ok(Ordered::Null) => {}
            Ok(value) => documents.push(value.into_json()),
            Err(error) => {
                let refused = reading.refused.take();
                return Err(refused.unwrap_or_else(|| YamlError::Malformed { message: error.to_string() }));
            }
        }
    }
    Ok(documents)
}

/// What is shared while one text is read.
struct Reading {
    /// The reason why reading stopped, which serde's error can carry as text only.
    refused: RefCell<Option<YamlError>>,
    left: RefCell<usize>,
}

/// A value that is about to be read.
struct Data<'r> {
    reading: &'r Reading,
    path: String,
    depth: usize,
}

impl Data<'_> {
    fn refuse<E: de::Error>(&self, why: YamlError) -> E {
        let error = E::custom(&why);
        self.reading.refused.replace(Some(why));
        error
    }

    /// The value below, if it still fits into the limits.
    fn below<E: de::Error>(&self, path: String) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(YamlError::TooLarge { limit: MAX_DEPTH, what: "levels" }));
        }
        let left = *self.reading.left.borrow();
        if left == 0 {
            return Err(self.refuse(YamlError::TooLarge { limit: MAX_VALUES, what: "values" }));
        }
        self.reading.left.replace(left - 1);
        Ok(Self { reading: self.reading, path, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = Ordered;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Ordered, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Data<'_> {
    type Value = Ordered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data")
    }

    fn visit_unit<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Null)
    }

    fn visit_none<E>(self) -> Result<Ordered, E> {
        Ok(Ordered::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Ordered, E> {
        Ok(Ordered::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Ordered, E> {
        Ok(Ordered::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Ordered, E> {
        Ok(Ordered::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Ordered, E> {
        Number::from_f64(value).map(Ordered::Number).ok_or_else(|| {
            let path = if self.path.is_empty() { "the document".to_owned() } else { self.path.clone() };
            self.refuse(YamlError::NotFinite { path, value: value.to_string() })
        })
    }

    fn visit_str<E>(self, text: &str) -> Result<Ordered, E> {
        Ok(Ordered::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Ordered, A::Error> {
        let mut list = Vec::new();
        loop {
            let item = self.below(format!("{}[{}]", self.path, list.len()))?;
            match items.next_element_seed(item)? {
                Some(value) => list.push(value),
                None => return Ok(Ordered::List(list)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Ordered, A::Error> {
        let (mut map, mut keys) = (Vec::new(), HashSet::new());
        while let Some(key) = entries.next_key_seed(Key)? {
            let dot = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{dot}{key}", self.path);
            let value = entries.next_value_seed(self.below(path)?)?;
            if !keys.insert(key.clone()) {
                return Err(de::Error::custom(format_args!("the key {key:?} stands twice")));
            }
            map.push((key, value));
        }
        Ok(Ordered::Mapping(map))
    }
}

/// A key, as text.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = String;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for Key {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is text")
    }

    fn visit_bool<E>(self, key: bool) -> Result<String, E> {
        Ok(key.to_string())
    }

    fn visit_i64<E>(self, key: i64) -> Result<String, E> {
        Ok(key.to_string())
    }

    fn visit_u64<E>(self, key: u64) -> Result<String, E> {
        Ok(key.to_string())
    }

    fn visit_f64<E>(self, key: f64) -> Result<String, E> {
        Ok(key.to_string())
    }

    fn visit_str<E>(self, key: &str) -> Result<String, E> {
        Ok(key.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::tests::alias_bomb;

    #[test]
    fn metrics_become_json() {
        let text = "accuracy: 0.94\nfolds: [1, -2, 1e-3]\nby: {1: a, true: b}\nnone:\nquoted: '.nan'\n";
        let expected = json!({
            "accuracy": 0.94, "folds": [1, -2, 1e-3], "by": { "1": "a", "true": "b" }, "none": null, "quoted": ".nan",
        });
        assert_eq!(to_json(text).unwrap(), expected);
        assert_eq!(to_json("").unwrap(), Value::Null);
        assert_eq!(to_json("a: &x [1]\nb: *x\n").unwrap(), json!({ "a": [1], "b": [1] }));
    }

    #[test]
    fn numbers_that_are_not_finite_are_named() {
        for (text, path, value) in [
            ("a: {b: [1, .nan]}", "a.b[1]", "NaN"),
            ("loss: -.inf", "loss", "-inf"),
            (".inf", "the document", "inf"),
        ] {
            let expected = YamlError::NotFinite { path: path.into(), value: value.into() };
            assert_eq!(to_json(text).unwrap_err(), expected, "{text}");
        }
    }

    #[test]
    fn what_grows_is_refused() {
        let too_large = |text: &str| matches!(to_json(text), Err(YamlError::TooLarge { .. }));
        assert!(to_json(&alias_bomb()).is_err());
        assert!(too_large(&format!("{}1{}", "[".repeat(100), "]".repeat(100))));
        assert!(too_large("a: &x [*x]"), "an alias inside of what it stands for");
        assert!(too_large(&" ".repeat(MAX_BYTES + 1)));
        assert!(too_large(&format!("[{}]", "1,".repeat(MAX_VALUES + 1))));
    }

    #[test]
    fn what_is_not_plain_data_is_refused() {
        for text in ["a: 1\na: 2", "[1", "a: !x 1", "? [1]\n: 2", "a: 1\n---\nb: 2", "a: *gone"] {
            assert!(matches!(to_json(text), Err(YamlError::Malformed { .. })), "{text}");
        }
    }

    #[test]
    fn documents_of_one_text_are_read_in_order() {
        let read = |text: &str| to_json_documents(text);
        assert_eq!(read("---\na: 1\n---\n---\nb: 2\n").unwrap(), [json!({ "a": 1 }), json!({ "b": 2 })]);
        assert_eq!(read("").unwrap(), [] as [Value; 0]);
        assert!(matches!(read("a: 1\n---\nb: [1"), Err(YamlError::Malformed { .. })));
        let many = "---\n[1, 2, 3, 4, 5, 6, 7, 8, 9]\n".repeat(MAX_VALUES / 9 + 1);
        assert!(matches!(read(&many), Err(YamlError::TooLarge { .. })), "{}", many.len());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[\PC\n\t\[\]{}:,&*!|>'"-]{0,80}"#) {
            let _ = to_json(&text);
            let _ = to_json_documents(&text);
        }
    }
}

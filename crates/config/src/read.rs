//! From the tree to a typed value, through serde, with every error at its place and as many at once as there are.
//!
//! Keys that the type does not have and keys that stand twice are reported and passed over. A value that does not
//! fit ends serde's pass; it is set aside and the document is read again without it, until a pass ends well or
//! nothing more can be learned. The value of a pass is only worth something when nothing was reported at all,
//! which [`Source::errors`](crate::place::Source::errors) tells.

use std::{cell::RefCell, collections::BTreeSet, fmt};

use serde::{
    de::{self, DeserializeSeed, IntoDeserializer, Visitor},
    forward_to_deserialize_any,
};

use crate::{
    diagnostic::{listed, nearest, printable},
    place::{Place, Source},
    scalar::Scalar,
    tree::{Entry, Node, Value},
};

/// Reads the whole document; `None` after errors that were reported to the source.
pub(crate) fn read<T: de::DeserializeOwned>(source: &Source<'_>) -> Option<T> {
    let memory = Memory::default();
    loop {
        match descend(&source.root(), &memory, std::marker::PhantomData) {
            Ok(value) => return Some(value),
            Err(error) if error.learned && !source.is_full() => {}
            Err(_) => return None,
        }
    }
}

/// What earlier passes found.
#[derive(Default)]
struct Memory {
    /// Paths of values that do not fit and of keys that do not belong.
    aside: RefCell<BTreeSet<String>>,
}

/// A value that does not fit, on its way to the place that knows where it stands.
#[derive(Debug)]
pub(crate) struct ReadError {
    message: String,
    help: Option<String>,
    /// Whether a place reported it already.
    settled: bool,
    /// Whether the next pass sets something aside that this one did not.
    learned: bool,
}

/// One value of the tree as serde sees it.
struct Reader<'a, 'm> {
    place: Place<'a>,
    node: &'a Node,
    memory: &'m Memory,
}

/// The entries of a mapping, or the items of a list, that serde gets to see.
struct Children<'a, 'm> {
    rest: std::vec::IntoIter<(Option<&'a str>, Place<'a>)>,
    current: Option<Place<'a>>,
    memory: &'m Memory,
}

/// Reads the value at a place; an error settles there unless it did further down.
fn descend<'de, T: DeserializeSeed<'de>>(
    place: &Place<'_>,
    memory: &Memory,
    seed: T,
) -> Result<T::Value, ReadError> {
    let Some(node) = place.node() else {
        return Err(<ReadError as de::Error>::custom("expected a value"));
    };
    seed.deserialize(Reader { place: place.clone(), node, memory })
        .map_err(|error| error.settle(place, memory, Place::report))
}

impl Memory {
    fn is_aside(&self, path: &str) -> bool {
        self.aside.borrow().contains(path)
    }

    /// Whether something inside of the value was set aside, so that the value may lack only that.
    fn is_hollow(&self, path: &str) -> bool {
        let below = |aside: &String| {
            aside.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with(['.', '[']))
        };
        self.aside.borrow().iter().any(below)
    }

    /// Sets a path aside; whether it was not before.
    fn set_aside(&self, path: String) -> bool {
        self.aside.borrow_mut().insert(path)
    }
}

impl ReadError {
    fn new(message: String, help: Option<String>) -> Self {
        Self { message, help, settled: false, learned: false }
    }

    fn settle<'p>(
        mut self,
        place: &Place<'p>,
        memory: &Memory,
        report: impl FnOnce(&Place<'p>, String, Option<String>),
    ) -> Self {
        if !self.settled {
            if !memory.is_hollow(place.path()) {
                report(place, std::mem::take(&mut self.message), self.help.take());
            }
            self.settled = true;
            self.learned = memory.set_aside(place.path().to_owned());
        }
        self
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {}

impl de::Error for ReadError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string(), None)
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        match found {
            de::Unexpected::Unit => Self::custom(format_args!("expected {expected}, found nothing")),
            de::Unexpected::Seq => Self::custom(format_args!("expected {expected}, found a list")),
            de::Unexpected::Map => Self::custom(format_args!("expected {expected}, found a mapping")),
            de::Unexpected::Bool(word) => Self::custom(format_args!("expected {expected}, found `{word}`")),
            de::Unexpected::Unsigned(number) => {
                Self::custom(format_args!("expected {expected}, found the number {number}"))
            }
            de::Unexpected::Signed(number) => {
                Self::custom(format_args!("expected {expected}, found the number {number}"))
            }
            de::Unexpected::Float(number) => {
                Self::custom(format_args!("expected {expected}, found the number {number}"))
            }
            de::Unexpected::Str(text) => {
                let text = printable(text);
                Self::custom(format_args!("expected {expected}, found the text `{text}`"))
            }
            found => Self::custom(format_args!("expected {expected}, found {found}")),
        }
    }

    /// Of a mapping whose keys are only known once its first look has told it from a word.
    fn unknown_field(key: &str, known: &'static [&'static str]) -> Self {
        Self::new(format!("unknown key `{}`", printable(key)), Some(did_you_mean(key, known)))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new(format!("the key `{field}` is missing"), None)
    }
}

impl<'a, 'm> Reader<'a, 'm> {
    fn mismatch(&self, expected: &str) -> ReadError {
        let help = match &self.node.value {
            Value::List(_) | Value::Mapping(_) | Value::Scalar(Scalar::Null) => None,
            Value::Scalar(word) if expected == "a list" => {
                Some(format!("write `[{}]`", printable(&word.to_string())))
            }
            Value::Scalar(Scalar::Text(_)) => None,
            Value::Scalar(Scalar::Bool(word)) if expected == "text" => {
                Some(format!("quote it: `\"{word}\"`"))
            }
            Value::Scalar(word) if expected == "text" => Some(format!(
                "quote it, `\"{word}\"`; a duration or size carries a unit, as in `90s` or `64MiB`"
            )),
            Value::Scalar(_) => None,
        };
        ReadError::new(format!("expected {expected}, found {}", self.node.describe()), help)
    }

    /// The entries of a mapping, each key once; with `known`, without the others.
    fn entries(&self, entries: &'a [Entry], known: Option<&'static [&'static str]>) -> Children<'a, 'm> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::new();
        for entry in entries {
            let place = self.place.enter(entry);
            let key = entry.key.as_str();
            if !seen.insert(key) {
                if self.memory.set_aside(format!("{} (again)", place.path())) {
                    let message = format!("the key `{}` stands here twice", printable(key));
                    place.report_key(message, Some("keep one of the two".to_owned()));
                }
            } else if let Some(known) = known.filter(|known| !known.contains(&key)) {
                if self.memory.set_aside(place.path().to_owned()) {
                    place.report_key(
                        format!("unknown key `{}`", printable(key)),
                        Some(did_you_mean(key, known)),
                    );
                }
            } else if !self.memory.is_aside(place.path()) {
                kept.push((Some(key), place));
            }
        }
        Children { rest: kept.into_iter(), current: None, memory: self.memory }
    }

    fn items(&self, count: usize) -> Children<'a, 'm> {
        let items = (0..count).map(|index| (None, self.place.index(index)));
        let kept: Vec<_> = items.filter(|(_, place)| !self.memory.is_aside(place.path())).collect();
        Children { rest: kept.into_iter(), current: None, memory: self.memory }
    }

    fn mapping<'de, V: Visitor<'de>>(
        &self,
        known: Option<&'static [&'static str]>,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Mapping(entries) => visitor.visit_map(self.entries(entries, known)),
            Value::Scalar(Scalar::Null) => visitor.visit_map(self.entries(&[], known)),
            _ => Err(self.mismatch("a mapping")),
        }
    }

    fn float<'de, V: Visitor<'de>>(&self, value: f64, visitor: V) -> Result<V::Value, ReadError> {
        if value.is_finite() { visitor.visit_f64(value) } else { Err(self.mismatch("a finite number")) }
    }
}

fn did_you_mean(word: &str, known: &[&str]) -> String {
    match nearest(word, known) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known here: {}", listed(known)),
    }
}

impl<'de> de::Deserializer<'de> for Reader<'_, '_> {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(self.items(items.len())),
            Value::Mapping(entries) => visitor.visit_map(self.entries(entries, None)),
            Value::Scalar(Scalar::Null) => visitor.visit_unit(),
            Value::Scalar(Scalar::Bool(value)) => visitor.visit_bool(*value),
            Value::Scalar(Scalar::Negative(value)) => visitor.visit_i64(*value),
            Value::Scalar(Scalar::Natural(value)) => visitor.visit_u64(*value),
            Value::Scalar(Scalar::Float(value)) => self.float(*value, visitor),
            Value::Scalar(Scalar::Text(text)) => visitor.visit_str(text),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(Scalar::Bool(value)) => visitor.visit_bool(*value),
            _ => Err(self.mismatch("`true` or `false`")),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(Scalar::Natural(value)) => visitor.visit_u64(*value),
            _ => Err(self.mismatch("a whole number from 0 up")),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(Scalar::Negative(value)) => visitor.visit_i64(*value),
            Value::Scalar(Scalar::Natural(value)) => visitor.visit_u64(*value),
            Value::Scalar(Scalar::Float(value)) => self.float(*value, visitor),
            _ => Err(self.mismatch("a number")),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(Scalar::Text(text)) => visitor.visit_str(text),
            _ => Err(self.mismatch("text")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::Scalar(Scalar::Null) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match &self.node.value {
            Value::List(items) => visitor.visit_seq(self.items(items.len())),
            _ => Err(self.mismatch("a list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.mapping(None, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.mapping(Some(fields), visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let expected =
            if variants.len() == 1 { listed(variants) } else { format!("one of {}", listed(variants)) };
        match &self.node.value {
            Value::Scalar(Scalar::Text(word)) if variants.contains(&word.as_str()) => {
                visitor.visit_enum(word.as_str().into_deserializer())
            }
            Value::Scalar(Scalar::Text(word)) => {
                let help = nearest(word, variants).map(|meant| format!("did you mean `{meant}`?"));
                Err(ReadError::new(format!("expected {expected}, found `{}`", printable(word)), help))
            }
            _ => Err(self.mismatch(&expected)),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

impl<'de> de::MapAccess<'de> for Children<'_, '_> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        let Some((key, place)) = self.rest.next() else { return Ok(None) };
        let key: de::value::StrDeserializer<'_, ReadError> = key.unwrap_or_default().into_deserializer();
        let read =
            seed.deserialize(key).map_err(|error| error.settle(&place, self.memory, Place::report_key));
        self.current = Some(place);
        read.map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ReadError> {
        match self.current.take() {
            Some(place) => descend(&place, self.memory, seed),
            None => Err(<ReadError as de::Error>::custom("expected a key")),
        }
    }
}

impl<'de> de::SeqAccess<'de> for Children<'_, '_> {
    type Error = ReadError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, ReadError> {
        self.rest.next().map(|(_, place)| descend(&place, self.memory, seed)).transpose()
    }
}

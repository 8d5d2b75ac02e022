//! The fields of one mapping, and a record of which of them were read.
//!
//! Whoever has read what it understands calls [`Fields::rest`], and every field that nobody asked for becomes a note. So
//! a field that is new, rare or forgotten here is never dropped in silence.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::{Map, Value};
use tagship_domain::Duration;

use crate::{
    notes::{About, Notes},
    span,
};

/// Why a field is left out, by its name.
pub(crate) type Reasons = [(&'static str, &'static str)];

const NO_COUNTERPART: &str = "nothing here corresponds to it";

/// A mapping with its place.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    at: String,
    map: Option<&'a Map<String, Value>>,
    read: RefCell<BTreeSet<String>>,
    notes: &'a Notes,
}

impl<'a> Fields<'a> {
    /// The fields of a value, which has to be a mapping.
    pub(crate) fn of(at: String, value: &'a Value, notes: &'a Notes) -> Self {
        let map = value.as_object();
        if map.is_none() {
            notes.mistake(&at, format!("expected a mapping, found {}", shown(value)));
        }
        Self { at, map, read: RefCell::default(), notes }
    }

    pub(crate) fn notes(&self) -> &'a Notes {
        self.notes
    }

    /// Its place.
    pub(crate) fn here(&self) -> &str {
        self.at.trim_end()
    }

    /// The place of a field.
    pub(crate) fn at(&self, key: &str) -> String {
        let dot = if self.at.ends_with(' ') { "" } else { "." };
        format!("{}{dot}{key}", self.at)
    }

    /// The names of all fields.
    pub(crate) fn keys(&self) -> Vec<&'a str> {
        self.map.into_iter().flat_map(|map| map.keys().map(String::as_str)).collect()
    }

    /// The names of all fields, which all count as read: one note is about all of them.
    pub(crate) fn read_all(&self) -> Vec<&'a str> {
        let keys = self.keys();
        self.read.borrow_mut().extend(keys.iter().map(|key| (*key).to_owned()));
        keys
    }

    /// A field; nothing where it is absent or null.
    pub(crate) fn value(&self, key: &str) -> Option<&'a Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.map?.get(key).filter(|value| !value.is_null())
    }

    /// Whether there is such a field; it does not count as read.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.map.and_then(|map| map.get(key)).is_some_and(|value| !value.is_null())
    }

    /// A text; numbers and booleans as they are written.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(text) => Some(text.clone()),
            value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
            value => self.expected(key, "text", value),
        }
    }

    /// A number, also as text.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        let value = self.value(key)?;
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_f64(),
        };
        match number.filter(|number: &f64| number.is_finite()) {
            Some(number) => Some(number),
            None => self.expected(key, "a number", value),
        }
    }

    /// A whole number, also as text.
    pub(crate) fn whole(&self, key: &str) -> Option<i64> {
        let value = self.value(key)?;
        let number = match value {
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_i64(),
        };
        match number.filter(|number: &i64| number.unsigned_abs() < 1 << 40) {
            Some(number) => Some(number),
            None => self.expected(key, "a whole number", value),
        }
    }

    pub(crate) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key)? {
            Value::Bool(flag) => Some(*flag),
            value => self.expected(key, "true or false", value),
        }
    }

    /// A length of time; a number is one of seconds.
    pub(crate) fn span(&self, key: &str) -> Option<Duration> {
        let value = self.value(key)?;
        let length = match value {
            Value::String(text) => span::read(text),
            Value::Number(number) => span::read(&number.to_string()),
            _ => None,
        };
        match length {
            Some(length) => Some(length),
            None => self.expected(key, "a duration such as 30s or 5m", value),
        }
    }

    /// The mapping below a field.
    pub(crate) fn below(&self, key: &str) -> Option<Self> {
        self.value(key).map(|value| Self::of(self.at(key), value, self.notes))
    }

    /// The items of a list with their places.
    pub(crate) fn items(&self, key: &str) -> Vec<(String, &'a Value)> {
        match self.value(key) {
            None => vec![],
            Some(Value::Array(items)) => {
                let place = |(index, item)| (format!("{}[{index}]", self.at(key)), item);
                items.iter().enumerate().map(place).collect()
            }
            Some(value) => self.expected(key, "a list", value).unwrap_or_default(),
        }
    }

    /// The items of a list of mappings.
    pub(crate) fn list(&self, key: &str) -> Vec<Self> {
        let items = self.items(key).into_iter();
        items.map(|(at, item)| Self::of(at, item, self.notes)).collect()
    }

    /// Notes every field that was not read, with the reason where one is known.
    pub(crate) fn rest(&self, about: &About, reasons: &Reasons) {
        let read = self.read.borrow();
        for (key, value) in self.map.into_iter().flatten() {
            if read.contains(key) || value.is_null() {
                continue;
            }
            let reason = reasons.iter().find(|(known, _)| known == key).map(|(_, reason)| *reason);
            self.notes.left_out(about.clone(), self.at(key), reason.unwrap_or(NO_COUNTERPART));
        }
    }

    fn expected<T>(&self, key: &str, what: &str, found: &Value) -> Option<T> {
        self.notes.mistake(self.at(key), format!("expected {what}, found {}", shown(found)));
        None
    }
}

/// A value for a message.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        value => value.to_string().chars().take(60).collect(),
    }
}

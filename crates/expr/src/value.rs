//! Values while an expression is evaluated, borrowed from the data where they can be.

use std::borrow::Cow;

use serde_json::Value as Json;

/// A value and, where it was read from the data as it is, the path it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Operand<'a> {
    pub(crate) path: Option<String>,
    pub(crate) value: Value<'a>,
}

#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Number(f64),
    Bool(bool),
    Text(Cow<'a, str>),
    List(Vec<Value<'a>>),
    Array(&'a [Json]),
    Object(&'a serde_json::Map<String, Json>),
    Null,
}

/// Longest text that is shown in full, in characters.
const SHOWN: usize = 120;

impl<'a> Value<'a> {
    pub(crate) fn of(json: &'a Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            // A number beyond the doubles cannot be compared, so it is as good as none.
            Json::Number(number) => {
                number.as_f64().filter(|n| n.is_finite()).map_or(Self::Null, Self::Number)
            }
            Json::String(text) => Self::Text(Cow::Borrowed(text)),
            Json::Array(array) => Self::Array(array),
            Json::Object(object) => Self::Object(object),
        }
    }

    /// What it is, for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Text(_) => "a text",
            Self::List(_) | Self::Array(_) => "a list",
            Self::Object(_) => "an object",
            Self::Null => "null",
        }
    }

    /// How it is shown: scalars as they are, a long text shortened, lists and objects by their size.
    pub(crate) fn shown(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Number(value) => Json::from(*value),
            Self::Text(text) => match text.char_indices().nth(SHOWN) {
                None => Json::from(text.as_ref()),
                Some((end, _)) => Json::from(format!("{}...", &text[..end])),
            },
            Self::List(list) => Json::from(format!("a list of {}", list.len())),
            Self::Array(array) => Json::from(format!("a list of {}", array.len())),
            Self::Object(object) => Json::from(format!("an object of {}", object.len())),
        }
    }

    /// Whether two values are the same; `None` where they are of kinds that have nothing in common.
    #[expect(clippy::float_cmp, reason = "`==` of a rule is exact, as in CEL")]
    pub(crate) fn equals(&self, other: &Value<'_>) -> Option<bool> {
        match (self, other) {
            (Self::Number(left), Value::Number(right)) => Some(left == right),
            (Self::Bool(left), Value::Bool(right)) => Some(left == right),
            (Self::Text(left), Value::Text(right)) => Some(left == right),
            _ => None,
        }
    }
}

impl Operand<'_> {
    /// How messages call it: by its path, or by what it is.
    pub(crate) fn describe(&self) -> String {
        match &self.path {
            Some(path) => format!("{path} is {}", self.value.kind()),
            None => format!("there is {}", self.value.kind()),
        }
    }
}

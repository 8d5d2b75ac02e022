//! What a node of the schema makes, as far as it matters to trees, support vectors and matrices.

use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};

use crate::pickle::{Asks, Metric};

/// Longest text and name of an attribute that are kept, in bytes.
const MAX_TEXT: usize = 32;
/// Attributes of one object that are kept; an object with more is not followed.
const MAX_ATTRIBUTES: usize = 256;
/// Elements of a tuple that are kept: those of the state of a tree of neighbours.
const MAX_ELEMENTS: usize = 13;

/// A value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) enum Value {
    /// Nothing that is followed.
    #[default]
    Other,
    /// `None`.
    None,
    Number(i64),
    Text(String),
    /// The type `str`.
    KeyType,
    /// A list of so many types `str`, in front of the keys of a dictionary.
    KeyTypes(usize),
    /// An array, which this member holds.
    Array(String),
    /// A sparse matrix, which this member holds.
    Sparse(String),
    Metric(Metric),
    /// What knows the categories of features, up to this one.
    Categories(i32),
    /// The first elements of a tuple.
    Tuple(Vec<Value>),
    /// A dictionary whose keys are texts.
    Attributes(Vec<(String, Value)>),
}

impl Value {
    /// What `json.loads` makes of a text, where that is nothing, a whole number or a short plain text.
    pub(super) fn of_json(text: &str) -> Self {
        if text == "null" {
            return Self::None;
        }
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(number) = text.parse().ok().filter(|_| is_number) {
            return Self::Number(number);
        }
        let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        let is_plain = |text: &&str| text.len() <= MAX_TEXT && !text.contains(['"', '\\']);
        inner.filter(is_plain).map_or(Self::Other, |text| Self::Text(text.to_owned()))
    }

    /// What an object has under a name.
    pub(super) fn attribute(&self, name: &str) -> Option<&Self> {
        let Self::Attributes(attributes) = self else { return None };
        attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// What a node makes, and what trees inside of it that nothing else holds ask for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) value: Value,
    pub(super) asks: Asks,
}

impl Part {
    /// A number that only equal parts have in common.
    pub(super) fn fingerprint(&self) -> [u8; 16] {
        // What is small stands for itself.
        let small = match self.value {
            _ if self.asks.any() => None,
            Value::Other => Some((0, 0)),
            Value::Number(number) => Some((1, number)),
            Value::KeyType => Some((2, 0)),
            Value::None => Some((3, 0)),
            _ => None,
        };
        if let Some((kind, number)) = small {
            return (u128::from(number.cast_unsigned()) << 64 | kind).to_le_bytes();
        }
        let mut hasher = Strong(Sha256::new());
        self.hash(&mut hasher);
        let hash: [u8; 32] = hasher.0.finalize().into();
        std::array::from_fn(|at| hash[at])
    }
}

/// A hash that nobody finds two inputs for.
struct Strong(Sha256);

impl Hasher for Strong {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0
    }
}

/// What has been seen of a container of JSON that is open, by what it may turn out to be.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// What the keys that nodes have lead to.
    pub(super) content: Option<Content>,
    pub(super) key_types: Value,
    pub(super) arguments: Value,
    /// As a dictionary: its keys, and how many there are.
    attributes: Vec<(String, Value)>,
    keys: usize,
    /// As a list: its first elements, how many there are, and how many of them are types `str`.
    elements: Vec<Value>,
    length: usize,
    key_type_count: usize,
    /// What trees inside ask for.
    pub(super) asks: Asks,
}

/// What stands under `content`.
#[derive(Debug)]
pub(super) enum Content {
    /// A text, as the JSON that it is.
    Json(Value),
    Node(Value),
    /// A container that is no node.
    Plain(Box<Inside>),
}

/// A container of JSON that has ended.
#[derive(Debug)]
pub(super) enum Ended {
    Node(Part),
    Plain(Inside),
}

impl Inside {
    /// Takes in what has ended under a key of this object, or as an element of this list.
    pub(super) fn take(&mut self, key: Option<&str>, ended: Ended) {
        let asks = match &ended {
            Ended::Node(part) => part.asks,
            Ended::Plain(inside) => inside.asks,
        };
        self.asks = self.asks.and(asks);
        let Some(key) = key else {
            let value = if let Ended::Node(part) = ended { part.value } else { Value::Other };
            return self.push(value);
        };
        self.keys += 1;
        if let Ended::Node(part) = &ended
            && key.len() <= MAX_TEXT
            && self.attributes.len() < MAX_ATTRIBUTES
        {
            // Nothing that is followed lies in a dictionary of a dictionary.
            let is_deep = matches!(part.value, Value::Attributes(_));
            let value = if is_deep { Value::Other } else { part.value.clone() };
            self.attributes.push((key.to_owned(), value));
        }
        match (key, ended) {
            ("content", Ended::Node(part)) => self.content = Some(Content::Node(part.value)),
            ("content", Ended::Plain(inside)) => self.content = Some(Content::Plain(Box::new(inside))),
            ("key_types", Ended::Node(part)) => self.key_types = part.value,
            ("__reduce__", Ended::Plain(inside)) => {
                let arguments = inside.attributes.into_iter().find(|(key, _)| key == "args");
                self.arguments = arguments.map(|(_, value)| value).unwrap_or_default();
            }
            _ => {}
        }
    }

    fn push(&mut self, value: Value) {
        self.length += 1;
        self.key_type_count += usize::from(value == Value::KeyType);
        if self.elements.len() < MAX_ELEMENTS {
            let is_deep = matches!(value, Value::Attributes(_) | Value::Tuple(_));
            self.elements.push(if is_deep { Value::Other } else { value });
        }
    }

    /// What a list of these elements is.
    pub(super) fn list(&self) -> Value {
        if self.length == self.key_type_count { Value::KeyTypes(self.length) } else { Value::Other }
    }

    pub(super) fn tuple(self) -> Value {
        Value::Tuple(self.elements)
    }

    /// What a dictionary is that has these keys, of which the types are given.
    pub(super) fn dictionary(self, types: &Value) -> Value {
        let is_whole = self.keys <= MAX_ATTRIBUTES && *types == Value::KeyTypes(self.keys);
        if is_whole { Value::Attributes(self.attributes) } else { Value::Other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_a_number_or_a_plain_text() {
        for (text, value) in [
            ("7", Value::Number(7)),
            ("-7", Value::Number(-7)),
            ("\"rbf\"", Value::Text("rbf".to_owned())),
            ("7.0", Value::Other),
            ("+7", Value::Other),
            ("-", Value::Other),
            ("99999999999999999999", Value::Other),
            ("\"\\u0072bf\"", Value::Other),
            ("\"", Value::Other),
            ("null", Value::None),
            ("nul", Value::Other),
        ] {
            assert_eq!(Value::of_json(text), value, "{text}");
        }
    }

    #[test]
    fn only_equal_parts_have_one_fingerprint() {
        let array = |name: &str| Value::Array(name.to_owned());
        let values = [
            Value::Other,
            Value::None,
            Value::Categories(0),
            Value::Number(0),
            Value::Number(1),
            Value::KeyType,
            Value::KeyTypes(0),
            array("a"),
            array("b"),
            Value::Sparse("a".to_owned()),
            Value::Tuple(vec![array("a")]),
            Value::Tuple(vec![array("a"), Value::Other]),
            Value::Attributes(vec![("a".to_owned(), Value::Other)]),
            Value::Attributes(vec![("a".to_owned(), array("a"))]),
        ];
        let parts: Vec<Part> = values
            .iter()
            .flat_map(|value| {
                let asks = [(0, 0), (1, 0), (2, 0), (2, 1)];
                asks.map(|(features, categories)| Part {
                    value: value.clone(),
                    asks: Asks { features, categories },
                })
            })
            .collect();
        for one in &parts {
            for other in &parts {
                assert_eq!(one == other, one.fingerprint() == other.fingerprint(), "{one:?} {other:?}");
            }
        }
    }
}

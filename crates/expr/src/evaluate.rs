//! Evaluation of a [`Node`] over JSON, with a bound on the work and a record of what was read.
//!
//! `&&`, `||`, `all` and `exists` follow CEL: an operand that decides the answer by itself does so whatever
//! the other one is, so a missing value counts only where the answer depends on it.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::{
    error::{ExprError, Place},
    function::number,
    node::{Comparison, Kind, Logic, Node, Quantifier},
    path,
    value::{Operand, Value},
};

/// Most nodes that one evaluation visits, repetitions by `all`, `exists` and `in` included.
pub const MAX_STEPS: usize = 100_000;

/// Most values that are kept to be shown.
pub const MAX_SEEN: usize = 64;

/// What came of an expression over some data.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// True or false; or why there is no answer, [`ExprError::Missing`] where a value was not there.
    pub answer: Result<bool, ExprError>,
    /// Every value that was read, each path once, in the order of reading, at most [`MAX_SEEN`].
    pub saw: Vec<Seen>,
}

/// A value that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Where it was read from, written as an expression would: `metrics["top-5"]`.
    pub path: String,
    /// What was read, `None` where it is missing. Lists and objects are shown by their size.
    pub value: Option<Json>,
}

pub(crate) fn evaluate(text: &str, node: &Node, data: &Json) -> Evaluation {
    let mut evaluator = Evaluator { text, data, scopes: Vec::new(), saw: Vec::new(), steps: 0 };
    let answer = evaluator.operand(node).and_then(|operand| match operand.value {
        Value::Bool(answer) => Ok(answer),
        _ => Err(ExprError::NotBoolean { found: operand.value.kind().to_owned() }),
    });
    Evaluation { answer, saw: evaluator.saw }
}

struct Evaluator<'a> {
    text: &'a str,
    data: &'a Json,
    /// Loop variables in scope, innermost last.
    scopes: Vec<(&'a str, Operand<'a>)>,
    saw: Vec<Seen>,
    steps: usize,
}

/// Where a chain of names and keys leads.
enum Location<'a> {
    At(Operand<'a>),
    Missing(String),
}

impl<'a> Evaluator<'a> {
    fn operand(&mut self, node: &'a Node) -> Result<Operand<'a>, ExprError> {
        self.step()?;
        let value = match &node.kind {
            Kind::Number(value) => Value::Number(*value),
            Kind::Text(text) => Value::Text(Cow::Borrowed(text)),
            Kind::Bool(value) => Value::Bool(*value),
            Kind::List(nodes) => {
                Value::List(nodes.iter().map(|node| Ok(self.operand(node)?.value)).collect::<Result<_, _>>()?)
            }
            Kind::Name(_) | Kind::Member(..) => return self.read(node),
            Kind::Has(base, key) => self.has(base, key, node.at)?,
            Kind::Not(inner) => Value::Bool(!self.boolean(inner, "!")?),
            Kind::Negate(inner) => Value::Number(-self.number(inner)?),
            Kind::Logic(logic, left, right) => {
                let left = self.boolean(left, logic.sign());
                if left == Ok(logic.absorbing()) {
                    Value::Bool(logic.absorbing())
                } else {
                    Value::Bool(fold(*logic, left, self.boolean(right, logic.sign()))?)
                }
            }
            Kind::Choose(condition, yes, no) => {
                let chosen = if self.boolean(condition, "? :")? { yes } else { no };
                return self.operand(chosen);
            }
            Kind::Compare(comparison, left, right) => self.compare(*comparison, left, right, node.at)?,
            Kind::Calculate(calculation, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                let operation = || format!("{left} {} {right}", calculation.sign());
                self.finite(calculation.apply(left, right), operation, node.at)?
            }
            Kind::In(needle, haystack) => self.is_in(needle, haystack, node.at)?,
            Kind::Call(function, nodes) => {
                let operands = nodes.iter().map(|node| self.operand(node)).collect::<Result<Vec<_>, _>>()?;
                function.call(&operands).map_err(|message| self.type_error(message, node.at))?
            }
            Kind::Quantifier(quantifier) => self.quantify(quantifier, node.at)?,
        };
        Ok(Operand { path: None, value })
    }

    /// Reads a chain of names and keys, and notes what was read.
    fn read(&mut self, node: &'a Node) -> Result<Operand<'a>, ExprError> {
        match self.locate(node)? {
            Location::At(operand) => {
                if let Some(path) = &operand.path {
                    self.note(path, Some(operand.value.shown()));
                }
                Ok(operand)
            }
            Location::Missing(path) => {
                self.note(&path, None);
                Err(ExprError::Missing { path })
            }
        }
    }

    fn locate(&mut self, node: &'a Node) -> Result<Location<'a>, ExprError> {
        self.step()?;
        match &node.kind {
            Kind::Name(name) => {
                if let Some((_, operand)) = self.scopes.iter().rev().find(|(variable, _)| variable == name) {
                    return Ok(Location::At(operand.clone()));
                }
                Ok(child(self.data, "", name))
            }
            Kind::Member(base, key) => {
                let base = self.locate(base)?;
                let key = self.operand(key)?;
                self.member(base, &key, node.at)
            }
            _ => self.operand(node).map(Location::At),
        }
    }

    fn member(&self, base: Location<'a>, key: &Operand<'_>, at: usize) -> Result<Location<'a>, ExprError> {
        let base = match (base, &key.value) {
            (Location::At(base), _) => base,
            (Location::Missing(base), Value::Text(key)) => {
                return Ok(Location::Missing(path::member(&base, key)));
            }
            (Location::Missing(base), _) => return Ok(Location::Missing(base)),
        };
        let prefix = base.path.clone().unwrap_or_default();
        match (&base.value, &key.value) {
            (Value::Object(object), Value::Text(key)) => Ok(match object.get(key.as_ref()) {
                Some(json) => found(json, path::member(&prefix, key)),
                None => Location::Missing(path::member(&prefix, key)),
            }),
            (Value::Array(array), Value::Number(number)) => {
                let index = self.index(*number, at)?;
                let path = path::element(&prefix, index);
                Ok(array.get(index).map_or(Location::Missing(path.clone()), |json| found(json, path)))
            }
            (Value::Null, Value::Text(key)) => Ok(Location::Missing(path::member(&prefix, key))),
            _ => {
                let message = format!("{} and has no members by {}", base.describe(), key.value.kind());
                Err(self.type_error(message, at))
            }
        }
    }

    fn index(&self, number: f64, at: usize) -> Result<usize, ExprError> {
        if number >= 0.0 && number.fract() == 0.0 && number < 1e9 {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
            return Ok(number as usize);
        }
        Err(self.type_error(format!("{number} is no position in a list"), at))
    }

    fn has(&mut self, base: &'a Node, key: &'a str, at: usize) -> Result<Value<'a>, ExprError> {
        let base = self.locate(base)?;
        let key = Operand { path: None, value: Value::Text(Cow::Borrowed(key)) };
        Ok(match self.member(base, &key, at)? {
            Location::At(operand) => {
                if let Some(path) = &operand.path {
                    self.note(path, Some(operand.value.shown()));
                }
                Value::Bool(true)
            }
            Location::Missing(path) => {
                self.note(&path, None);
                Value::Bool(false)
            }
        })
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: &'a Node,
        right: &'a Node,
        at: usize,
    ) -> Result<Value<'a>, ExprError> {
        // Both sides are read before the first problem is reported, so that both values are shown.
        let (left, right) = (self.operand(left), self.operand(right));
        let (left, right) = (left?, right?);
        let answer = match (comparison, &left.value, &right.value) {
            (Comparison::Equal, l, r) => l.equals(r),
            (Comparison::NotEqual, l, r) => l.equals(r).map(|same| !same),
            (Comparison::Less, Value::Number(l), Value::Number(r)) => Some(l < r),
            (Comparison::LessOrEqual, Value::Number(l), Value::Number(r)) => Some(l <= r),
            (Comparison::Greater, Value::Number(l), Value::Number(r)) => Some(l > r),
            (Comparison::GreaterOrEqual, Value::Number(l), Value::Number(r)) => Some(l >= r),
            _ => None,
        };
        answer.map(Value::Bool).ok_or_else(|| {
            let (sign, l, r) = (comparison.sign(), left.describe(), right.describe());
            self.type_error(format!("`{sign}` cannot compare them: {l}, {r}"), at)
        })
    }

    fn is_in(&mut self, needle: &'a Node, haystack: &'a Node, at: usize) -> Result<Value<'a>, ExprError> {
        let (needle, haystack) = (self.operand(needle), self.operand(haystack));
        let (needle, haystack) = (needle?, haystack?);
        let among = |value: Value<'_>| needle.value.equals(&value) == Some(true);
        let answer = match &haystack.value {
            Value::List(list) => {
                self.steps += list.len();
                list.iter().cloned().any(among)
            }
            Value::Array(array) => {
                self.steps += array.len();
                array.iter().map(Value::of).any(among)
            }
            Value::Object(object) => {
                matches!(&needle.value, Value::Text(key) if object.contains_key(key.as_ref()))
            }
            _ => {
                let message = format!("{} where a list or an object is needed", haystack.describe());
                return Err(self.type_error(message, at));
            }
        };
        Ok(Value::Bool(answer))
    }

    /// `all` and `exists`. Over nothing they are undecided: CEL's "true for none of none" would let a report
    /// without a single class pass a rule about every class.
    fn quantify(&mut self, quantifier: &'a Quantifier, at: usize) -> Result<Value<'a>, ExprError> {
        let range = self.operand(&quantifier.range)?;
        let path = range.path.clone();
        let elements: Vec<Operand<'a>> = match &range.value {
            Value::Array(array) => array
                .iter()
                .enumerate()
                .map(|(index, json)| Operand {
                    path: path.as_deref().map(|path| path::element(path, index)),
                    value: Value::of(json),
                })
                .collect(),
            Value::Object(object) => object
                .keys()
                .map(|key| Operand { path: None, value: Value::Text(Cow::Borrowed(key)) })
                .collect(),
            Value::List(list) => {
                list.iter().map(|value| Operand { path: None, value: value.clone() }).collect()
            }
            _ => {
                let message = format!("{} where a list or an object is needed", range.describe());
                return Err(self.type_error(message, at));
            }
        };
        if elements.is_empty() {
            let path = path.unwrap_or_else(|| "the list".to_owned());
            return Err(ExprError::Missing { path: format!("any element of {path}") });
        }
        let logic = quantifier.logic;
        let mut answer = Ok(!logic.absorbing());
        for element in elements {
            self.scopes.push((&quantifier.variable, element));
            let next = self.boolean(&quantifier.predicate, logic.sign());
            self.scopes.pop();
            if next == Ok(logic.absorbing()) {
                return Ok(Value::Bool(logic.absorbing()));
            }
            if let Err(ExprError::TooManySteps { .. }) = next {
                return Err(ExprError::TooManySteps { limit: MAX_STEPS });
            }
            answer = fold(logic, answer, next);
        }
        answer.map(Value::Bool)
    }

    fn boolean(&mut self, node: &'a Node, sign: &str) -> Result<bool, ExprError> {
        let operand = self.operand(node)?;
        match operand.value {
            Value::Bool(value) => Ok(value),
            _ => {
                let message = format!("{} where `{sign}` needs true or false", operand.describe());
                Err(self.type_error(message, node.at))
            }
        }
    }

    fn number(&mut self, node: &'a Node) -> Result<f64, ExprError> {
        let operand = self.operand(node)?;
        number(&operand).map_err(|message| self.type_error(message, node.at))
    }

    fn finite(&self, value: f64, operation: impl Fn() -> String, at: usize) -> Result<Value<'a>, ExprError> {
        if value.is_finite() {
            Ok(Value::Number(value))
        } else {
            Err(ExprError::NotFinite { operation: operation(), place: Place::new(self.text, at) })
        }
    }

    fn note(&mut self, path: &str, value: Option<Json>) {
        if self.saw.len() < MAX_SEEN && self.saw.iter().all(|seen| seen.path != path) {
            self.saw.push(Seen { path: path.to_owned(), value });
        }
    }

    fn step(&mut self) -> Result<(), ExprError> {
        self.steps += 1;
        if self.steps > MAX_STEPS { Err(ExprError::TooManySteps { limit: MAX_STEPS }) } else { Ok(()) }
    }

    fn type_error(&self, message: String, at: usize) -> ExprError {
        ExprError::Type { message, place: Place::new(self.text, at) }
    }
}

/// Combines two operands of which the left one does not decide by itself. A missing value outranks another
/// error, because the error may go away once the value is there.
fn fold(
    logic: Logic,
    left: Result<bool, ExprError>,
    right: Result<bool, ExprError>,
) -> Result<bool, ExprError> {
    match (left, right) {
        (_, Ok(right)) if right == logic.absorbing() => Ok(right),
        (Ok(_), right) => right,
        (Err(left), Err(right)) if !left.is_missing() && right.is_missing() => Err(right),
        (Err(left), _) => Err(left),
    }
}

fn child<'a>(json: &'a Json, base: &str, key: &str) -> Location<'a> {
    let path = path::member(base, key);
    match json.get(key) {
        Some(json) => found(json, path),
        None => Location::Missing(path),
    }
}

fn found(json: &Json, path: String) -> Location<'_> {
    Location::At(Operand { path: Some(path), value: Value::of(json) })
}

//! Rules and conditions over JSON values, e.g. `metrics.f1 >= stable.metrics.f1 - 0.01`.
//!
//! The language is the Common Expression Language (CEL, <https://cel.dev>), read by the `cel` crate's parser.
//! A rule decides whether a model goes live, so evaluation is ours and stricter than CEL in four ways:
//! a value that is missing is an answer of its own and never true or false; every number is a double;
//! a result that is not finite is an error; and every value that was read is kept to be shown.
//!
//! Must not know: what the roots (`metrics`, `stable`, ...) mean, or where the values come from.

mod error;
mod evaluate;
mod function;
mod node;
mod parse;
pub mod path;
mod value;

#[cfg(test)]
mod tests;

use serde_json::Value;

pub use error::{ExprError, Place};
pub use evaluate::{Evaluation, MAX_SEEN, MAX_STEPS, Seen};
pub use function::{FUNCTIONS, Function};
pub use parse::{MAX_DEPTH, MAX_LENGTH};

use node::Node;

/// An expression that was read and found to be within the language.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    node: Node,
    roots: Vec<(String, usize)>,
}

impl Expression {
    /// Reads an expression. Nothing is evaluated, so no data is needed.
    ///
    /// # Errors
    /// When the text is empty, longer than [`MAX_LENGTH`], nested deeper than [`MAX_DEPTH`], not CEL, or uses
    /// a part of CEL that is left out; the error knows the place, see [`ExprError::excerpt`].
    pub fn parse(text: &str) -> Result<Self, ExprError> {
        let node = parse::parse(text)?;
        let mut roots = Vec::new();
        node.collect_roots(&mut Vec::new(), &mut roots);
        Ok(Self { text: text.to_owned(), node, roots })
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The roots it reads, e.g. `metrics` and `stable`, each once, in order of appearance.
    pub fn references(&self) -> Vec<&str> {
        self.roots.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Checks that it reads known roots only, so that a typo is found without data.
    ///
    /// # Errors
    /// [`ExprError::UnknownRoot`] for the first root that `known` does not list.
    pub fn require_roots(&self, known: &[&str]) -> Result<(), ExprError> {
        match self.roots.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            None => Ok(()),
            Some((name, at)) => Err(ExprError::UnknownRoot {
                name: name.clone(),
                known: known.join(", "),
                place: Place::new(&self.text, *at),
            }),
        }
    }

    /// Evaluates it over `data`, an object whose members are the roots.
    ///
    /// Takes at most [`MAX_STEPS`] steps, whatever the data.
    pub fn evaluate(&self, data: &Value) -> Evaluation {
        evaluate::evaluate(&self.text, &self.node, data)
    }
}

//! The functions of the language, in one table that also feeds the generated reference.

use std::ops::RangeInclusive;

use crate::value::{Operand, Value};

/// A function or macro as users see it.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub signature: &'static str,
    /// One sentence on what it gives.
    pub summary: &'static str,
    arity: RangeInclusive<usize>,
    call: Call,
}

/// A message that says which value does not fit, and why.
type Refusal = String;

enum Call {
    /// Resolved by the parser.
    Macro,
    Plain(fn(&[Operand<'_>]) -> Result<Value<'static>, Refusal>),
}

/// Every function and macro, in the order of the reference.
pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "has",
        signature: "has(x.key)",
        summary: "Whether `x` has a member `key`; a missing `x` is not an error here.",
        arity: 1..=1,
        call: Call::Macro,
    },
    Function {
        name: "all",
        signature: "xs.all(x, condition)",
        summary: "Whether the condition holds for each element of a list or each key of an object; an empty one is undecided.",
        arity: 3..=3,
        call: Call::Macro,
    },
    Function {
        name: "exists",
        signature: "xs.exists(x, condition)",
        summary: "Whether the condition holds for an element of a list or a key of an object; an empty one is undecided.",
        arity: 3..=3,
        call: Call::Macro,
    },
    Function {
        name: "abs",
        signature: "abs(x)",
        summary: "The number without its sign.",
        arity: 1..=1,
        call: Call::Plain(|of| Ok(Value::Number(number(&of[0])?.abs()))),
    },
    Function {
        name: "min",
        signature: "min(x, y, ...)",
        summary: "The smallest of the numbers.",
        arity: 1..=16,
        call: Call::Plain(|of| fold(of, f64::min)),
    },
    Function {
        name: "max",
        signature: "max(x, y, ...)",
        summary: "The largest of the numbers.",
        arity: 1..=16,
        call: Call::Plain(|of| fold(of, f64::max)),
    },
    Function {
        name: "size",
        signature: "size(x) or x.size()",
        summary: "The number of elements of a list, of members of an object, or of characters of a text.",
        arity: 1..=1,
        call: Call::Plain(size),
    },
    Function {
        name: "startsWith",
        signature: "text.startsWith(part)",
        summary: "Whether the text begins with the part.",
        arity: 2..=2,
        call: Call::Plain(|of| Ok(Value::Bool(text(&of[0])?.starts_with(text(&of[1])?)))),
    },
    Function {
        name: "endsWith",
        signature: "text.endsWith(part)",
        summary: "Whether the text ends with the part.",
        arity: 2..=2,
        call: Call::Plain(|of| Ok(Value::Bool(text(&of[0])?.ends_with(text(&of[1])?)))),
    },
    Function {
        name: "contains",
        signature: "text.contains(part)",
        summary: "Whether the part occurs in the text.",
        arity: 2..=2,
        call: Call::Plain(|of| Ok(Value::Bool(text(&of[0])?.contains(text(&of[1])?)))),
    },
];

/// The function of that name that takes so many arguments.
pub(crate) fn find(name: &str, arguments: usize) -> Option<&'static Function> {
    let callable = |f: &&Function| matches!(f.call, Call::Plain(_)) && f.arity.contains(&arguments);
    FUNCTIONS.iter().filter(callable).find(|function| function.name == name)
}

/// How all of them are written, for error messages.
pub(crate) fn signatures() -> String {
    FUNCTIONS.iter().map(|function| function.signature).collect::<Vec<_>>().join(", ")
}

impl Function {
    /// Calls it with as many arguments as [`find`] was asked for.
    pub(crate) fn call(&self, arguments: &[Operand<'_>]) -> Result<Value<'static>, Refusal> {
        match self.call {
            Call::Plain(function) => function(arguments),
            Call::Macro => Err(format!("`{}` is written {}", self.name, self.signature)),
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

fn fold(operands: &[Operand<'_>], choose: fn(f64, f64) -> f64) -> Result<Value<'static>, Refusal> {
    let mut best = number(&operands[0])?;
    for operand in &operands[1..] {
        best = choose(best, number(operand)?);
    }
    Ok(Value::Number(best))
}

#[expect(clippy::cast_precision_loss, reason = "counts in reports are far below 2^53")]
fn size(operands: &[Operand<'_>]) -> Result<Value<'static>, Refusal> {
    let count = match &operands[0].value {
        Value::List(list) => list.len(),
        Value::Array(array) => array.len(),
        Value::Object(object) => object.len(),
        Value::Text(text) => text.chars().count(),
        Value::Number(_) | Value::Bool(_) | Value::Null => {
            return Err(format!("{} and has no size", operands[0].describe()));
        }
    };
    Ok(Value::Number(count as f64))
}

/// The number in an operand.
pub(crate) fn number(operand: &Operand<'_>) -> Result<f64, Refusal> {
    match operand.value {
        Value::Number(number) => Ok(number),
        _ => Err(format!("{} where a number is needed", operand.describe())),
    }
}

fn text<'o>(operand: &'o Operand<'_>) -> Result<&'o str, Refusal> {
    match &operand.value {
        Value::Text(text) => Ok(text),
        _ => Err(format!("{} where a text is needed", operand.describe())),
    }
}

//! What a condition of theirs says of an answer without a number: NaN, or no series at all.
//!
//! There these are values like others, so that a condition may hold for them without anything having been measured.

use super::{Expr, Operator as O, Quantifier};

/// What a measurement comes to there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Successful,
    Failed,
    Inconclusive,
    Error,
}

#[derive(Debug, Clone, PartialEq)]
enum Value {
    Number(f64),
    Bool(bool),
    Text(String),
    Nil,
    List(Vec<Value>),
}

/// The condition has an error.
struct Broken;

/// What a query with one series that is NaN comes to; `is_list` where series are handed over as a list.
pub(crate) fn of_nan(success: Option<&Expr>, failure: Option<&Expr>, is_list: bool) -> Outcome {
    let nan = Value::Number(f64::NAN);
    outcome(success, failure, &if is_list { Value::List(vec![nan]) } else { nan })
}

/// What a query without a series comes to.
pub(crate) fn of_empty(success: Option<&Expr>, failure: Option<&Expr>, is_list: bool) -> Outcome {
    outcome(success, failure, &if is_list { Value::List(vec![]) } else { Value::Nil })
}

fn outcome(success: Option<&Expr>, failure: Option<&Expr>, result: &Value) -> Outcome {
    let holds = |condition: Option<&Expr>| match condition.map(|condition| value(condition, result, None)) {
        None => Ok(None),
        Some(Ok(Value::Bool(holds))) => Ok(Some(holds)),
        Some(_) => Err(Broken),
    };
    let (Ok(success), Ok(failure)) = (holds(success), holds(failure)) else { return Outcome::Error };
    match (success, failure) {
        (_, Some(true)) | (Some(false), None) => Outcome::Failed,
        (None | Some(true), _) => Outcome::Successful,
        (Some(false), Some(false)) => Outcome::Inconclusive,
    }
}

fn value(expression: &Expr, result: &Value, element: Option<&Value>) -> Result<Value, Broken> {
    let of = |expression: &Expr| value(expression, result, element);
    let truth = |expression: &Expr| match of(expression)? {
        Value::Bool(truth) => Ok(truth),
        _ => Err(Broken),
    };
    Ok(match expression {
        Expr::Number(number) => Value::Number(*number),
        Expr::Text(text) => Value::Text(text.clone()),
        Expr::Bool(truth) => Value::Bool(*truth),
        Expr::Nil => Value::Nil,
        Expr::Result => result.clone(),
        Expr::Element => element.cloned().ok_or(Broken)?,
        Expr::Member(..) => return Err(Broken),
        Expr::Index(list, index) => match (of(list)?, of(index)?) {
            (Value::List(items), Value::Number(at)) => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "the range was checked"
                )]
                let at = if (0.0..1e6).contains(&at) { at as usize } else { return Err(Broken) };
                items.get(at).cloned().ok_or(Broken)?
            }
            _ => return Err(Broken),
        },
        Expr::List(items) => Value::List(items.iter().map(of).collect::<Result<_, _>>()?),
        Expr::Not(inner) => Value::Bool(!truth(inner)?),
        Expr::Negate(inner) => match of(inner)? {
            Value::Number(number) => Value::Number(-number),
            _ => return Err(Broken),
        },
        Expr::Binary(O::And, left, right) => Value::Bool(truth(left)? && truth(right)?),
        Expr::Binary(O::Or, left, right) => Value::Bool(truth(left)? || truth(right)?),
        Expr::Binary(operator, left, right) => binary(*operator, &of(left)?, &of(right)?)?,
        Expr::Choose(condition, yes, no) => {
            if truth(condition)? {
                of(yes)?
            } else {
                of(no)?
            }
        }
        Expr::Call(name, arguments) => {
            let arguments: Vec<Value> = arguments.iter().map(of).collect::<Result<_, _>>()?;
            call(name, &arguments)?
        }
        Expr::Quantifier(quantifier, over, predicate) => {
            let Value::List(items) = of(over)? else { return Err(Broken) };
            let mut holds = vec![];
            for item in &items {
                let Value::Bool(one) = value(predicate, result, Some(item))? else { return Err(Broken) };
                holds.push(one);
            }
            Value::Bool(match quantifier {
                Quantifier::All => holds.iter().all(|one| *one),
                Quantifier::Any => holds.iter().any(|one| *one),
                Quantifier::None => !holds.iter().any(|one| *one),
            })
        }
    })
}

fn binary(operator: O, left: &Value, right: &Value) -> Result<Value, Broken> {
    if let O::Equal | O::NotEqual = operator {
        return Ok(Value::Bool((left == right) == (operator == O::Equal)));
    }
    if let (O::In, Value::List(items)) = (operator, right) {
        return Ok(Value::Bool(items.contains(left)));
    }
    let (Value::Number(left), Value::Number(right)) = (left, right) else { return Err(Broken) };
    Ok(match operator {
        O::Less => Value::Bool(left < right),
        O::LessOrEqual => Value::Bool(left <= right),
        O::Greater => Value::Bool(left > right),
        O::GreaterOrEqual => Value::Bool(left >= right),
        O::Add => Value::Number(left + right),
        O::Subtract => Value::Number(left - right),
        O::Multiply => Value::Number(left * right),
        O::Divide => Value::Number(left / right),
        O::Remainder => Value::Number(left % right),
        _ => return Err(Broken),
    })
}

fn call(name: &str, arguments: &[Value]) -> Result<Value, Broken> {
    #[expect(clippy::cast_precision_loss, reason = "a condition is short")]
    let length = |items: &[Value]| items.len() as f64;
    Ok(match (name, arguments) {
        ("isNaN", [Value::Number(number)]) => Value::Bool(number.is_nan()),
        ("isInf", [Value::Number(number)]) => Value::Bool(number.is_infinite()),
        ("isNil", [of]) => Value::Bool(*of == Value::Nil),
        ("default", [Value::Nil, other]) => other.clone(),
        ("default", [of, _]) => of.clone(),
        ("len", [Value::List(items)]) => Value::Number(length(items)),
        ("abs", [Value::Number(number)]) => Value::Number(number.abs()),
        ("asFloat" | "float", [Value::Number(number)]) => Value::Number(*number),
        _ => return Err(Broken),
    })
}

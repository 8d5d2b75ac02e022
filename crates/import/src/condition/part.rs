//! Parts of a condition of ours, written out with as few parentheses as they need.

use super::{Operator as O, Refusal};

/// Binding strengths of what was written, weakest first.
pub(super) const CHOOSE: u8 = 0;
pub(super) const OR: u8 = 1;
pub(super) const AND: u8 = 2;
pub(super) const COMPARE: u8 = 3;
pub(super) const ADD: u8 = 4;
pub(super) const MULTIPLY: u8 = 5;
pub(super) const UNARY: u8 = 6;
pub(super) const PRIMARY: u8 = 7;

/// A part that is known already, or that is written out.
pub(super) enum Part {
    Known(bool),
    Number(f64),
    Code(String, u8),
}

pub(super) fn both(left: Part, right: Part) -> Part {
    match (left, right) {
        (Part::Known(true), part) | (part, Part::Known(true)) => part,
        (Part::Known(false), _) | (_, Part::Known(false)) => Part::Known(false),
        (left, right) => Part::Code(format!("{} && {}", written(left, AND), written(right, COMPARE)), AND),
    }
}

pub(super) fn either(left: Part, right: Part) -> Part {
    match (left, right) {
        (Part::Known(false), part) | (part, Part::Known(false)) => part,
        (Part::Known(true), _) | (_, Part::Known(true)) => Part::Known(true),
        (left, right) => Part::Code(format!("{} || {}", written(left, OR), written(right, AND)), OR),
    }
}

pub(super) fn negated(part: Part) -> Part {
    match part {
        Part::Known(known) => Part::Known(!known),
        part => Part::Code(format!("!{}", written(part, PRIMARY)), UNARY),
    }
}

#[expect(clippy::float_cmp, reason = "`==` of a condition is exact")]
pub(super) fn compared(operator: O, left: f64, right: f64) -> Option<bool> {
    Some(match operator {
        O::Equal => left == right,
        O::NotEqual => left != right,
        O::Less => left < right,
        O::LessOrEqual => left <= right,
        O::Greater => left > right,
        O::GreaterOrEqual => left >= right,
        _ => return None,
    })
}

/// A part as text, in parentheses where it binds weaker than its place asks for.
pub(super) fn written(part: Part, least: u8) -> String {
    match part {
        Part::Known(known) => known.to_string(),
        Part::Number(number) if number < 0.0 && least > UNARY => format!("({number})"),
        Part::Number(number) => number.to_string(),
        Part::Code(text, strength) if strength < least => format!("({text})"),
        Part::Code(text, _) => text,
    }
}

pub(super) fn quoted(text: &str) -> Result<String, Refusal> {
    if text.contains(char::is_control) {
        return Err("a text holds a control character".to_owned());
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

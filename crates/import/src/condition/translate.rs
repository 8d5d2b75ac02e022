//! From an expression of theirs to one of ours that means the same.

use tagship_expr::Expression;

use super::{
    Expr, Operator as O, Quantifier, Refusal,
    part::{
        ADD, CHOOSE, COMPARE, MULTIPLY, OR, PRIMARY, Part, UNARY, both, compared, either, negated, quoted,
        written,
    },
};

/// What a provider hands to conditions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A list with one number for each series; a lone number where the query is one. Here it is always one number.
    Series,
    /// One number.
    Number,
    /// Whatever a document holds.
    Document,
}

/// A condition of ours.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Translation {
    pub(crate) text: String,
    /// What is different about it, in sentences.
    pub(crate) remarks: Vec<&'static str>,
}

struct Translator {
    shape: Shape,
    /// What stands for `#`.
    element: Option<String>,
    depth: usize,
    reads: bool,
    remarks: Vec<&'static str>,
}

/// Translates a condition.
///
/// # Errors
/// The reason why ours would not mean the same.
pub(crate) fn translate(expression: &Expr, shape: Shape) -> Result<Translation, Refusal> {
    let mut translator = Translator { shape, element: None, depth: 0, reads: false, remarks: vec![] };
    let part = translator.part(expression)?;
    let text = match part {
        Part::Code(text, _) if translator.reads => text,
        _ => return Err("whatever the value is, it says the same".to_owned()),
    };
    let checked = Expression::parse(&text).and_then(|read| read.require_roots(&["result"]));
    checked.map_err(|error| format!("ours does not read `{text}`: {error}"))?;
    Ok(Translation { text, remarks: translator.remarks })
}

impl Translator {
    fn remark(&mut self, remark: &'static str) {
        if !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    fn part(&mut self, expression: &Expr) -> Result<Part, Refusal> {
        Ok(match expression {
            Expr::Number(number) => Part::Number(*number),
            Expr::Bool(known) => Part::Known(*known),
            Expr::Text(text) => Part::Code(quoted(text)?, PRIMARY),
            Expr::Nil => return Err("it reads `nil` where no comparison gives it a meaning".to_owned()),
            Expr::Result => {
                self.reads = true;
                Part::Code("result".to_owned(), PRIMARY)
            }
            Expr::Element => match &self.element {
                Some(element) => Part::Code(element.clone(), PRIMARY),
                None => return Err("`#` stands outside of a predicate".to_owned()),
            },
            Expr::Member(of, name) => self.member(of, name)?,
            Expr::Index(of, index) => self.index(of, index)?,
            Expr::List(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| Ok(written(self.part(item)?, CHOOSE)))
                    .collect::<Result<_, Refusal>>()?;
                Part::Code(format!("[{}]", items.join(", ")), PRIMARY)
            }
            Expr::Not(of) => negated(self.part(of)?),
            Expr::Negate(of) => match self.part(of)? {
                Part::Number(number) => Part::Number(-number),
                part => Part::Code(format!("-{}", written(part, PRIMARY)), UNARY),
            },
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Expr::Choose(condition, yes, no) => {
                let (condition, yes, no) = (self.part(condition)?, self.part(yes)?, self.part(no)?);
                match condition {
                    Part::Known(true) => yes,
                    Part::Known(false) => no,
                    condition => {
                        let condition = written(condition, OR);
                        Part::Code(
                            format!("{condition} ? {} : {}", written(yes, OR), written(no, OR)),
                            CHOOSE,
                        )
                    }
                }
            }
            Expr::Call(name, arguments) => self.call(name, arguments)?,
            Expr::Quantifier(quantifier, over, predicate) => self.quantifier(*quantifier, over, predicate)?,
        })
    }

    fn member(&mut self, of: &Expr, name: &str) -> Result<Part, Refusal> {
        if self.shape != Shape::Document {
            return Err(format!("it reads the member `{name}` of a number"));
        }
        let of = written(self.part(of)?, PRIMARY);
        Ok(Part::Code(format!("{of}.{name}"), PRIMARY))
    }

    fn index(&mut self, of: &Expr, index: &Expr) -> Result<Part, Refusal> {
        match (self.shape, of, index) {
            (Shape::Series, Expr::Result, Expr::Number(number)) if *number == 0.0 => {
                self.reads = true;
                Ok(Part::Code("result".to_owned(), PRIMARY))
            }
            (Shape::Series, Expr::Result, _) => {
                Err("it reads another series than the first, and one value is read here".to_owned())
            }
            (Shape::Document, _, Expr::Number(_) | Expr::Text(_)) => {
                let of = written(self.part(of)?, PRIMARY);
                Ok(Part::Code(format!("{of}[{}]", written(self.part(index)?, CHOOSE)), PRIMARY))
            }
            _ => Err("it takes an element of something that is no list here".to_owned()),
        }
    }

    fn binary(&mut self, operator: O, left: &Expr, right: &Expr) -> Result<Part, Refusal> {
        if let (O::Equal | O::NotEqual, of, Expr::Nil) | (O::Equal | O::NotEqual, Expr::Nil, of) =
            (operator, left, right)
        {
            self.whole(of)?;
            self.remark("an answer without a value is no data here and never reaches the condition");
            return Ok(Part::Known(operator == O::NotEqual));
        }
        let (left, right) = (self.part(left)?, self.part(right)?);
        let (sign, strength) = match operator {
            O::And => return Ok(both(left, right)),
            O::Or => return Ok(either(left, right)),
            O::Contains | O::StartsWith | O::EndsWith => {
                let name = match operator {
                    O::Contains => "contains",
                    O::StartsWith => "startsWith",
                    _ => "endsWith",
                };
                let call = format!("{}.{name}({})", written(left, PRIMARY), written(right, CHOOSE));
                return Ok(Part::Code(call, PRIMARY));
            }
            O::Equal => ("==", COMPARE),
            O::NotEqual => ("!=", COMPARE),
            O::Less => ("<", COMPARE),
            O::LessOrEqual => ("<=", COMPARE),
            O::Greater => (">", COMPARE),
            O::GreaterOrEqual => (">=", COMPARE),
            O::In => ("in", COMPARE),
            O::Add => ("+", ADD),
            O::Subtract => ("-", ADD),
            O::Multiply => ("*", MULTIPLY),
            O::Divide => ("/", MULTIPLY),
            O::Remainder => ("%", MULTIPLY),
        };
        if let (Part::Number(left), Part::Number(right)) = (&left, &right)
            && let Some(known) = compared(operator, *left, *right)
        {
            return Ok(Part::Known(known));
        }
        // Comparisons do not chain, and the right operand of the same strength keeps its parentheses.
        let least = if strength == COMPARE { ADD } else { strength };
        Ok(Part::Code(format!("{} {sign} {}", written(left, least), written(right, strength + 1)), strength))
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) -> Result<Part, Refusal> {
        match (name, arguments) {
            ("isNaN" | "isInf" | "isNil", [of]) => {
                self.whole(of)?;
                self.remark(match name {
                    "isInf" => "an infinite value is an error here, whatever the condition says of it",
                    "isNaN" => "NaN is no data here, whatever the condition says of it",
                    _ => "an answer without a value is no data here, whatever the condition says of it",
                });
                Ok(Part::Known(false))
            }
            ("default", [of, Expr::Number(_) | Expr::Text(_) | Expr::Bool(_)]) => {
                self.whole(of)?;
                self.remark("an answer without a value is no data here; the default does not take its place");
                self.part(of)
            }
            ("asFloat" | "asInt" | "float", [of]) => {
                if self.shape == Shape::Document && matches!(of, Expr::Member(..) | Expr::Index(..)) {
                    self.remark("a number that the document holds as text is an error here; lead `path` to it instead");
                }
                self.part(of)
            }
            ("len", [of]) if self.shape == Shape::Document => {
                let of = written(self.part(of)?, CHOOSE);
                Ok(Part::Code(format!("size({of})"), PRIMARY))
            }
            ("len", [Expr::Result]) if self.shape == Shape::Series => {
                self.remark("one series is read here: none is no data, and several are an error");
                Ok(Part::Number(1.0))
            }
            ("abs", [of]) => {
                let of = written(self.part(of)?, CHOOSE);
                Ok(Part::Code(format!("abs({of})"), PRIMARY))
            }
            ("min" | "max", [_, _, ..]) => {
                let of: Vec<String> = arguments
                    .iter()
                    .map(|argument| Ok(written(self.part(argument)?, CHOOSE)))
                    .collect::<Result<_, Refusal>>()?;
                Ok(Part::Code(format!("{name}({})", of.join(", ")), PRIMARY))
            }
            _ => Err(format!("it calls `{name}`, which has no counterpart")),
        }
    }

    /// That a question about missing values is about the value itself: a member that is missing is an error here.
    fn whole(&self, of: &Expr) -> Result<(), Refusal> {
        let is_value = match of {
            Expr::Result => true,
            Expr::Element => self.shape == Shape::Series,
            Expr::Index(of, index) => {
                self.shape == Shape::Series && **of == Expr::Result && **index == Expr::Number(0.0)
            }
            Expr::Call(name, arguments) if name == "asFloat" || name == "float" => {
                return arguments.first().map_or(Ok(()), |of| self.whole(of));
            }
            _ => false,
        };
        if is_value { Ok(()) } else { Err("it asks whether a part of the answer is missing".to_owned()) }
    }

    fn quantifier(&mut self, quantifier: Quantifier, over: &Expr, predicate: &Expr) -> Result<Part, Refusal> {
        let outer = self.element.clone();
        if self.shape == Shape::Series {
            if *over != Expr::Result {
                return Err("it goes through something that is no list here".to_owned());
            }
            self.reads = true;
            self.remark("one series is read here: none is no data, and several are an error; add them up in the query");
            self.element = Some("result".to_owned());
            let holds = self.part(predicate);
            self.element = outer;
            return Ok(if quantifier == Quantifier::None { negated(holds?) } else { holds? });
        }
        let over = written(self.part(over)?, PRIMARY);
        self.depth += 1;
        let variable = if self.depth == 1 { "x".to_owned() } else { format!("x{}", self.depth) };
        self.element = Some(variable.clone());
        let holds = self.part(predicate);
        (self.element, self.depth) = (outer, self.depth - 1);
        self.remark("over an empty list the condition is an error here");
        let (macro_, holds) = match quantifier {
            Quantifier::All => ("all", holds?),
            Quantifier::Any => ("exists", holds?),
            Quantifier::None => ("all", negated(holds?)),
        };
        Ok(Part::Code(format!("{over}.{macro_}({variable}, {})", written(holds, CHOOSE)), PRIMARY))
    }
}

//! From text to [`Node`]: CEL's grammar by the `cel` crate, minus what has no place in a rule.
//!
//! The only file that names the `cel` crate. Its interpreter is not used, because it cannot tell which values
//! an answer rests on, compares values of different kinds, and lets infinity pass a threshold.

use cel::{
    common::ast::{ComprehensionExpr, Expr, IdedExpr, LiteralValue, SourceInfo, operators},
    parser::{ParseErrors, Parser},
};

use crate::{
    error::{ExprError, Place},
    function,
    node::{Calculation, Comparison, Kind, Logic, Node, Quantifier},
};

/// Most characters of an expression.
pub const MAX_LENGTH: usize = 1000;

/// Most levels of nesting: open brackets, unary operators in a row and `? :`, together.
pub const MAX_DEPTH: usize = 24;

/// Deepest tree: a chain such as `a.b.c` or `a + b + c` counts one level per link.
const MAX_TREE_DEPTH: usize = 100;

/// Stack of the parser's thread in bytes. An unoptimised build takes about 150 kB for each level of nesting
/// and 5 kB for each link of a chain; [`MAX_DEPTH`] and [`MAX_LENGTH`] keep both well below this.
const PARSER_STACK: usize = 32 * 1024 * 1024;

pub(crate) fn parse(text: &str) -> Result<Node, ExprError> {
    if text.trim().is_empty() {
        return Err(ExprError::Empty);
    }
    let length = text.chars().count();
    if length > MAX_LENGTH {
        return Err(ExprError::TooLong { length, limit: MAX_LENGTH });
    }
    refuse_deep_nesting(text)?;
    on_a_large_stack(|| {
        let (tree, source) =
            Parser::new().parse_with_source_info(text).map_err(|errors| syntax_error(text, &errors))?;
        Translation { text, source }.node(tree, 0)
    })
}

/// The parser recurses with large frames, so it gets a stack of its own: whether a text can be read must not
/// depend on the thread that asks.
fn on_a_large_stack(parse: impl FnOnce() -> Result<Node, ExprError> + Send) -> Result<Node, ExprError> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(PARSER_STACK).spawn_scoped(scope, parse);
        let thread = thread.map_err(|error| ExprError::ParserFailed { reason: error.to_string() })?;
        let panicked = "it stopped on this text".to_owned();
        thread.join().unwrap_or(Err(ExprError::ParserFailed { reason: panicked }))
    })
}

/// Bounds the parser's recursion before it sees the text. The count errs on the safe side: it
/// takes brackets inside string literals for real ones.
fn refuse_deep_nesting(text: &str) -> Result<(), ExprError> {
    let (mut depth, mut unary, mut choices) = (0_usize, 0_usize, 0_usize);
    for (offset, character) in text.chars().enumerate() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '?' => choices += 1,
            _ => {}
        }
        match character {
            '!' | '-' => unary += 1,
            _ if character.is_whitespace() => {}
            _ => unary = 0,
        }
        if depth + unary + choices > MAX_DEPTH {
            return Err(ExprError::TooDeep { limit: MAX_DEPTH, place: Place::new(text, offset) });
        }
    }
    Ok(())
}

/// The first thing the parser stumbled over; what follows is usually its consequence.
fn syntax_error(text: &str, errors: &ParseErrors) -> ExprError {
    let (message, line, column) = errors.errors.first().map_or_else(
        || ("not a CEL expression".to_owned(), 1, 1),
        |error| (error.msg.clone(), error.pos.0, error.pos.1),
    );
    let line = usize::try_from(line).unwrap_or(0).saturating_sub(1);
    let column = usize::try_from(column).unwrap_or(0).saturating_sub(1);
    let before: usize = text.split('\n').take(line).map(|line| line.chars().count() + 1).sum();
    // The parser lists every token it would have taken instead; that helps nobody.
    let message = message.split(" expecting {").next().unwrap_or_default();
    ExprError::Syntax {
        message: message.strip_prefix("Syntax error: ").unwrap_or(message).to_owned(),
        place: Place::new(text, before + column),
    }
}

struct Translation<'a> {
    text: &'a str,
    source: SourceInfo,
}

impl Translation<'_> {
    fn node(&self, tree: IdedExpr, depth: usize) -> Result<Node, ExprError> {
        let at = self.offset(tree.id);
        let depth = depth + 1;
        if depth > MAX_TREE_DEPTH {
            return Err(ExprError::TooDeep { limit: MAX_TREE_DEPTH, place: Place::new(self.text, at) });
        }
        let kind = match tree.expr {
            Expr::Literal(literal) => self.literal(literal, at)?,
            Expr::Ident(name) => Kind::Name(name),
            Expr::List(list) => {
                Kind::List(list.elements.into_iter().map(|e| self.node(e, depth)).collect::<Result<_, _>>()?)
            }
            Expr::Select(select) => {
                let operand = Box::new(self.node(*select.operand, depth)?);
                if select.test {
                    Kind::Has(operand, select.field)
                } else {
                    Kind::Member(operand, Box::new(Node { at, kind: Kind::Text(select.field) }))
                }
            }
            Expr::Call(call) => {
                let arguments: Vec<Node> = call
                    .target
                    .map(|target| *target)
                    .into_iter()
                    .chain(call.args)
                    .map(|argument| self.node(argument, depth))
                    .collect::<Result<_, _>>()?;
                self.call(&call.func_name, arguments, at)?
            }
            Expr::Comprehension(comprehension) => self.quantifier(*comprehension, at, depth)?,
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                return Err(self.unsupported("a map or message cannot be made in a rule", at));
            }
        };
        Ok(Node { at, kind })
    }

    #[expect(clippy::cast_precision_loss, reason = "every number of a rule is a double, by definition")]
    fn literal(&self, literal: LiteralValue, at: usize) -> Result<Kind, ExprError> {
        Ok(match literal {
            LiteralValue::Boolean(value) => Kind::Bool(value.into_inner()),
            LiteralValue::Int(value) => Kind::Number(value.into_inner() as f64),
            LiteralValue::UInt(value) => Kind::Number(value.into_inner() as f64),
            LiteralValue::Double(value) if value.inner().is_finite() => Kind::Number(value.into_inner()),
            LiteralValue::String(value) => Kind::Text(value.into_inner()),
            LiteralValue::Double(_) => {
                return Err(self.unsupported("the number is too large", at));
            }
            LiteralValue::Null => {
                return Err(self.unsupported("`null` compares with nothing; ask `has(...)` instead", at));
            }
            LiteralValue::Bytes(_) => {
                return Err(self.unsupported("bytes have no place in a rule; write a text", at));
            }
        })
    }

    fn call(&self, name: &str, arguments: Vec<Node>, at: usize) -> Result<Kind, ExprError> {
        let arguments = match <[Node; 1]>::try_from(arguments) {
            Ok([operand]) => match name {
                operators::LOGICAL_NOT => return Ok(Kind::Not(Box::new(operand))),
                operators::NEGATE => return Ok(Kind::Negate(Box::new(operand))),
                _ => vec![operand],
            },
            Err(arguments) => arguments,
        };
        let arguments = match <[Node; 2]>::try_from(arguments) {
            Ok([left, right]) => match binary(name) {
                Some(make) => return Ok(make(Box::new(left), Box::new(right))),
                None => vec![left, right],
            },
            Err(arguments) => arguments,
        };
        let arguments = match <[Node; 3]>::try_from(arguments) {
            Ok([condition, yes, no]) if name == operators::CONDITIONAL => {
                return Ok(Kind::Choose(Box::new(condition), Box::new(yes), Box::new(no)));
            }
            Ok(arguments) => arguments.into(),
            Err(arguments) => arguments,
        };
        match function::find(name, arguments.len()) {
            Some(function) => Ok(Kind::Call(function, arguments)),
            None => Err(ExprError::UnknownFunction {
                name: name.to_owned(),
                arguments: arguments.len(),
                known: function::signatures(),
                place: Place::new(self.text, at),
            }),
        }
    }

    /// `all` and `exists` reach us expanded into a loop; their fold tells them from the other macros.
    fn quantifier(&self, loop_: ComprehensionExpr, at: usize, depth: usize) -> Result<Kind, ExprError> {
        let refused = || self.unsupported("of the macros only `has`, `all` and `exists` are known", at);
        let Expr::Call(step) = loop_.loop_step.expr else { return Err(refused()) };
        let logic = match step.func_name.as_str() {
            operators::LOGICAL_AND => Logic::And,
            operators::LOGICAL_OR => Logic::Or,
            _ => return Err(refused()),
        };
        let predicate = step.args.into_iter().nth(1).ok_or_else(refused)?;
        Ok(Kind::Quantifier(Box::new(Quantifier {
            logic,
            range: self.node(loop_.iter_range, depth)?,
            variable: loop_.iter_var,
            predicate: self.node(predicate, depth)?,
        })))
    }

    fn offset(&self, id: u64) -> usize {
        self.source.offset_for(id).map_or(0, |(start, _)| usize::try_from(start).unwrap_or(0))
    }

    fn unsupported(&self, what: &str, at: usize) -> ExprError {
        ExprError::Unsupported { what: what.to_owned(), place: Place::new(self.text, at) }
    }
}

/// Makes a node of two operands.
type Binary = fn(Box<Node>, Box<Node>) -> Kind;

/// How to make the node of a binary operator, by CEL's name for it.
fn binary(name: &str) -> Option<Binary> {
    Some(match name {
        operators::INDEX => Kind::Member,
        operators::IN => Kind::In,
        operators::LOGICAL_AND => |l, r| Kind::Logic(Logic::And, l, r),
        operators::LOGICAL_OR => |l, r| Kind::Logic(Logic::Or, l, r),
        operators::EQUALS => |l, r| Kind::Compare(Comparison::Equal, l, r),
        operators::NOT_EQUALS => |l, r| Kind::Compare(Comparison::NotEqual, l, r),
        operators::LESS => |l, r| Kind::Compare(Comparison::Less, l, r),
        operators::LESS_EQUALS => |l, r| Kind::Compare(Comparison::LessOrEqual, l, r),
        operators::GREATER => |l, r| Kind::Compare(Comparison::Greater, l, r),
        operators::GREATER_EQUALS => |l, r| Kind::Compare(Comparison::GreaterOrEqual, l, r),
        operators::ADD => |l, r| Kind::Calculate(Calculation::Add, l, r),
        operators::SUBSTRACT => |l, r| Kind::Calculate(Calculation::Subtract, l, r),
        operators::MULTIPLY => |l, r| Kind::Calculate(Calculation::Multiply, l, r),
        operators::DIVIDE => |l, r| Kind::Calculate(Calculation::Divide, l, r),
        operators::MODULO => |l, r| Kind::Calculate(Calculation::Remainder, l, r),
        _ => return None,
    })
}

//! The tree that is evaluated: what is left of CEL once everything that is left out is refused.

use crate::function::Function;

/// One node and where it stands in the text, in characters.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) at: usize,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Number(f64),
    Text(String),
    Bool(bool),
    List(Vec<Node>),
    /// A root or the variable of an enclosing [`Quantifier`].
    Name(String),
    /// `x.key` and `x["key"]` alike.
    Member(Box<Node>, Box<Node>),
    /// `has(x.key)`.
    Has(Box<Node>, String),
    Not(Box<Node>),
    Negate(Box<Node>),
    Logic(Logic, Box<Node>, Box<Node>),
    Choose(Box<Node>, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    Calculate(Calculation, Box<Node>, Box<Node>),
    In(Box<Node>, Box<Node>),
    Call(&'static Function, Vec<Node>),
    Quantifier(Box<Quantifier>),
}

/// `&&` or `||`; also the two quantifiers, which fold with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Logic {
    And,
    Or,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Calculation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// `range.all(variable, predicate)` with [`Logic::And`], `range.exists(...)` with [`Logic::Or`].
#[derive(Debug, Clone)]
pub(crate) struct Quantifier {
    pub(crate) logic: Logic,
    pub(crate) range: Node,
    pub(crate) variable: String,
    pub(crate) predicate: Node,
}

impl Logic {
    /// The operand that decides the answer by itself: false for "and", true for "or".
    pub(crate) fn absorbing(self) -> bool {
        self == Self::Or
    }

    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::And => "&&",
            Self::Or => "||",
        }
    }
}

impl Comparison {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Calculation {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    pub(crate) fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Remainder => left % right,
        }
    }
}

impl Node {
    /// Adds the roots that this reads, each once with its first place; `bound` are the loop variables in scope.
    pub(crate) fn collect_roots<'a>(&'a self, bound: &mut Vec<&'a str>, roots: &mut Vec<(String, usize)>) {
        match &self.kind {
            Kind::Number(_) | Kind::Text(_) | Kind::Bool(_) => {}
            Kind::Name(name) => {
                if !bound.contains(&name.as_str()) && roots.iter().all(|(known, _)| known != name) {
                    roots.push((name.clone(), self.at));
                }
            }
            Kind::Has(node, _) | Kind::Not(node) | Kind::Negate(node) => node.collect_roots(bound, roots),
            Kind::Member(left, right)
            | Kind::Logic(_, left, right)
            | Kind::Compare(_, left, right)
            | Kind::Calculate(_, left, right)
            | Kind::In(left, right) => {
                left.collect_roots(bound, roots);
                right.collect_roots(bound, roots);
            }
            Kind::Choose(condition, yes, no) => {
                for node in [condition, yes, no] {
                    node.collect_roots(bound, roots);
                }
            }
            Kind::List(nodes) | Kind::Call(_, nodes) => {
                for node in nodes {
                    node.collect_roots(bound, roots);
                }
            }
            Kind::Quantifier(quantifier) => {
                quantifier.range.collect_roots(bound, roots);
                bound.push(&quantifier.variable);
                quantifier.predicate.collect_roots(bound, roots);
                bound.pop();
            }
        }
    }
}

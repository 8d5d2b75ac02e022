//! Conditions in the expression language of Argo Rollouts: read, translated where ours means the same, and asked what
//! they say of an answer without a value.
//!
//! A condition that has no faithful counterpart is refused with the reason; it is never weakened.

mod lex;
mod parse;
mod part;
mod sample;
mod translate;

pub(crate) use parse::parse;
pub(crate) use sample::{Outcome, of_empty, of_nan};
pub(crate) use translate::{Shape, translate};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Bool(bool),
    Nil,
    /// `result`.
    Result,
    /// `#`, the element that a predicate is about.
    Element,
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    List(Vec<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Choose(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    /// `all(list, {...})` and its like.
    Quantifier(Quantifier, Box<Expr>, Box<Expr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Contains,
    StartsWith,
    EndsWith,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantifier {
    All,
    Any,
    None,
}

/// Why a condition is not translated; a fragment that follows "because".
pub(crate) type Refusal = String;

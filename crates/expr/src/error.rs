//! What can be wrong with an expression, and where.

use std::fmt;

/// A place in the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    line_text: String,
}

/// Why an expression is refused, or has no answer for some data.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ExprError {
    /// There is no text.
    #[error("the expression is empty; write a condition such as `metrics.accuracy >= 0.9`")]
    Empty,
    /// More text than anybody writes by hand.
    #[error(
        "the expression has {length} characters, at most {limit} are allowed; split it into several rules"
    )]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        limit: usize,
    },
    /// Nested deeper than anybody reads.
    #[error("the expression is nested more than {limit} levels deep; split it into several rules ({place})")]
    TooDeep {
        /// Levels allowed.
        limit: usize,
        /// Where the limit is passed.
        place: Place,
    },
    /// The parser could not run, or did not survive the text.
    #[error("the parser gave no answer: {reason}; write the expression another way")]
    ParserFailed {
        /// What happened.
        reason: String,
    },
    /// Not CEL.
    #[error("{message} ({place})")]
    Syntax {
        /// What the parser says.
        message: String,
        /// Where.
        place: Place,
    },
    /// CEL, but left out here.
    #[error("{what} ({place})")]
    Unsupported {
        /// What it is, and what to write instead.
        what: String,
        /// Where.
        place: Place,
    },
    /// Reads something that does not exist.
    #[error("there is no `{name}`; known are {known} ({place})")]
    UnknownRoot {
        /// The name as written.
        name: String,
        /// The names there are.
        known: String,
        /// Where.
        place: Place,
    },
    /// Calls something that does not exist, or with the wrong number of arguments.
    #[error("there is no function `{name}` with {arguments} arguments; known are {known} ({place})")]
    UnknownFunction {
        /// The name as written.
        name: String,
        /// How many arguments were given, the value before the dot included.
        arguments: usize,
        /// The signatures there are.
        known: String,
        /// Where.
        place: Place,
    },
    /// A value that the answer depends on is not there.
    #[error("{path} is missing")]
    Missing {
        /// The whole path that was asked for.
        path: String,
    },
    /// An operator or function does not take such a value.
    #[error("{message} ({place})")]
    Type {
        /// Which value, what it is, and what is needed.
        message: String,
        /// Where.
        place: Place,
    },
    /// A calculation gave infinity or no number at all.
    #[error("the result of `{operation}` is not a finite number ({place})")]
    NotFinite {
        /// The operation with its operands.
        operation: String,
        /// Where.
        place: Place,
    },
    /// The answer is not true or false.
    #[error("the expression gives {found}, not true or false; compare it with something")]
    NotBoolean {
        /// What it gives.
        found: String,
    },
    /// Too much work.
    #[error("the expression takes more than {limit} steps over this data")]
    TooManySteps {
        /// Steps allowed.
        limit: usize,
    },
}

impl Place {
    /// The place `offset` characters into `text`; the end of the text where `offset` is beyond it.
    pub(crate) fn new(text: &str, offset: usize) -> Self {
        let mut left = offset;
        let mut last = Self { line: 1, column: 1, line_text: String::new() };
        for (index, line_text) in text.split('\n').enumerate() {
            let length = line_text.chars().count();
            let column = left.min(length) + 1;
            last = Self { line: index + 1, column, line_text: line_text.trim_end_matches('\r').to_owned() };
            if left <= length {
                break;
            }
            left -= length + 1;
        }
        last
    }
}

impl ExprError {
    /// The line that is wrong with a caret under the place, as two lines of text, where there is a place.
    pub fn excerpt(&self) -> Option<String> {
        let place = self.place()?;
        // Tabs stay tabs, so that the caret stands under its character whatever their width.
        let blank = |c: char| if c == '\t' { '\t' } else { ' ' };
        let indent: String = place.line_text.chars().take(place.column - 1).map(blank).collect();
        Some(format!("{}\n{indent}^", place.line_text))
    }

    /// Whether the answer is open only because a value is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. })
    }

    /// Where in the text, for errors that have a place.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::TooDeep { place, .. }
            | Self::Syntax { place, .. }
            | Self::Unsupported { place, .. }
            | Self::UnknownRoot { place, .. }
            | Self::UnknownFunction { place, .. }
            | Self::Type { place, .. }
            | Self::NotFinite { place, .. } => Some(place),
            Self::Empty
            | Self::TooLong { .. }
            | Self::ParserFailed { .. }
            | Self::Missing { .. }
            | Self::NotBoolean { .. }
            | Self::TooManySteps { .. } => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

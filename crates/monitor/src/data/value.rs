//! A cell that is kept.

use std::sync::Arc;

use tagship_domain::Timestamp;
use tagship_ports::Cell;

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Absent,
    /// A number, maybe NaN or infinite.
    Number(f64),
    /// A text, or a truth by its name.
    Text(Arc<str>),
    /// A point in time.
    Time(Timestamp),
}

impl From<Cell<'_>> for Value {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Absent => Self::Absent,
            Cell::Number(number) => Self::Number(number),
            Cell::Text(text) => Self::Text(text.into()),
            Cell::Time(at) => Self::Time(at),
        }
    }
}

/// A cell as a name of what it stands for; absent where it has no value.
pub(super) fn name(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Absent => None,
        Cell::Number(number) if number.is_nan() => None,
        Cell::Number(number) => Some(number.to_string()),
        Cell::Text(text) => Some(text.to_owned()),
        Cell::Time(at) => Some(at.to_string()),
    }
}

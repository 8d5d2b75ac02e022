//! What somebody has said about columns beforehand, which goes before what their values look like.

use std::collections::BTreeMap;

use tagship_ports::{Cell, Holds};

use super::cells::number;

/// Kinds by the names of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared(BTreeMap<String, Holds>);

impl Declared {
    /// What a column was declared to hold.
    #[must_use]
    pub fn of(&self, name: &str) -> Option<Holds> {
        self.0.get(name).copied()
    }

    /// The same, and these columns hold that.
    pub(super) fn with(&self, names: Vec<String>, holds: Holds) -> Self {
        let mut kinds = self.0.clone();
        kinds.extend(names.into_iter().map(|name| (name, holds)));
        Self(kinds)
    }
}

impl FromIterator<(String, Holds)> for Declared {
    fn from_iter<I: IntoIterator<Item = (String, Holds)>>(kinds: I) -> Self {
        Self(kinds.into_iter().collect())
    }
}

/// Tells a cell as a column that was declared to hold this has it: numbers are names of categories there, texts that are
/// numbers numbers, and other texts among numbers no value.
pub(super) fn told(cell: Cell<'_>, holds: Holds, tell: &mut dyn FnMut(Cell<'_>)) {
    match (cell, holds) {
        (Cell::Number(value), Holds::Categories) if value.is_nan() => tell(Cell::Absent),
        (Cell::Number(value), Holds::Categories) => tell(Cell::Text(&value.to_string())),
        (Cell::Text(text), Holds::Numbers) => tell(number(text).map_or(Cell::Absent, Cell::Number)),
        (cell, _) => tell(cell),
    }
}

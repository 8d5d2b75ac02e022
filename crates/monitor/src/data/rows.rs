//! Which rows of a table are looked at.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use tagship_ports::{Cell, Dataset, PortError, Problem};

use super::value::name;

/// Most slices of a column.
const MOST_VALUES: usize = 100;

/// Rows of a table; a bit a row where it is not all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Rows {
    /// All.
    #[default]
    All,
    /// Those whose bit is set.
    Some(Bits),
}

/// A bit a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    rows: u64,
    set: u64,
}

impl Rows {
    /// Whether a row is among them.
    #[must_use]
    pub fn holds(&self, row: u64) -> bool {
        match self {
            Self::All => true,
            Self::Some(bits) => bits.holds(row),
        }
    }

    /// How many of a table's rows they are.
    #[must_use]
    pub fn count(&self, of: u64) -> u64 {
        match self {
            Self::All => of,
            Self::Some(bits) => bits.set,
        }
    }

    /// A range of a table's rows.
    #[must_use]
    pub fn range(of: u64, range: Range<u64>) -> Self {
        let mut bits = Bits::default();
        (0..of).for_each(|row| bits.push(range.contains(&row)));
        Self::Some(bits)
    }
}

impl Bits {
    /// Says of one more row whether it is among them.
    pub(super) fn push(&mut self, is: bool) {
        if self.rows.is_multiple_of(64) {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= u64::from(is) << (self.rows % 64);
        }
        self.rows += 1;
        self.set += u64::from(is);
    }

    fn holds(&self, row: u64) -> bool {
        let word = usize::try_from(row / 64).ok().and_then(|place| self.words.get(place));
        word.is_some_and(|word| word >> (row % 64) & 1 == 1)
    }
}

/// Those of some rows whose column has this value.
///
/// # Errors
/// Where the column cannot be read.
pub fn matching(table: &dyn Dataset, column: &str, value: &str, rows: &Rows) -> Result<Rows, PortError> {
    let (mut bits, mut row) = (Bits::default(), 0);
    table.scan(&[column], &mut |_, cell| {
        bits.push(rows.holds(row) && is(cell, value));
        row += 1;
    })?;
    Ok(Rows::Some(bits))
}

/// The values of a column in some rows, the most frequent first.
///
/// # Errors
/// Where the column cannot be read.
pub fn values(table: &dyn Dataset, column: &str, rows: &Rows) -> Result<Vec<(String, u64)>, PortError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut row = 0;
    table.scan(&[column], &mut |_, cell| {
        if rows.holds(row)
            && counts.len() <= MOST_VALUES
            && let Some(name) = name(cell)
        {
            *counts.entry(name).or_default() += 1;
        }
        row += 1;
    })?;
    if counts.len() > MOST_VALUES {
        let message = format!("the column {column:?} has more than {MOST_VALUES} different values");
        let action = format!("slice {}", table.location());
        let error = PortError::new(Problem::Invalid, action, message);
        return Err(error.hint(format!("name the values, e.g. `{column}=...`")));
    }
    let mut values: Vec<(String, u64)> = counts.into_iter().collect();
    values.sort_by_key(|(_, count)| Reverse(*count));
    Ok(values)
}

fn is(cell: Cell<'_>, value: &str) -> bool {
    match cell {
        Cell::Text(text) => text == value,
        Cell::Number(number) => value.parse() == Ok(number),
        other => name(other).as_deref() == Some(value),
    }
}

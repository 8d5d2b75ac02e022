//! Two tables joined by an id, e.g. predictions and the labels that came later.

use std::collections::{HashMap, HashSet};

use tagship_ports::{Dataset, PortError};

use super::{
    rows::Rows,
    value::{Value, name},
};

/// Pairs of rows that have the same id, in the order of the left table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Joined {
    /// Rows of the left and of the right table.
    pairs: Vec<[u64; 2]>,
    /// Rows of the left side that were looked at.
    pub looked: u64,
    /// Ids that more than one row of a side has; none of these rows is joined, for it is not known which one is meant.
    pub repeated: [u64; 2],
    /// Rows without an id.
    pub nameless: [u64; 2],
}

/// A table, the column of its ids, and which of its rows are looked at.
pub type Keyed<'a> = (&'a dyn Dataset, &'a str, &'a Rows);

/// Joins rows by their ids.
///
/// # Errors
/// Where a column of ids cannot be read.
pub fn join(left: Keyed<'_>, right: Keyed<'_>) -> Result<Joined, PortError> {
    let (one, other) = (ids(left)?, ids(right)?);
    let mut pairs: Vec<[u64; 2]> =
        one.rows.iter().filter_map(|(id, row)| Some([*row, *other.rows.get(id)?])).collect();
    pairs.sort_unstable();
    Ok(Joined {
        pairs,
        looked: left.2.count(left.0.rows()),
        repeated: [one.repeated, other.repeated],
        nameless: [one.nameless, other.nameless],
    })
}

impl Joined {
    /// How many pairs there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pairs.len()
    }

    /// A column of the left table, a value a pair.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn left(&self, table: &dyn Dataset, column: &str) -> Result<Vec<Value>, PortError> {
        self.read(0, table, column)
    }

    /// A column of the right table, a value a pair.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn right(&self, table: &dyn Dataset, column: &str) -> Result<Vec<Value>, PortError> {
        self.read(1, table, column)
    }

    fn read(&self, side: usize, table: &dyn Dataset, column: &str) -> Result<Vec<Value>, PortError> {
        let places: HashMap<u64, usize> =
            self.pairs.iter().enumerate().map(|(place, pair)| (pair[side], place)).collect();
        let mut values = vec![Value::Absent; self.pairs.len()];
        let mut row = 0;
        table.scan(&[column], &mut |_, cell| {
            if let Some(place) = places.get(&row) {
                values[*place] = cell.into();
            }
            row += 1;
        })?;
        Ok(values)
    }
}

/// Rows by their ids.
#[derive(Default)]
struct Ids {
    rows: HashMap<String, u64>,
    repeated: u64,
    nameless: u64,
}

fn ids((table, column, rows): Keyed<'_>) -> Result<Ids, PortError> {
    let mut ids = Ids::default();
    let mut repeated = HashSet::new();
    let mut row = 0;
    table.scan(&[column], &mut |_, cell| {
        if rows.holds(row) {
            match name(cell) {
                None => ids.nameless += 1,
                Some(id) if repeated.contains(&id) => {}
                Some(id) => {
                    if ids.rows.insert(id.clone(), row).is_some() {
                        ids.rows.remove(&id);
                        repeated.insert(id);
                    }
                }
            }
        }
        row += 1;
    })?;
    ids.repeated = repeated.len() as u64;
    Ok(ids)
}

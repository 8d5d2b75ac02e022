//! Rows of data by their columns, wherever they lie.

use tagship_domain::Timestamp;

use crate::PortError;

/// A table that is read some columns at a time, as often as wanted, by several threads at once.
pub trait Dataset: Send + Sync {
    /// Where it is, for messages.
    fn location(&self) -> String;

    /// Its columns, in their order.
    fn columns(&self) -> &[DataColumn];

    /// Its rows.
    fn rows(&self) -> u64;

    /// Whether it lies row by row, so that columns which are read together cost little more than one of them.
    fn is_by_row(&self) -> bool;

    /// Tells every cell of these columns with the column's place among `names`: those of one column in the order of the
    /// rows, one a row, those of different columns in any order. [`crate::Problem::NotFound`] where there is no column
    /// of a name, [`crate::Problem::Unsupported`] where its values are of no kind that a cell has.
    fn scan(&self, names: &[&str], see: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError>;
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataColumn {
    /// Its name.
    pub name: String,
    /// What its cells hold.
    pub holds: Holds,
}

/// What the cells of a column hold beside no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// No row is known to have a value.
    Nothing,
    /// Numbers.
    Numbers,
    /// Texts and truths.
    Categories,
    /// Points in time.
    Times,
    /// Something that cannot be read, e.g. lists.
    Other,
}

/// One value of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Absent,
    /// A number, maybe NaN or infinite.
    Number(f64),
    /// A text, or a truth by its name.
    Text(&'a str),
    /// A point in time.
    Time(Timestamp),
}

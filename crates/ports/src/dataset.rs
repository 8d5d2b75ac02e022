//! Rows of data by their columns, wherever they lie.

use std::collections::BTreeMap;

use crate::PortError;

/// A table that is read column by column, so that only one has to be held.
pub trait Dataset: Send {
    /// Where it is, for messages.
    fn location(&self) -> String;

    /// Its columns, in their order.
    fn columns(&self) -> Vec<String>;

    /// The values of a column. One that cannot be read is an error of its own and says nothing about the others;
    /// [`crate::Problem::NotFound`] where there is none of this name.
    fn read(&mut self, column: &str) -> Result<ColumnValues, PortError>;
}

/// The values of a column. What stands for no value is counted and not among them.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Numbers, NaN and infinities among them.
    Numbers {
        /// One a row, in any order.
        values: Vec<f64>,
        /// Rows without a value.
        absent: u64,
    },
    /// Texts and truths, by how often each is there.
    Categories {
        /// Rows by value.
        counts: BTreeMap<String, u64>,
        /// Rows without a value.
        absent: u64,
    },
    /// No row has a value, so that nothing says what it would be.
    Nothing {
        /// Rows.
        absent: u64,
    },
}

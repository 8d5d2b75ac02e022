//! Rows as monitoring asks for them: some of a table, by time or by their number, and column by column, in memory that
//! does not grow with the table.
//!
//! ```text
//! let rows = "7d".parse::<Window>()?.select(table, Some("at"), until)?;  // which rows
//! let side = sides(table, &["age"], &rows)?;                              // a column for drift
//! ```

mod collect;
mod rows;
#[cfg(test)]
mod tests;
mod value;
mod window;

pub use collect::{measured, sides};
pub use rows::{Bits, Rows, matching, values};
pub use value::Value;
pub use window::{BadWindow, Until, Window};

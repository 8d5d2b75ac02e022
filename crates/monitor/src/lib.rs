//! Is what serves still what was promoted? Today: do the rows that come in look like those that the model was made with?
//!
//! Pure: columns of values come in, documents go out. Must not know: where rows lie, or who is told.

pub mod drift;

//! Is what serves still what was promoted? Do the rows that come in look like those that the model was made with, are its
//! predictions right, does the service keep its objectives, do series change, and what is told about that?
//!
//! Pure: columns of values come in through the port of tables, documents go out. Must not know: where rows lie, or who is told.

pub mod alerts;
pub mod data;
pub mod drift;
pub mod findings;
pub mod history;
pub mod quality;
pub mod slo;
pub mod streams;

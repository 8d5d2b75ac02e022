//! Pickles, judged by running the unpickler's own machine without its effects.
//!
//! The machine executes all 68 opcodes of protocols 0 to 5 on values that only know what they are. Every
//! global that the stream can reach is named exactly and must be on an exact allow-list together with the way
//! it is used; anything that is not understood is a finding. Nothing is imported, called or built.
//!
//! joblib's files are pickles with array bytes in between; see [`inline`].

mod allow;
mod array;
mod arrow;
mod booster;
mod call;
mod container;
mod content;
mod distribution;
mod dtype;
mod excerpt;
mod frame;
mod global;
mod heap;
mod inline;
mod literal;
mod machine;
mod nodes;
mod note;
mod numbers;
mod opcode;
mod operand;
mod plain;
mod scalar;
mod scan;
mod schema;
mod sniff;
mod sparse;
mod stack;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod texts;
mod torch;
mod trust;
mod utf8;
mod value;
mod vectors;

pub(crate) use allow::{is_dangerous, normalise};
pub(crate) use array::Array;
pub(crate) use nodes::{
    asked::{Asks, Owner},
    neighbours::{Metric, Neighbours, is_tree as is_tree_of_neighbours},
    stored::{Field, Tree, categories, is_mapper, is_predictor, is_tree},
};
pub(crate) use scan::{scan_as, scan_one};
pub(crate) use sniff::{executes, reads_on, recognise, runs};
pub(crate) use sparse::{Matrix, stored::Stored, stored::is_sparse};
pub(crate) use stored::Elements;
pub(crate) use torch::{Dialect, Storage};
pub use trust::Unaddable;
pub(crate) use trust::{Standing, Trust, added, check as check_addition, left_out};
pub(crate) use vectors::{Attributes, Learnt, has_vectors};

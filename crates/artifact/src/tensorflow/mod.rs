//! TensorFlow: SavedModel, frozen graphs, and the checkpoints that hold the variables (fields of
//! `tensorflow/core/protobuf` and `core/framework`, TensorFlow 2.21).
//!
//! A graph is a program. What each node of every graph and of the function library does is told by its operator:
//! the ones that read, write, connect or call out are refused, and one that is neither known to compute nor a function
//! of the graph leaves the artifact incomplete.

mod assets;
mod checkpoint;
mod crc32c;
mod graph;
mod known;
mod model;
mod objects;
mod operators;
mod parser;
mod paths;
mod place;
mod recognise;
mod signature;
mod table;
mod tensor;
#[cfg(test)]
mod tests;

pub(crate) use checkpoint::scan as scan_checkpoint;
pub(crate) use known::computes;
pub(crate) use model::{scan_frozen, scan_node, scan_saved_model};
pub(crate) use objects::scan_keras_metadata;
pub(crate) use operators::judge as judge_operator;
pub(crate) use paths::takes_a_path;
pub(crate) use recognise::recognise;

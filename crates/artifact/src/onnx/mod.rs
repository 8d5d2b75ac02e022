//! ONNX models, read from the wire in one pass with memory for names and structure only: tensor bytes are passed
//! over (they are hashed on the way), whatever the size of the file.
//!
//! Field numbers are those of `onnx.proto` (onnx 1.23). A field that it does not define leaves the analysis
//! incomplete: no byte is taken for granted.

mod external;
mod function;
mod graph;
mod kind;
mod model;
mod names;
mod node;
mod operators;
mod opset;
mod parser;
mod provenance;
mod size;
mod sparse;
mod tensor;
#[cfg(test)]
mod tests;
mod types;
mod uses;
mod wire;

pub(crate) use model::{recognise, scan};

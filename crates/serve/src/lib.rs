//! The single-machine model server and golden-case runner of Tagship.
//!
//! [`engine`] runs one ONNX model in this process and is the only place of the whole workspace that names an
//! inference library. Everything else in this crate deals in the engine's own tensors and never sees that library.

pub mod engine;

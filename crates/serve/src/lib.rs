//! The single-machine model server and golden-case runner of Tagship.
//!
//! [`engine`] runs one ONNX model in this process and is the only place of the whole workspace that names an
//! inference library. Everything else in this crate deals in the engine's own tensors and never sees that library.
//! [`server`] answers requests with it, several versions at once; [`golden`] proves that a model file answers as its
//! authors saw it answer.

mod artifact_file;
pub mod engine;
pub mod golden;
mod inference;
pub mod server;

pub use inference::{EngineLoader, Inference, Loader};

//! The seam between the engine and an inference library.
//!
//! A library is one module that turns model bytes into a [`Runnable`]; [`Backend`] names the choices. Validation of
//! requests, panics and the self-test are the engine's and the same for all.

use std::fmt::Debug;
#[cfg(feature = "ort")]
use std::path::PathBuf;

use super::{EngineError, Signature, Tensor};

/// The inference library to load a model with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// Built in, pure Rust.
    #[default]
    Embedded,
    /// onnxruntime, loaded from a shared library of the caller's choice.
    #[cfg(feature = "ort")]
    OnnxRuntime {
        /// Path of `libonnxruntime.so`, `.dylib` or `onnxruntime.dll`, version 1.17 or later.
        library: PathBuf,
    },
}

/// How a loaded model treats the rows of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batching {
    /// Any number of rows in one pass.
    Rows,
    /// The graph runs one row at a time; a request of many rows is looped over.
    OneByOne,
    /// The model fixes its shapes, or axis 0 is no batch.
    Fixed,
}

/// A loaded model, ready to run from any thread.
pub trait Runnable: Send + Sync + Debug {
    /// Inputs and outputs.
    fn signature(&self) -> &Signature;

    /// How the rows of a request are run.
    fn batching(&self) -> Batching;

    /// Answers one request.
    ///
    /// `inputs` are complete, in the order of the signature, and fit it in datatype and shape; the answer is in the
    /// order of the signature and has the declared datatypes.
    ///
    /// # Errors
    /// [`EngineError::Run`] when the library fails.
    fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError>;
}

//! Runs ONNX models in this process: load once, answer from many threads.
//!
//! Invariants: a file is never handed to an inference library unseen. It is checked (operators, shape of every tree),
//! rewritten where the library lacks something, loaded, and tested on rows it has never seen; what does not pass is
//! refused with the reason. A loaded [`Model`] answers as onnxruntime does or it was refused.
//!
//! Must not know: HTTP, routing, versions, golden cases, limits of the process (memory and time are the caller's).

mod backend;
mod embedded;
mod error;
mod model;
#[cfg(feature = "ort")]
mod onnxruntime;
mod self_test;
mod signature;
mod tensor;
mod tensor_json;

#[cfg(test)]
mod tests;

pub use backend::{Backend, Batching, Runnable};
pub use error::{EngineError, ErrorKind};
pub use model::{LoadOptions, Model};
pub use signature::{Signature, TensorSpec};
pub use tensor::{Datatype, Tensor, TensorData};

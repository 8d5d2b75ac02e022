//! The public face: load a model, ask it, from any thread.
//!
//! Invariant: a [`Runnable`] only ever sees requests that fit its signature, and no panic of an inference library
//! passes this file (where the program is built to unwind).

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

use super::{
    EngineError, Signature, Tensor, TensorSpec,
    backend::{Backend, Batching, Runnable},
    embedded,
};

/// A protocol buffer, and so an ONNX file, holds less than 2 GiB; larger weights lie in external data.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// How to load a model.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The inference library.
    pub backend: Backend,
}

/// A loaded, self-tested model. Cheap to clone; clones share the plan.
#[derive(Clone, Debug)]
pub struct Model {
    runnable: Arc<dyn Runnable>,
}

impl Model {
    /// Loads the ONNX file at `path`; external data is looked for beside it and nowhere else.
    ///
    /// # Errors
    /// Any load error of [`EngineError`]; [`EngineError::kind`] tells broken files from unsupported ones.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Self, EngineError> {
        let read = |source| EngineError::Read { path: path.to_owned(), source };
        let size = fs::metadata(path).map_err(read)?.len();
        if size > MAX_FILE_BYTES {
            return Err(EngineError::TooLarge { path: path.to_owned(), size, limit: MAX_FILE_BYTES });
        }
        let bytes = fs::read(path).map_err(read)?;
        Self::from_source(&bytes, Some(path), options)
    }

    /// Loads a model from memory; a model with external data is refused.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8], options: &LoadOptions) -> Result<Self, EngineError> {
        Self::from_source(bytes, None, options)
    }

    fn from_source(bytes: &[u8], file: Option<&Path>, options: &LoadOptions) -> Result<Self, EngineError> {
        let runnable = guarded("load", || match &options.backend {
            Backend::Embedded => embedded::load(bytes, file),
            #[cfg(feature = "ort")]
            Backend::OnnxRuntime { library } => super::onnxruntime::load(bytes, file, library),
        })?;
        Ok(Self { runnable })
    }

    /// What the model takes and gives.
    pub fn signature(&self) -> &Signature {
        self.runnable.signature()
    }

    /// How the rows of a request are run.
    pub fn batching(&self) -> Batching {
        self.runnable.batching()
    }

    /// Answers one request, given in any order of inputs; the answer is in the order of the signature.
    ///
    /// # Errors
    /// A [`ErrorKind::Request`](super::ErrorKind::Request) error when the request does not fit the signature,
    /// [`EngineError::Run`] or [`EngineError::Panicked`] when the model fails on it.
    pub fn run(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        let ordered = in_order(self.signature(), inputs)?;
        guarded("run", || self.runnable.run(&ordered))
    }
}

/// The request's tensors in the order of the signature, each checked against it.
fn in_order(signature: &Signature, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
    let known = || signature.inputs.iter().map(|spec| spec.name.as_str()).collect::<Vec<_>>().join(", ");
    for (at, input) in inputs.iter().enumerate() {
        let reason = if signature.inputs.iter().all(|spec| spec.name != input.name()) {
            "unknown"
        } else if inputs[..at].iter().any(|earlier| earlier.name() == input.name()) {
            "given twice"
        } else {
            continue;
        };
        return Err(EngineError::UnexpectedInput { input: input.name().to_owned(), reason, known: known() });
    }
    let find = |spec: &TensorSpec| {
        let input = inputs.iter().find(|input| input.name() == spec.name);
        let input =
            input.ok_or_else(|| EngineError::MissingInput { input: spec.name.clone(), known: known() })?;
        fits(spec, input).map(|()| input.clone())
    };
    signature.inputs.iter().map(find).collect()
}

fn fits(spec: &TensorSpec, input: &Tensor) -> Result<(), EngineError> {
    if input.datatype() != spec.datatype {
        return Err(EngineError::WrongDatatype {
            input: spec.name.clone(),
            got: input.datatype(),
            wanted: spec.datatype,
        });
    }
    if !spec.accepts(input.shape()) {
        return Err(EngineError::WrongShape {
            input: spec.name.clone(),
            got: input.shape().to_vec(),
            wanted: format!("{:?}", spec.shape()),
        });
    }
    Ok(())
}

/// Runs `work`, turning a panic into an error.
///
/// Inference libraries index into what a file told them; a panic in one must cost one request, not the server. What
/// the panic may leave half-written is dropped with the call: plans are immutable and every run has its own state.
pub(super) fn guarded<T>(
    stage: &'static str,
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(EngineError::Panicked { stage, detail: text.unwrap_or("no message").to_owned() })
    })
}

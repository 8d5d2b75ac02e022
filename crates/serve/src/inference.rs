//! What the server and the golden cases need of an inference engine.
//!
//! The seam keeps routing, limits and drain testable with models that take no time, or too much of it.

use std::{fmt::Debug, path::Path, sync::Arc};

use crate::engine::{EngineError, LoadOptions, Model, Signature, Tensor};

/// A loaded model that answers from any thread.
pub trait Inference: Send + Sync + Debug {
    /// What it takes and gives.
    fn signature(&self) -> &Signature;

    /// Answers one request; inputs in any order, outputs in the order of the signature.
    ///
    /// # Errors
    /// As [`Model::run`].
    fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError>;
}

/// Turns a model file into something that answers.
pub trait Loader: Send + Sync + Debug {
    /// Loads the model at `file`; external data lies beside it.
    ///
    /// # Errors
    /// As [`Model::load`].
    fn load(&self, file: &Path) -> Result<Arc<dyn Inference>, EngineError>;
}

/// Loads with the crate's own engine.
#[derive(Debug, Clone, Default)]
pub struct EngineLoader {
    /// How.
    pub options: LoadOptions,
}

impl Inference for Model {
    fn signature(&self) -> &Signature {
        self.signature()
    }

    fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, EngineError> {
        self.run(inputs)
    }
}

impl Loader for EngineLoader {
    fn load(&self, file: &Path) -> Result<Arc<dyn Inference>, EngineError> {
        Ok(Arc::new(Model::load(file, &self.options)?))
    }
}

//! What can go wrong between a model file and an answer.
//!
//! Invariant: every variant says what, where and what to do next, and [`EngineError::kind`] tells callers whom to
//! blame, so that a server picks its status and a check its exit code without reading messages.

use std::{io, path::PathBuf};

use super::Datatype;

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request: other tensors may work. A server answers 400.
    Request,
    /// The model file is broken or hostile: it will never run. A check rejects it.
    Malformed,
    /// The model may be fine, but this engine cannot run it. A check ends incomplete, never as a pass.
    Unsupported,
    /// The model failed on a well-formed request, or the machine failed. A server answers 500.
    Failed,
}

/// Failure to load or run a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The file could not be read.
    #[error("read model {path}: {source}; check that the path exists and is readable", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        source: io::Error,
    },
    /// The file is larger than the ONNX container allows.
    #[error("read model {path}: {size} bytes, but an ONNX file holds at most {limit}; move the weights to external data", path = path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// The bytes are no ONNX model, or an incomplete one.
    #[error("read the model as ONNX: {detail}; export it again")]
    NotOnnx {
        /// What is wrong.
        detail: String,
    },
    /// A node breaks the rules of its own operator.
    #[error(
        "operator {operator} (node `{node}`) is malformed: {detail}; export the model again, never run this file elsewhere"
    )]
    Malformed {
        /// Operator type.
        operator: String,
        /// Node name, or its first output.
        node: String,
        /// Which rule, with the values.
        detail: String,
    },
    /// An operator that this engine does not run.
    #[error(
        "operator {operator} of domain {domain} (node `{node}`) is not supported; export the model without it or use the onnxruntime backend"
    )]
    UnsupportedOperator {
        /// Operator type.
        operator: String,
        /// Operator domain, `ai.onnx` where the file leaves it empty.
        domain: String,
        /// Node name, or its first output.
        node: String,
    },
    /// A known operator in a form this engine would get wrong.
    #[error(
        "operator {operator} (node `{node}`) is used in an unsupported way: {detail}; use the onnxruntime backend"
    )]
    UnsupportedUse {
        /// Operator type.
        operator: String,
        /// Node name, or its first output.
        node: String,
        /// Which attribute or input, with its value.
        detail: String,
    },
    /// An input or output that has no form in the inference protocol.
    #[error("tensor `{tensor}` {detail}; change the model's inputs and outputs")]
    UnsupportedTensor {
        /// Tensor name.
        tensor: String,
        /// What about it.
        detail: String,
    },
    /// The inference library accepted the operators but could not build or rightly run the graph.
    #[error("load the model: {detail}; export it again or use the onnxruntime backend")]
    Load {
        /// What each attempt met.
        detail: String,
    },
    /// Rows influence each other: a row alone got another answer than the same row among others.
    #[error(
        "the rows of a request are not independent: row {row} of output `{output}` differs when run alone; make axis 0 the batch of every input and output"
    )]
    RowsCoupled {
        /// Output name.
        output: String,
        /// Row number, from 0.
        row: usize,
    },
    /// A tensor whose parts contradict each other.
    #[error("tensor `{tensor}`: {detail}")]
    BadTensor {
        /// Tensor name.
        tensor: String,
        /// The contradiction.
        detail: String,
    },
    /// An input the model does not have, or one given twice.
    #[error("unexpected input `{input}` ({reason}); the model takes: {known}")]
    UnexpectedInput {
        /// The name in the request.
        input: String,
        /// Unknown or repeated.
        reason: &'static str,
        /// The model's inputs, comma separated.
        known: String,
    },
    /// An input the request left out.
    #[error("missing input `{input}`; the model takes: {known}")]
    MissingInput {
        /// The name in the model.
        input: String,
        /// The model's inputs, comma separated.
        known: String,
    },
    /// An input of another datatype.
    #[error("input `{input}` is {got}, the model takes {wanted}")]
    WrongDatatype {
        /// Input name.
        input: String,
        /// In the request.
        got: Datatype,
        /// In the model.
        wanted: Datatype,
    },
    /// An input of another shape.
    #[error("input `{input}` has shape {got:?}, the model takes {wanted} (-1 is any size)")]
    WrongShape {
        /// Input name.
        input: String,
        /// In the request.
        got: Vec<usize>,
        /// In the model, -1 for a dynamic axis.
        wanted: String,
    },
    /// Inputs that disagree on the number of rows.
    #[error(
        "input `{input}` has {got} rows, input `{first}` has {wanted}; send the same number of rows in every input"
    )]
    RowCount {
        /// Input name.
        input: String,
        /// Its rows.
        got: usize,
        /// The input it is compared with.
        first: String,
        /// That input's rows.
        wanted: usize,
    },
    /// The model failed on a valid request.
    #[error(
        "run the model: {detail}; check the values of the request against those the model was trained on"
    )]
    Run {
        /// The library's reason.
        detail: String,
    },
    /// The inference library panicked; the panic was caught.
    #[error("{stage} the model: the inference library panicked ({detail}); use the onnxruntime backend")]
    Panicked {
        /// `load` or `run`.
        stage: &'static str,
        /// The panic message.
        detail: String,
    },
    /// The onnxruntime library could not be loaded.
    #[error("load onnxruntime from {library}: {detail}; name the path of an onnxruntime library 1.17 or later", library = library.display())]
    Library {
        /// Path of the shared library.
        library: PathBuf,
        /// The loader's reason.
        detail: String,
    },
}

impl EngineError {
    /// The library's reason alone, where there is one, for messages that add their own advice.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Load { detail } | Self::Run { detail } => detail.clone(),
            Self::Panicked { detail, .. } => format!("the inference library panicked ({detail})"),
            other => other.to_string(),
        }
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::BadTensor { .. }
            | Self::UnexpectedInput { .. }
            | Self::MissingInput { .. }
            | Self::WrongDatatype { .. }
            | Self::WrongShape { .. }
            | Self::RowCount { .. } => ErrorKind::Request,
            Self::NotOnnx { .. } | Self::Malformed { .. } => ErrorKind::Malformed,
            Self::TooLarge { .. }
            | Self::UnsupportedOperator { .. }
            | Self::UnsupportedUse { .. }
            | Self::UnsupportedTensor { .. }
            | Self::Load { .. }
            | Self::RowsCoupled { .. } => ErrorKind::Unsupported,
            Self::Panicked { stage, .. } if *stage == "load" => ErrorKind::Unsupported,
            Self::Read { .. } | Self::Run { .. } | Self::Panicked { .. } | Self::Library { .. } => {
                ErrorKind::Failed
            }
        }
    }
}

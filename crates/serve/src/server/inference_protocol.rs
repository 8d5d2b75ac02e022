//! The documents of the Open Inference Protocol v2 over HTTP (Linux Foundation), version-aware as the protocol's
//! optional version routes are.
//!
//! The binary tensor extension is not offered; `parameters` are ignored, as the protocol allows.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tagship_domain::{ModelName, Version};

use super::{reply::Problem, table::Arm};
use crate::engine::{Signature, Tensor, TensorSpec};

/// Longest request id, in bytes: ids are kept for feedback.
const MAX_ID: usize = 256;

/// What the protocol calls the runtime and format of a model.
const PLATFORM: &str = "onnx_onnxv1";

#[derive(Deserialize)]
struct InferRequest {
    id: Option<String>,
    inputs: Vec<Tensor>,
    outputs: Option<Vec<RequestedOutput>>,
}

#[derive(Deserialize)]
struct RequestedOutput {
    name: String,
}

#[derive(Serialize)]
struct InferResponse<'a> {
    model_name: &'a ModelName,
    model_version: &'a Version,
    id: &'a str,
    outputs: Vec<&'a Tensor>,
}

/// An answered request.
#[derive(Debug)]
pub(super) struct Answer {
    /// The request's id, or the one it was given.
    pub(super) id: String,
    /// The response, as JSON.
    pub(super) body: Vec<u8>,
    /// What was asked.
    pub(super) inputs: Vec<Tensor>,
    /// All that the model answered, also what the client did not ask for.
    pub(super) outputs: Vec<Tensor>,
    /// How long the model took.
    pub(super) took: Duration,
}

/// Reads a request, lets a version answer it, and writes the response. Takes CPU time: not for an async thread.
pub(super) fn answer(arm: &Arm, request: &[u8], new_id: impl FnOnce() -> String) -> Result<Answer, Problem> {
    let request: InferRequest = serde_json::from_slice(request)
        .map_err(|error| Problem::bad_request(format!("read the inference request: {error}")))?;
    let id = request.id.filter(|id| !id.is_empty()).unwrap_or_else(new_id);
    if id.len() > MAX_ID {
        return Err(Problem::bad_request(format!("the id has {} bytes, {MAX_ID} are the most", id.len())));
    }
    let loaded = arm.loaded.as_ref().map_err(|message| not_ready(arm, message))?;
    let begun = Instant::now();
    let outputs = loaded.infer(&request.inputs)?;
    let took = begun.elapsed();
    let response = InferResponse {
        model_name: &arm.model,
        model_version: &arm.version,
        id: &id,
        outputs: requested(&outputs, request.outputs.as_deref())?,
    };
    let body = serde_json::to_vec(&response)
        .map_err(|error| Problem::new(axum::http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?;
    Ok(Answer { id, body, inputs: request.inputs, outputs, took })
}

/// The outputs in the order the client asked for; all where it did not.
fn requested<'a>(
    outputs: &'a [Tensor],
    wanted: Option<&[RequestedOutput]>,
) -> Result<Vec<&'a Tensor>, Problem> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_empty()) else {
        return Ok(outputs.iter().collect());
    };
    let find = |output: &RequestedOutput| {
        outputs.iter().find(|tensor| tensor.name() == output.name).ok_or_else(|| {
            let known: Vec<&str> = outputs.iter().map(Tensor::name).collect();
            Problem::bad_request(format!(
                "no output {:?}; the model gives: {}",
                output.name,
                known.join(", ")
            ))
        })
    };
    wanted.iter().map(find).collect()
}

fn not_ready(arm: &Arm, message: &str) -> Problem {
    Problem::unavailable(format!("{} {} can't answer: {message}", arm.model, arm.version))
}

/// What `GET /v2` answers.
#[derive(Debug, Serialize)]
pub(super) struct ServerMetadata {
    name: &'static str,
    version: &'static str,
    extensions: [&'static str; 0],
}

impl ServerMetadata {
    pub(super) const THIS: Self =
        Self { name: "tagship", version: env!("CARGO_PKG_VERSION"), extensions: [] };
}

/// What `GET /v2/models/{model}` answers.
#[derive(Debug, Serialize)]
pub(super) struct ModelMetadata<'a> {
    name: &'a ModelName,
    versions: Vec<&'a Version>,
    platform: &'static str,
    inputs: &'a [TensorSpec],
    outputs: &'a [TensorSpec],
}

impl<'a> ModelMetadata<'a> {
    pub(super) fn of(arm: &'a Arm, versions: Vec<&'a Version>) -> Result<Self, Problem> {
        let loaded = arm.loaded.as_ref().map_err(|message| not_ready(arm, message))?;
        let Signature { inputs, outputs } = loaded.signature();
        Ok(Self { name: &arm.model, versions, platform: PLATFORM, inputs, outputs })
    }
}

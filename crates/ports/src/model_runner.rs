//! Running golden cases: on a file in a child process, or against a prepared version's own endpoint.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tagship_domain::{
    Duration, ModelName, Version,
    golden::{Case, GoldenCases, Tensor, Tolerance, judge},
    validation::{GoldenCase, GoldenReport, Status},
};

use crate::{PortError, Problem};

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A model file.
    File(PathBuf),
    /// A version that a target has loaded, whatever its weight.
    Endpoint {
        /// The model.
        model: ModelName,
        /// Its version.
        version: Version,
    },
}

/// Bounds of one run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GoldenBounds {
    /// How far numbers may be apart.
    pub tolerance: Tolerance,
    /// Longest time that one case may take; not checked where absent.
    pub max_latency: Option<Duration>,
}

/// Runs golden cases. A model that cannot be run gives an incomplete report that names the reason; it never
/// passes.
#[async_trait]
pub trait ModelRunner: Send + Sync {
    /// Runs every case once.
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport;
}

/// A request of the Open Inference Protocol v2.
#[derive(Debug, Serialize)]
pub struct InferRequest<'a> {
    /// Every input by name.
    pub inputs: &'a [Tensor],
}

/// The answer to it; other members are ignored.
#[derive(Debug, Deserialize)]
pub struct InferAnswer {
    /// Every output by name.
    pub outputs: Vec<Tensor>,
}

/// Something that answers inference requests, wherever it is.
#[async_trait]
pub trait Endpoint: Send + Sync {
    /// Asks once: the outputs, and how many milliseconds that took. The problem is [`Problem::Invalid`] where it answers
    /// and says no, and another where nobody answers.
    async fn infer(&self, inputs: &[Tensor]) -> (Result<Vec<Tensor>, PortError>, f64);
}

/// Asks an endpoint every case once and judges what it answers. One that cannot be asked gives a report that is no pass.
pub async fn ask_cases(endpoint: &dyn Endpoint, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
    let mut report = GoldenReport { status: Status::Complete, cases: vec![], message: None };
    if cases.cases.is_empty() {
        report.status = Status::Incomplete;
        report.message = Some("there are no golden cases".to_owned());
    }
    // The first call pays for things that no later one pays for; it is not measured.
    if let Some(first) = cases.cases.first() {
        let _ = endpoint.infer(&first.inputs).await;
    }
    for case in &cases.cases {
        match ask_case(endpoint, case, bounds).await {
            Ok(judged) => report.cases.push(judged),
            Err(error) => {
                report.status = Status::Error;
                report.message = Some(error.to_string());
                break;
            }
        }
    }
    report
}

/// An answer that says no is a failed case; no answer at all is an error.
async fn ask_case(
    endpoint: &dyn Endpoint,
    case: &Case,
    bounds: GoldenBounds,
) -> Result<GoldenCase, PortError> {
    let (answered, latency_ms) = endpoint.infer(&case.inputs).await;
    let answer = match &answered {
        Ok(outputs) => Ok(outputs.as_slice()),
        Err(error) if error.problem == Problem::Invalid => Err(error.to_string()),
        Err(error) => return Err(error.clone()),
    };
    Ok(judge(case, answer, latency_ms, bounds.tolerance, bounds.max_latency))
}

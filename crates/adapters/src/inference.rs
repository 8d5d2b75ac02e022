//! The Open Inference Protocol v2, as far as golden cases need it: asking one version's endpoint and judging what it
//! answers.

use std::time::Instant;

use reqwest::{Client, Response, StatusCode};
use serde::{Deserialize, Serialize};
use tagship_domain::{
    golden::{Case, GoldenCases, Tensor, judge},
    serving::Refusal,
    validation::{GoldenCase, GoldenReport, Status},
};
use tagship_ports::{PortError, Problem, model_runner::GoldenBounds};

use crate::http;

/// An answer to an inference request; other members are ignored.
#[derive(Deserialize)]
struct InferAnswer {
    outputs: Vec<Tensor>,
}

#[derive(Serialize)]
struct InferRequest<'a> {
    inputs: &'a [Tensor],
}

/// The endpoint of one version.
pub(crate) struct Endpoint<'a> {
    /// Sends the requests.
    pub(crate) client: &'a Client,
    /// Address of the version, to which `/infer` is added.
    pub(crate) url: &'a str,
    /// What is asked, for errors.
    pub(crate) operation: String,
}

impl Endpoint<'_> {
    /// Runs every case once.
    pub(crate) async fn run(&self, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        let mut report = GoldenReport { status: Status::Complete, cases: vec![], message: None };
        if cases.cases.is_empty() {
            report.status = Status::Incomplete;
            report.message = Some("there are no golden cases".to_owned());
        }
        // The first call pays for things that no later one pays for; it is not measured.
        if let Some(first) = cases.cases.first() {
            let _ = self.infer(&first.inputs).await;
        }
        for case in &cases.cases {
            match self.run_case(case, bounds).await {
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

    /// Asks for one case's answer and judges it. An answer that says no is a failed case; no answer at all is an error.
    async fn run_case(&self, case: &Case, bounds: GoldenBounds) -> Result<GoldenCase, PortError> {
        let started = Instant::now();
        let answer = self.infer(&case.inputs).await;
        let latency_ms = started.elapsed().as_secs_f64() * 1000.0;
        let answer = match &answer {
            Ok(outputs) => Ok(outputs.as_slice()),
            Err(error) if error.problem == Problem::Invalid => Err(error.to_string()),
            Err(error) => return Err(error.clone()),
        };
        Ok(judge(case, answer, latency_ms, bounds.tolerance, bounds.max_latency))
    }

    async fn infer(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, PortError> {
        let url = format!("{}/infer", self.url);
        let sent = self.client.post(url).json(&InferRequest { inputs }).send().await;
        self.answer(sent.map_err(|error| self.unreachable(&error))?).await
    }

    async fn answer(&self, response: Response) -> Result<Vec<Tensor>, PortError> {
        let status = response.status();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        if !status.is_success() {
            return Err(refused(&self.operation, status, &body));
        }
        serde_json::from_slice::<InferAnswer>(&body).map(|answer| answer.outputs).map_err(|error| {
            let message = format!("{} answered something else than a model server: {error}", self.url);
            PortError::new(Problem::Invalid, &self.operation, message)
        })
    }

    fn unreachable(&self, error: &reqwest::Error) -> PortError {
        let message = format!("{}: {}", self.url, http::cause(error));
        PortError::new(Problem::Unreachable, &self.operation, message)
            .hint("check that the version serves the Open Inference Protocol v2 there")
    }
}

/// What a model server's refusal means.
pub(crate) fn refused(operation: &str, status: StatusCode, body: &[u8]) -> PortError {
    let refusal: Option<Refusal> = serde_json::from_slice(body).ok();
    let message = refusal.map_or_else(|| format!("the server answered {status}"), |refusal| refusal.error);
    let problem = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Problem::Denied,
        StatusCode::NOT_FOUND => Problem::NotFound,
        StatusCode::CONFLICT => Problem::Conflict,
        StatusCode::PRECONDITION_FAILED => Problem::Fenced,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Problem::Unreachable
        }
        StatusCode::INSUFFICIENT_STORAGE => Problem::Local,
        _ if status.is_server_error() => Problem::Unreachable,
        _ => Problem::Invalid,
    };
    PortError::new(problem, operation, message)
}

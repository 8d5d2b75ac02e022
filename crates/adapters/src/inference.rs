//! The Open Inference Protocol v2, as far as golden cases need it: asking one version's endpoint and judging what it
//! answers.

use std::time::Instant;

use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode};
use tagship_domain::{
    golden::{GoldenCases, Tensor},
    serving::Refusal,
    validation::GoldenReport,
};
use tagship_ports::{
    PortError, Problem,
    model_runner::{self, GoldenBounds, InferAnswer, InferRequest, ask_cases},
};

use crate::http;

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
        ask_cases(self, cases, bounds).await
    }

    async fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, PortError> {
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

#[async_trait]
impl model_runner::Endpoint for Endpoint<'_> {
    async fn infer(&self, inputs: &[Tensor]) -> (Result<Vec<Tensor>, PortError>, f64) {
        let started = Instant::now();
        let outputs = self.outputs(inputs).await;
        (outputs, started.elapsed().as_secs_f64() * 1000.0)
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

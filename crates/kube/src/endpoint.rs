//! Asking a version's own Service, through the API server, so that golden cases run from wherever the kubeconfig leads to
//! the cluster: the Open Inference Protocol v2.

use std::time::Instant;

use http::{Request, header::CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use tagship_domain::{
    ModelName,
    golden::{Case, GoldenCases, Tensor, judge},
    validation::{GoldenCase, GoldenReport, Status},
};
use tagship_ports::{PortError, Problem, model_runner::GoldenBounds};

use crate::{
    cluster::Namespace,
    failure::{Refusal, refusal},
};

/// A Service of a namespace.
pub(crate) struct Service<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) model: &'a ModelName,
}

/// An answer to an inference request; other members are ignored.
#[derive(Deserialize)]
struct Answer {
    outputs: Vec<Tensor>,
}

#[derive(Serialize)]
struct Question<'a> {
    inputs: &'a [Tensor],
}

impl Service<'_> {
    /// Runs every case once.
    pub(crate) async fn run(
        &self,
        operation: &str,
        cases: &GoldenCases,
        bounds: GoldenBounds,
    ) -> GoldenReport {
        let mut report = GoldenReport { status: Status::Complete, cases: vec![], message: None };
        if cases.cases.is_empty() {
            report.status = Status::Incomplete;
            report.message = Some("there are no golden cases".to_owned());
        }
        // The first call pays for things that no later one pays for; it is not measured.
        if let Some(first) = cases.cases.first() {
            let _ = self.infer(operation, &first.inputs).await;
        }
        for case in &cases.cases {
            match self.run_case(operation, case, bounds).await {
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
    async fn run_case(
        &self,
        operation: &str,
        case: &Case,
        bounds: GoldenBounds,
    ) -> Result<GoldenCase, PortError> {
        let started = Instant::now();
        let answer = self.infer(operation, &case.inputs).await;
        let latency_ms = started.elapsed().as_secs_f64() * 1000.0;
        let answer = match &answer {
            Ok(outputs) => Ok(outputs.as_slice()),
            Err(error) if error.problem == Problem::Invalid => Err(error.to_string()),
            Err(error) => return Err(error.clone()),
        };
        Ok(judge(case, answer, latency_ms, bounds.tolerance, bounds.max_latency))
    }

    async fn infer(&self, operation: &str, inputs: &[Tensor]) -> Result<Vec<Tensor>, PortError> {
        let invalid = |why: String| PortError::new(Problem::Invalid, operation, why);
        let body = serde_json::to_vec(&Question { inputs }).map_err(|error| invalid(error.to_string()))?;
        let path = format!(
            "/api/v1/namespaces/{}/services/http:{}:{}/proxy/v2/models/{}/infer",
            self.namespace.name,
            self.name,
            self.port,
            tagship_domain::serving::path_segment(self.model.as_str()),
        );
        let request = Request::post(path).header(CONTENT_TYPE, "application/json").body(body);
        let request = request.map_err(|error| invalid(error.to_string()))?;
        let client = self.namespace.connection.client().await?;
        let answered = self.namespace.connection.in_time(operation, async {
            client.request::<Answer>(request).await.map_err(|error| refusal(operation, &error))
        });
        match answered.await {
            Ok(answer) => Ok(answer.outputs),
            Err(Refusal::Failed(error)) => Err(error),
            Err(Refusal::Stale) => Err(invalid("the version answered with a conflict".to_owned())),
        }
    }
}

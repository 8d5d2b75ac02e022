//! Asking a version's own Service, through the API server, so that golden cases run from wherever the kubeconfig leads to
//! the cluster: the Open Inference Protocol v2.

use std::time::Instant;

use async_trait::async_trait;
use http::{Request, StatusCode, header::CONTENT_TYPE};
use kube::{Error, client::Body, core::Status};
use serde_json::Value;
use tagship_domain::{ModelName, golden::Tensor};
use tagship_ports::{
    PortError, Problem,
    model_runner::{Endpoint, InferAnswer, InferRequest},
};

use crate::{
    cluster::Namespace,
    failure::{Refusal, refusal},
};

/// Statuses of what stands between here and a version.
const BEFORE: [u16; 5] = [401, 403, 429, 502, 504];

/// A Service of a namespace.
pub(crate) struct Service<'a> {
    pub(crate) namespace: &'a Namespace,
    pub(crate) name: &'a str,
    pub(crate) port: u16,
    pub(crate) model: &'a ModelName,
    /// What is asked, for errors.
    pub(crate) operation: &'a str,
}

#[async_trait]
impl Endpoint for Service<'_> {
    async fn infer(&self, inputs: &[Tensor]) -> (Result<Vec<Tensor>, PortError>, f64) {
        let started = Instant::now();
        let outputs = self.outputs(inputs).await;
        (outputs, started.elapsed().as_secs_f64() * 1000.0)
    }
}

/// What came of asking.
enum Said {
    /// The version's own server did what was asked.
    Yes(String),
    /// It said no, with this status and these words.
    No(StatusCode, String),
    /// There is no pod that could.
    Nobody(Box<Status>),
}

impl Service<'_> {
    /// Whether the model is loaded, as the version's own server says it.
    ///
    /// # Errors
    /// When the cluster does not lead there, or does not let us.
    pub(crate) async fn is_ready(&self) -> Result<bool, PortError> {
        Ok(match self.ask(Request::get(self.path("ready")).body(Vec::new())).await? {
            Said::Yes(said) => says_ready(&said),
            Said::No(..) | Said::Nobody(_) => false,
        })
    }

    async fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, PortError> {
        let body = serde_json::to_vec(&InferRequest { inputs }).map_err(|error| self.invalid(&error))?;
        let request = Request::post(self.path("infer")).header(CONTENT_TYPE, "application/json").body(body);
        match self.ask(request).await? {
            Said::Yes(said) => {
                let answer: InferAnswer =
                    serde_json::from_str(&said).map_err(|error| self.invalid(&error))?;
                Ok(answer.outputs)
            }
            Said::No(status, said) => {
                let problem = if status.is_client_error() { Problem::Invalid } else { Problem::Unreachable };
                let message = format!("the version answered {}: {said}", status.as_u16());
                Err(PortError::new(problem, self.operation, message))
            }
            Said::Nobody(status) => Err(self.refused(&Error::Api(status)).into_error(self.operation)),
        }
    }

    fn path(&self, last: &str) -> String {
        format!(
            "/api/v1/namespaces/{}/services/http:{}:{}/proxy/v2/models/{}/{last}",
            self.namespace.name,
            self.name,
            self.port,
            tagship_domain::serving::path_segment(self.model.as_str()),
        )
    }

    async fn ask(&self, request: http::Result<Request<Vec<u8>>>) -> Result<Said, PortError> {
        let request = request.map_err(|error| self.invalid(&error))?;
        let client = self.namespace.connection.client().await?;
        let asked = self.namespace.connection.in_time(self.operation, async {
            let answer = client.send(request.map(Body::from)).await.map_err(|error| self.refused(&error))?;
            let status = answer.status();
            let body = answer.into_body().collect_bytes().await.map_err(|error| self.refused(&error))?;
            self.read(status, String::from_utf8_lossy(&body).into_owned())
        });
        asked.await.map_err(|refusal| refusal.into_error(self.operation))
    }

    /// What the version's own server says no with is its answer; what keeps us from it is not. The client takes every JSON for a
    /// status of the API server, so that the answer is read here.
    fn read(&self, status: StatusCode, text: String) -> Result<Said, Refusal> {
        if status.is_success() {
            return Ok(Said::Yes(text));
        }
        let told = serde_json::from_str::<Value>(&text).ok().filter(|told| told["kind"] == "Status");
        match told.and_then(|told| serde_json::from_value::<Status>(told).ok()) {
            Some(told) if told.code == 503 => Ok(Said::Nobody(Box::new(told))),
            Some(told) => Err(self.refused(&Error::Api(Box::new(told)))),
            // Versions ask for no login, and do not stand before themselves.
            None if BEFORE.contains(&status.as_u16()) => {
                let told = Status::failure(&text, "").with_code(status.as_u16());
                Err(self.refused(&Error::Api(Box::new(told))))
            }
            None => Ok(Said::No(status, text)),
        }
    }

    fn refused(&self, error: &Error) -> Refusal {
        refusal(self.operation, "services", self.name, error)
    }

    fn invalid(&self, error: &dyn std::fmt::Display) -> PortError {
        PortError::new(Problem::Invalid, self.operation, error.to_string())
    }
}

/// The status alone says it to the Open Inference Protocol; some servers say more (`{"name": "churn", "ready": false}`).
fn says_ready(said: &str) -> bool {
    serde_json::from_str::<Value>(said).map_or(true, |said| said["ready"] != false)
}

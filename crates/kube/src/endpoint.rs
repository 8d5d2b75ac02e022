//! Asking a version's own Service, through the API server, so that golden cases run from wherever the kubeconfig leads to
//! the cluster: the Open Inference Protocol v2.

use std::time::Instant;

use async_trait::async_trait;
use http::{Request, header::CONTENT_TYPE};
use kube::{Error, core::Status};
use tagship_domain::{ModelName, golden::Tensor};
use tagship_ports::{
    PortError, Problem,
    model_runner::{Endpoint, InferAnswer, InferRequest},
};

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

impl Service<'_> {
    async fn outputs(&self, inputs: &[Tensor]) -> Result<Vec<Tensor>, PortError> {
        let operation = self.operation;
        let invalid = |why: String| PortError::new(Problem::Invalid, operation, why);
        let body =
            serde_json::to_vec(&InferRequest { inputs }).map_err(|error| invalid(error.to_string()))?;
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
            client.request::<InferAnswer>(request).await.map_err(|error| self.refused(&error))
        });
        answered.await.map(|answer| answer.outputs).map_err(|refusal| refusal.into_error(operation))
    }

    /// What the version's own server says no with is its answer; what keeps us from it is not.
    fn refused(&self, error: &Error) -> Refusal {
        let refused = |status: &Status| {
            (400..500).contains(&status.code)
                && ![401, 403, 429].contains(&status.code)
                && status.reason != "NotFound"
        };
        match error {
            Error::Api(status) if refused(status) => {
                let message = format!("the version answered {}: {}", status.code, status.message);
                PortError::new(Problem::Invalid, self.operation, message).into()
            }
            other => refusal(self.operation, "services", self.name, other),
        }
    }
}

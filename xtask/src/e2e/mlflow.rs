//! A real MLflow server: what is registered there is deployed, and its alias follows.

use anyhow::Result;

use super::{Ending, Subject, system};
use crate::python::Environment;

/// The server and its client.
const MLFLOW: &str = "mlflow==3.17.2";

pub(super) fn run(subject: &Subject<'_>) -> Result<Ending> {
    let environment = Environment::install(subject.workspace, "e2e-mlflow", &[MLFLOW])?;
    let relay = subject.workspace.path(".github/examples/mlflow-relay.py");
    let words = [environment.path("mlflow"), environment.path("python"), relay];
    let words: Vec<&std::path::Path> = words.iter().map(std::path::PathBuf::as_path).collect();
    system::play(subject, "mlflow_registry.py", &words)?;
    Ok(Ending::Passed)
}

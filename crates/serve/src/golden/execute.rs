//! Golden cases in this process.
//!
//! Only for a process that may be lost: see the module's head.

use std::{path::Path, time::Instant};

use tagship_domain::{
    golden::{Case, GoldenCases, Tensor, judge},
    validation::{GoldenCase, GoldenReport, Status},
};
use tagship_ports::model_runner::GoldenBounds;

use crate::{
    EngineLoader, Inference, Loader, artifact_file,
    engine::{self, ErrorKind},
};

/// Loads the model at `path` (a file, or a directory that holds it) and runs every case once, after one unmeasured
/// call that pays for what no later call pays for.
///
/// A model that the engine refuses gives an incomplete report that names the operator; a broken one an error; wrong,
/// failed or slow answers are failed cases. No cases at all prove nothing and are incomplete.
pub fn execute(path: &Path, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
    execute_with(&EngineLoader::default(), path, cases, bounds)
}

fn execute_with(loader: &dyn Loader, path: &Path, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
    let file = match artifact_file::model_file(path) {
        Ok(file) => file,
        Err(message) => return GoldenReport::unfinished(Status::Error, message),
    };
    let Some(first) = cases.cases.first() else {
        return GoldenReport::unfinished(
            Status::Incomplete,
            "there are no golden cases, so nothing was proven".to_owned(),
        );
    };
    let model = match loader.load(&file) {
        Ok(model) => model,
        Err(error) => {
            let status = match error.kind() {
                ErrorKind::Unsupported | ErrorKind::Request => Status::Incomplete,
                ErrorKind::Malformed | ErrorKind::Failed => Status::Error,
            };
            return GoldenReport::unfinished(status, error.to_string());
        }
    };
    // Should the first case fail, it fails again below and is reported there.
    let _ = ask(&*model, first);
    let cases = cases.cases.iter().map(|case| run(&*model, case, bounds)).collect();
    GoldenReport { status: Status::Complete, cases, message: None }
}

fn run(model: &dyn Inference, case: &Case, bounds: GoldenBounds) -> GoldenCase {
    let (answer, latency_ms) = ask(model, case);
    judge(case, answer.as_deref().map_err(Clone::clone), latency_ms, bounds.tolerance, bounds.max_latency)
}

/// The answer in the form of the cases, and the milliseconds that the model itself took.
fn ask(model: &dyn Inference, case: &Case) -> (Result<Vec<Tensor>, String>, f64) {
    let inputs: Result<Vec<engine::Tensor>, String> = case.inputs.iter().map(convert).collect();
    let inputs = match inputs {
        Ok(inputs) => inputs,
        Err(error) => return (Err(format!("the case has a wrong input: {error}")), 0.0),
    };
    let begun = Instant::now();
    let answer = model.infer(&inputs);
    let latency_ms = begun.elapsed().as_secs_f64() * 1e3;
    let answer = answer.map_err(|error| error.to_string());
    (answer.and_then(|outputs| outputs.iter().map(convert).collect()), latency_ms)
}

/// Between the engine's tensors and the cases': both have the protocol's JSON form.
fn convert<From: serde::Serialize, To: serde::de::DeserializeOwned>(tensor: &From) -> Result<To, String> {
    serde_json::to_value(tensor).and_then(serde_json::from_value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use tagship_domain::{Duration, golden::Tolerance, schema};

    use super::*;

    const BOUNDS: GoldenBounds =
        GoldenBounds { tolerance: Tolerance { absolute: 1e-4, relative: 1e-4 }, max_latency: None };

    fn fixture(name: &str) -> (PathBuf, GoldenCases) {
        let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/models").join(name);
        let cases = schema::from_json(&fs::read_to_string(home.join("golden.json")).unwrap()).unwrap();
        (home.join("model.onnx"), cases)
    }

    #[test]
    fn real_models_answer_as_their_authors_saw() {
        for name in ["churn/v1", "digits-cnn", "digits-forest", "digits-mlp", "wine-logreg"] {
            let (model, cases) = fixture(name);
            let report = execute(&model, &cases, BOUNDS);
            assert_eq!(report.status, Status::Complete, "{name}: {report:?}");
            assert_eq!(report.cases.len(), cases.cases.len());
            assert!(report.cases.iter().all(|case| case.passed), "{name}: {report:?}");
        }
    }

    #[test]
    fn another_answer_a_wrong_input_and_a_slow_answer_fail_their_case() {
        let (model, mut cases) = fixture("wine-logreg");
        cases.cases.truncate(2);
        cases.cases[0].expected[0].data = vec![0.into()];
        cases.cases[1].inputs[0].shape = vec![1, 12];
        let report = execute(&model, &cases, BOUNDS);
        assert_eq!(report.status, Status::Complete);
        let message = |at: usize| report.cases[at].message.clone().unwrap_or_default();
        assert!(!report.cases[0].passed && message(0).contains("expected 0"), "{report:?}");
        assert!(!report.cases[1].passed && message(1).contains("wrong input"), "{report:?}");

        let (model, cases) = fixture("digits-cnn");
        let report =
            execute(&model, &cases, GoldenBounds { max_latency: Some(Duration::from_millis(0)), ..BOUNDS });
        assert!(report.cases.iter().all(|case| !case.passed), "{report:?}");
    }

    #[test]
    fn what_cannot_be_run_is_never_complete() {
        let (model, mut cases) = fixture("wine-logreg");
        let absent = execute(&model.with_file_name("absent.onnx"), &cases, BOUNDS);
        assert_eq!(absent.status, Status::Error);
        let text = execute(&model.with_file_name("golden.json"), &cases, BOUNDS);
        assert_ne!(text.status, Status::Complete, "{text:?}");
        cases.cases.clear();
        assert_eq!(execute(&model, &cases, BOUNDS).status, Status::Incomplete);
    }
}

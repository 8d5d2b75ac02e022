//! What every runner of golden cases must do.

use serde_json::Value;
use tagship_domain::{golden::GoldenCases, validation::Status};

use crate::{
    ModelRunner,
    model_runner::{GoldenBounds, Subject},
};

/// What the suite runs.
#[derive(Debug)]
pub struct RunnerFixture {
    /// A model that can be run.
    pub subject: Subject,
    /// Cases that it passes within `bounds`; each expects at least one output.
    pub cases: GoldenCases,
    /// Bounds of the runs, without a latency bound.
    pub bounds: GoldenBounds,
    /// A subject that cannot be run: no such file, no such version.
    pub absent: Subject,
}

/// Right answers pass, wrong ones fail by name, and what cannot be run is never a pass.
pub async fn model_runner(runner: &dyn ModelRunner, fixture: &RunnerFixture) {
    let RunnerFixture { subject, cases, bounds, absent } = fixture;
    let report = runner.run(subject, cases, *bounds).await;
    assert_eq!(report.status, Status::Complete, "{report:?}");
    let names = |cases: &GoldenCases| cases.cases.iter().map(|case| case.name.clone()).collect::<Vec<_>>();
    let reported: Vec<_> = report.cases.iter().map(|case| case.name.clone()).collect();
    assert_eq!(reported, names(cases), "one entry per case, in order");
    assert!(report.cases.iter().all(|case| case.passed), "{report:?}");

    let mut wrong = cases.clone();
    wrong.cases[0].expected[0].data = vec![Value::String("not this".to_owned())];
    let report = runner.run(subject, &wrong, *bounds).await;
    assert_eq!(report.status, Status::Complete, "{report:?}");
    assert!(!report.cases[0].passed, "an answer that was not expected does not pass");
    assert!(report.cases[0].message.is_some(), "a failed case says what differs");
    assert!(report.cases[1..].iter().all(|case| case.passed), "the other cases are judged on their own");

    let report = runner.run(absent, cases, *bounds).await;
    assert_ne!(report.status, Status::Complete, "what cannot be run is not complete: {report:?}");
    assert!(report.message.is_some(), "and says why");
    let report = runner.run(subject, &GoldenCases { cases: vec![] }, *bounds).await;
    assert_ne!(report.status, Status::Complete, "no case proves nothing: {report:?}");
}

//! A runner whose models are closures.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use tagship_domain::{
    golden::{Case, Comparison, GoldenCases, Tensor, compare},
    validation::{GoldenCase, GoldenReport, Status},
};

use super::{faults::give_way, lock::held};
use crate::{
    ModelRunner,
    model_runner::{GoldenBounds, Subject},
};

/// A model: inputs to outputs, or why it cannot be run.
pub type FakeModel = Arc<dyn Fn(&[Tensor]) -> Result<Vec<Tensor>, String> + Send + Sync>;

/// A runner whose models are closures. A subject that it was not taught cannot be run.
#[derive(Default)]
pub struct FakeModelRunner {
    models: Mutex<Vec<(Subject, FakeModel)>>,
    scripted: Mutex<VecDeque<GoldenReport>>,
    runs: Mutex<u64>,
}

impl FakeModelRunner {
    /// Says what a subject computes.
    pub fn teach(&self, subject: Subject, model: FakeModel) {
        let mut models = held(&self.models);
        models.retain(|(known, _)| *known != subject);
        models.push((subject, model));
    }

    /// Answers the next run with this report, whatever is run.
    pub fn answer_next(&self, report: GoldenReport) {
        held(&self.scripted).push_back(report);
    }

    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        *held(&self.runs)
    }
}

#[async_trait]
impl ModelRunner for FakeModelRunner {
    async fn run(&self, subject: &Subject, cases: &GoldenCases, bounds: GoldenBounds) -> GoldenReport {
        give_way().await;
        *held(&self.runs) += 1;
        if let Some(report) = held(&self.scripted).pop_front() {
            return report;
        }
        let known = held(&self.models).iter().find(|(known, _)| known == subject).map(|(_, m)| m.clone());
        let Some(model) = known else { return incomplete(format!("{subject:?} cannot be run")) };
        let judged: Result<Vec<_>, _> = cases.cases.iter().map(|case| judge(case, &model, bounds)).collect();
        match judged {
            Ok(cases) if cases.is_empty() => incomplete("there are no cases".to_owned()),
            Ok(cases) => GoldenReport { status: Status::Complete, cases, message: None },
            Err(why) => incomplete(why),
        }
    }
}

fn incomplete(why: String) -> GoldenReport {
    GoldenReport { status: Status::Incomplete, cases: vec![], message: Some(why) }
}

fn judge(case: &Case, model: &FakeModel, bounds: GoldenBounds) -> Result<GoldenCase, String> {
    let outputs = model(&case.inputs)?;
    let (passed, max_difference, message) = match compare(&case.expected, &outputs, bounds.tolerance) {
        Comparison::Equal(difference) => (true, difference, None),
        Comparison::Different(what) => (false, None, Some(what)),
    };
    Ok(GoldenCase { name: case.name.clone(), passed, max_difference, latency_ms: 1.0, message })
}

impl fmt::Debug for FakeModelRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let models = held(&self.models);
        let subjects: Vec<_> = models.iter().map(|(subject, _)| subject).collect();
        f.debug_struct("FakeModelRunner").field("models", &subjects).finish_non_exhaustive()
    }
}

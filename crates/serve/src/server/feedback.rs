//! Joins what turned out to be true with what was predicted.

use serde_json::Value;
use tagship_domain::serving::{Accepted, Feedback, FeedbackRecord, LogLine, Outcome};

use super::{
    context::Server,
    metrics::Pair,
    predictions::{Copied, Found, Prediction},
    reply::Problem,
};

/// What feedback says about an answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Judgement {
    /// Labels that agreed.
    correct: u64,
    /// Labels that did not.
    incorrect: u64,
    /// The true labels, where the sender gave them: another version's answer to the request can be judged by them too.
    truth: Option<Vec<Value>>,
}

/// Takes feedback in. Repeating it changes nothing; feedback to an unknown prediction is refused.
pub(super) fn take(server: &Server, feedback: Feedback) -> Result<Accepted, Problem> {
    let found =
        server.predictions.judge(&feedback.model, &feedback.id, |prediction| judge(&feedback, prediction))?;
    match found {
        Found::Waiting(prediction, judgement) => {
            prediction.metrics.by(prediction.route).judged(judgement.correct, judgement.incorrect);
            if let Copied::Answered { metrics, labels } = &prediction.copy
                && let Some(pair) = pair(&judgement, labels)
            {
                metrics.shadow.judged(pair);
            }
            if let Some(log) = &server.log {
                log.line(LogLine::Feedback(FeedbackRecord {
                    at: server.clock.now(),
                    model: feedback.model,
                    version: prediction.version,
                    id: feedback.id,
                    correct: judgement.incorrect == 0,
                    label: feedback.label,
                }));
            }
            Ok(Accepted { result: Outcome::Applied })
        }
        Found::Unknown => Err(Problem::not_found(format!(
            "no prediction {:?} of {} is remembered; it was made by another server, or too long ago",
            feedback.id, feedback.model
        ))),
        Found::Judged => Ok(Accepted { result: Outcome::AlreadyThere }),
    }
}

fn judge(feedback: &Feedback, prediction: &Prediction) -> Result<Judgement, Problem> {
    let agreed = |correct: bool| Judgement {
        correct: u64::from(correct),
        incorrect: u64::from(!correct),
        truth: None,
    };
    match (feedback.correct, &feedback.label) {
        (Some(correct), None) => Ok(agreed(correct)),
        (None, Some(label)) => {
            let Some(predicted) = &prediction.labels else {
                return Err(Problem::bad_request(
                    "this answer has no labels to compare with; send `correct` instead of `label`",
                ));
            };
            let truth = match label {
                Value::Array(rows) => rows.as_slice(),
                one => std::slice::from_ref(one),
            };
            if truth.len() != predicted.len() {
                return Err(Problem::bad_request(format!(
                    "the answer has {} labels, the feedback {}; send one per row",
                    predicted.len(),
                    truth.len()
                )));
            }
            let correct =
                truth.iter().zip(predicted).filter(|(truth, label)| same(truth, label)).count() as u64;
            Ok(Judgement { correct, incorrect: truth.len() as u64 - correct, truth: Some(truth.to_vec()) })
        }
        _ => Err(Problem::bad_request("send either `correct` or `label`")),
    }
}

/// Which of two versions was wrong about a request, by the labels of the one that did not answer for real. Absent where
/// the sender judged the answer instead of giving the label: that says nothing about another answer.
pub(super) fn pair(judgement: &Judgement, copy: &[Value]) -> Option<Pair> {
    let truth = judgement.truth.as_deref()?;
    let is_right =
        truth.len() == copy.len() && truth.iter().zip(copy).all(|(truth, label)| same(truth, label));
    Some(match (judgement.incorrect == 0, is_right) {
        (true, true) => Pair::BothRight,
        (false, false) => Pair::BothWrong,
        (false, true) => Pair::OnlyStableWrong,
        (true, false) => Pair::OnlyCandidateWrong,
    })
}

/// Numbers are the same by value: a client may write 1 as 1.0.
#[allow(clippy::float_cmp, reason = "labels are names that look like numbers; a near one is another one")]
fn same(truth: &Value, label: &Value) -> bool {
    truth == label || matches!((truth.as_f64(), label.as_f64()), (Some(truth), Some(label)) if truth == label)
}

//! Predictions that wait for feedback.
//!
//! Bounded: the oldest are forgotten first, and a prediction keeps its labels only where they are few. An id that a
//! client used twice means its newest prediction.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::Value;
use tagship_domain::{ModelName, Version};

use super::{
    feedback::Judgement,
    metrics::{ArmMetrics, Route},
    mirror::Original,
};
use crate::engine::{Tensor, TensorData};

/// A prediction of more labels than this can only be judged by its sender.
const MAX_LABELS: usize = 64;
/// Longest text label that is kept, in bytes.
const MAX_TEXT: usize = 256;

/// What is remembered of a prediction.
#[derive(Debug, Clone)]
pub(super) struct Prediction {
    /// The version that answered.
    pub(super) version: Version,
    /// How the request came to it.
    pub(super) route: Route,
    /// Its counters.
    pub(super) metrics: Arc<ArmMetrics>,
    /// One label per row, where the model gives labels.
    pub(super) labels: Option<Vec<Value>>,
    /// What a shadow version says to the same request.
    pub(super) copy: Copied,
}

/// What a shadow version says to a request.
#[derive(Debug, Clone)]
pub(super) enum Copied {
    /// It is not asked.
    No,
    /// It may still answer.
    Waits,
    /// It answered with labels.
    Answered { metrics: Arc<ArmMetrics>, labels: Vec<Value> },
}

/// What looking a prediction up gave.
#[derive(Debug)]
pub(super) enum Found {
    /// It waited; this is it and what was judged of it.
    Waiting(Prediction, Judgement),
    /// Feedback came before.
    Judged,
    /// It was never made here, or is forgotten.
    Unknown,
}

/// The newest predictions, by model and id.
#[derive(Debug)]
pub(super) struct Predictions {
    capacity: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<Arc<str>, Entry>,
    order: VecDeque<(u64, Arc<str>)>,
    made: u64,
}

#[derive(Debug)]
struct Entry {
    number: u64,
    /// Absent once feedback came.
    prediction: Option<Prediction>,
    /// What the feedback said, kept for a shadow version that has not answered yet.
    judgement: Option<Judgement>,
}

impl Predictions {
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, inner: Mutex::default() }
    }

    /// Remembers a prediction and answers its number.
    pub(super) fn insert(&self, model: &ModelName, id: &str, prediction: Prediction) -> u64 {
        let key = key(model, id);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.made += 1;
        let number = inner.made;
        inner.order.push_back((number, Arc::clone(&key)));
        inner.entries.insert(key, Entry { number, prediction: Some(prediction), judgement: None });
        if inner.order.len() > self.capacity
            && let Some((number, oldest)) = inner.order.pop_front()
            && inner.entries.get(&oldest).is_some_and(|entry| entry.number == number)
        {
            inner.entries.remove(&oldest);
        }
        number
    }

    /// Notes what a shadow version answered. Where feedback came before, answers what it said, and the labels.
    pub(super) fn copy_answered(
        &self,
        original: &Original,
        metrics: &Arc<ArmMetrics>,
        labels: Option<Vec<Value>>,
    ) -> Option<(Judgement, Vec<Value>)> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = inner.entries.get_mut(&key(&original.model, &original.id));
        let entry = entry.filter(|entry| entry.number == original.number)?;
        match (&mut entry.prediction, labels) {
            (Some(prediction), Some(labels)) => {
                prediction.copy = Copied::Answered { metrics: Arc::clone(metrics), labels };
                None
            }
            (Some(prediction), None) => {
                prediction.copy = Copied::No;
                None
            }
            (None, labels) => entry.judgement.take().zip(labels),
        }
    }

    /// Looks a prediction up. `judge` decides whether the feedback fits it; when it does, the prediction is judged,
    /// once for all.
    pub(super) fn judge<E>(
        &self,
        model: &ModelName,
        id: &str,
        judge: impl FnOnce(&Prediction) -> Result<Judgement, E>,
    ) -> Result<Found, E> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = inner.entries.get_mut(&key(model, id)) else { return Ok(Found::Unknown) };
        let Some(prediction) = entry.prediction.take() else { return Ok(Found::Judged) };
        match judge(&prediction) {
            Ok(judgement) => {
                if matches!(prediction.copy, Copied::Waits) {
                    entry.judgement = Some(judgement.clone());
                }
                Ok(Found::Waiting(prediction, judgement))
            }
            Err(error) => {
                entry.prediction = Some(prediction);
                Err(error)
            }
        }
    }
}

/// A line feed stands in no model name, so keys of different models differ.
fn key(model: &ModelName, id: &str) -> Arc<str> {
    format!("{model}\n{id}").into()
}

/// The output that holds the predicted labels: the first of whole numbers, truth values or texts, one value per row.
pub(super) fn label_output(outputs: &[Tensor]) -> Option<&Tensor> {
    let is_label = |output: &&Tensor| !matches!(output.data(), TensorData::Fp32(_) | TensorData::Fp64(_));
    let output = outputs.iter().find(is_label)?;
    let count = output.data().len();
    (count > 0 && output.rows().is_none_or(|rows| rows == count)).then_some(output)
}

/// The predicted labels, where they are few.
pub(super) fn labels(outputs: &[Tensor]) -> Option<Vec<Value>> {
    fn values<T: Clone + Into<Value>>(values: &[T]) -> Vec<Value> {
        values.iter().cloned().map(Into::into).collect()
    }

    let output = label_output(outputs).filter(|output| output.data().len() <= MAX_LABELS)?;
    match output.data() {
        TensorData::Bool(data) => Some(values(data)),
        TensorData::Uint8(data) => Some(values(data)),
        TensorData::Uint16(data) => Some(values(data)),
        TensorData::Uint32(data) => Some(values(data)),
        TensorData::Uint64(data) => Some(values(data)),
        TensorData::Int8(data) => Some(values(data)),
        TensorData::Int16(data) => Some(values(data)),
        TensorData::Int32(data) => Some(values(data)),
        TensorData::Int64(data) => Some(values(data)),
        TensorData::Bytes(data) => data.iter().all(|text| text.len() <= MAX_TEXT).then(|| values(data)),
        TensorData::Fp32(_) | TensorData::Fp64(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(predictions: &Predictions, id: &str, minor: u64) {
        let prediction = Prediction {
            version: Version::new(1, minor, 0),
            route: Route::Weighted,
            metrics: Arc::default(),
            labels: None,
            copy: Copied::No,
        };
        predictions.insert(&model(), id, prediction);
    }

    fn model() -> ModelName {
        ModelName::new("churn").unwrap()
    }

    fn look(predictions: &Predictions, id: &str) -> Option<Version> {
        match predictions.judge::<()>(&model(), id, |_| Ok(Judgement::default())).unwrap() {
            Found::Waiting(prediction, _) => Some(prediction.version),
            Found::Judged | Found::Unknown => None,
        }
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_a_repeated_id_means_the_newest() {
        let predictions = Predictions::new(2);
        insert(&predictions, "a", 0);
        insert(&predictions, "b", 1);
        insert(&predictions, "a", 2);
        insert(&predictions, "c", 3);
        assert_eq!(look(&predictions, "b"), None);
        assert_eq!(look(&predictions, "a"), Some(Version::new(1, 2, 0)));
        assert_eq!(look(&predictions, "a"), None, "judged once");
        assert_eq!(look(&predictions, "c"), Some(Version::new(1, 3, 0)));
    }

    #[test]
    fn feedback_that_does_not_fit_leaves_the_prediction_waiting() {
        let predictions = Predictions::new(2);
        insert(&predictions, "a", 0);
        assert!(predictions.judge(&model(), "a", |_| Err("no")).is_err());
        assert!(look(&predictions, "a").is_some());
    }

    #[test]
    fn labels_are_the_first_output_that_is_not_floating_point() {
        let scores = Tensor::new("scores", vec![2, 2], TensorData::Fp32(vec![0.0; 4])).unwrap();
        let label = Tensor::new("label", vec![2], TensorData::Int64(vec![1, 0])).unwrap();
        assert_eq!(labels(&[scores.clone(), label]), Some(vec![1.into(), 0.into()]));
        assert_eq!(labels(&[scores]), None);
        let wide = Tensor::new("ids", vec![2, 2], TensorData::Int64(vec![0; 4])).unwrap();
        assert_eq!(labels(&[wide]), None);
    }
}

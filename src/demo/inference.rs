//! Asking the served model about live rows, as any client would: one HTTP request in the Open Inference Protocol v2.

use std::{
    net::SocketAddr,
    ops::Range,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tagship_runner::Failure;

use super::{
    fixtures::{LIVE_ROWS, MODEL},
    http::Connection,
};

/// Rows with their true labels.
#[derive(Debug)]
pub(super) struct LiveRows {
    /// What each row is called.
    pub(super) ids: Vec<String>,
    /// The truth.
    pub(super) labels: Vec<i64>,
    features: Vec<Vec<f64>>,
}

/// What the served model said about every row.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    /// The version that answered, by its own words.
    pub(super) version: String,
    /// A label per row.
    pub(super) labels: Vec<i64>,
    /// How sure it is of each label.
    pub(super) probabilities: Vec<f64>,
    /// How long it took.
    pub(super) took: Duration,
}

impl LiveRows {
    /// The rows that come with the demo.
    ///
    /// # Errors
    /// When they are damaged.
    pub(super) fn read() -> Result<Self, Failure> {
        let mut rows = Self { ids: vec![], labels: vec![], features: vec![] };
        for line in LIVE_ROWS.lines().skip(1) {
            rows.add(line).ok_or_else(|| Failure::incomplete(format!("read the live row {line:?}")))?;
        }
        Ok(rows)
    }

    fn add(&mut self, line: &str) -> Option<()> {
        let (id, rest) = line.split_once(',')?;
        let (features, label) = rest.rsplit_once(',')?;
        self.features.push(features.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?);
        self.labels.push(label.parse().ok()?);
        self.ids.push(id.to_owned());
        Some(())
    }

    /// The request that asks about these rows.
    pub(super) fn request(&self, rows: Range<usize>) -> Value {
        let rows = &self.features[rows];
        let width = rows.first().map_or(0, Vec::len);
        let data: Vec<f64> = rows.iter().flatten().copied().collect();
        json!({ "inputs": [{ "name": "features", "datatype": "FP32", "shape": [rows.len(), width], "data": data }] })
    }

    /// Asks the server about all rows.
    ///
    /// # Errors
    /// When it gives no answer, or not one per row.
    pub(super) async fn ask(&self, server: SocketAddr) -> Result<Answers, Failure> {
        let failed = |why: &str| Failure::incomplete(format!("ask about the live rows: {why}"));
        let started = Instant::now();
        let mut connection = Connection::open(server).await.map_err(|why| failed(&why))?;
        let body = self.request(0..self.ids.len()).to_string();
        let text = connection.post(&infer_path(), &body).await.map_err(|why| failed(&why))?;
        let took = started.elapsed();
        let answer: Value = serde_json::from_str(&text).map_err(|error| failed(&error.to_string()))?;
        let version = answer["model_version"].as_str().ok_or_else(|| failed("no model_version"))?;
        let labels = tensor(&answer, "label", Value::as_i64);
        let labels = labels.filter(|labels| labels.len() == self.ids.len());
        let labels = labels.ok_or_else(|| failed("not one label per row"))?;
        let probabilities =
            most_probable(&answer).filter(|probabilities| probabilities.len() == labels.len());
        let probabilities = probabilities.ok_or_else(|| failed("no probabilities for every row"))?;
        Ok(Answers { version: version.to_owned(), labels, probabilities, took })
    }

    /// A row in words, without its less telling features.
    pub(super) fn tell(&self, row: usize) -> String {
        let features: Vec<String> = self.features[row].iter().take(3).map(ToString::to_string).collect();
        format!("row {} ({}, ...)", self.ids[row], features.join(", "))
    }

    /// How many answers are right.
    pub(super) fn right(&self, answers: &Answers) -> usize {
        self.labels.iter().zip(&answers.labels).filter(|(truth, said)| truth == said).count()
    }
}

/// Path of the model's inference interface.
pub(super) fn infer_path() -> String {
    format!("/v2/models/{MODEL}/infer")
}

/// The values of an output.
pub(super) fn tensor<T>(answer: &Value, name: &str, value: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    let output = answer["outputs"].as_array()?.iter().find(|output| output["name"] == name)?;
    output["data"].as_array()?.iter().map(value).collect()
}

/// The probability of the most probable of two classes, per row.
fn most_probable(answer: &Value) -> Option<Vec<f64>> {
    let classes = tensor(answer, "probabilities", Value::as_f64)?;
    Some(classes.chunks_exact(2).map(|row| row[0].max(row[1])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_live_row_has_ten_features_and_a_label() {
        let rows = LiveRows::read().unwrap();
        assert_eq!((rows.ids.len(), rows.labels.len()), (150, 150));
        assert!(rows.features.iter().all(|row| row.len() == 10));
        assert_eq!(rows.request(0..1)["inputs"][0]["shape"], json!([1, 10]));
        assert_eq!(rows.request(0..150)["inputs"][0]["shape"], json!([150, 10]));
    }
}

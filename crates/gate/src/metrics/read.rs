//! Reading a metrics file into what rules see and what is compared.

use std::collections::BTreeMap;

use serde_json::Value;
use tagship_config::yaml::{self, YamlError};
use tagship_expr::path;

use super::{json, name};
use crate::request::ReportFile;

/// Largest metrics file that is read, in bytes.
pub const MAX_METRICS_BYTES: usize = 4 * 1024 * 1024;

/// Most metrics of one file; they stand in every report and manifest.
pub const MAX_METRICS: usize = 1000;

/// A metrics file that was read as far as it could be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metrics {
    pub(crate) path: String,
    /// The file as rules read it. What is not finite is a null there, which no rule accepts.
    pub(crate) data: Value,
    /// Every number by name, lists left out.
    pub(crate) numbers: BTreeMap<String, f64>,
    /// Paths, as rules write them, of what should be a number and is NaN or infinite.
    pub(crate) not_finite: Vec<String>,
    /// Why there is nothing to read.
    pub(crate) problem: Option<Problem>,
}

/// Why a metrics file says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no file.
    Missing(String),
    /// There is one, but it cannot be read.
    Broken(String),
}

/// Reads a file; whatever is wrong with it stands in the answer.
pub(crate) fn read(file: &ReportFile) -> Metrics {
    let mut metrics = Metrics {
        path: file.path.clone(),
        data: Value::Null,
        numbers: BTreeMap::new(),
        not_finite: Vec::new(),
        problem: None,
    };
    match &file.content {
        Err(reason) => metrics.problem = Some(Problem::Missing(reason.clone())),
        Ok(bytes) => {
            if let Err(reason) = metrics.fill(bytes) {
                metrics.problem = Some(Problem::Broken(reason));
            }
        }
    }
    metrics
}

impl Metrics {
    fn fill(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.len() > MAX_METRICS_BYTES {
            return Err(format!("it has {} bytes, at most {MAX_METRICS_BYTES} are read", bytes.len()));
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|error| format!("it is not UTF-8 (byte {})", error.valid_up_to()))?;
        let Some(mut data) = self.parse(text.trim_start_matches('\u{feff}'))? else { return Ok(()) };
        if !data.is_object() {
            return Err("it is not an object of names and numbers".to_owned());
        }
        self.collect(&mut data, "metrics", Some(""));
        if self.numbers.len() > MAX_METRICS {
            return Err(format!("it holds {} metrics, at most {MAX_METRICS} are read", self.numbers.len()));
        }
        self.data = data;
        Ok(())
    }

    /// The file as JSON; `None` where YAML names a number that is not finite, which ends reading there.
    fn parse(&mut self, text: &str) -> Result<Option<Value>, String> {
        let extension = self.path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        if !matches!(extension.as_deref(), Some("yaml" | "yml")) {
            return json::parse(text).map(Some);
        }
        match yaml::to_json(text) {
            Ok(data) => Ok(Some(data)),
            Err(YamlError::NotFinite { path, value }) => {
                self.not_finite.push(format!("metrics.{path} = {value}"));
                Ok(None)
            }
            Err(other) => Err(other.to_string()),
        }
    }

    /// Walks the file. `name` is the metric's name so far, `None` inside lists, which have no names.
    fn collect(&mut self, value: &mut Value, path: &str, name: Option<&str>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    let name = name.map(|base| name::join(base, key));
                    self.collect(value, &path::member(path, key), name.as_deref());
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter_mut().enumerate() {
                    self.collect(value, &path::element(path, index), None);
                }
            }
            Value::Number(number) => match (number.as_f64().filter(|n| n.is_finite()), name) {
                (Some(number), Some(name)) => {
                    self.numbers.insert(name.to_owned(), number);
                }
                (Some(_), None) => {}
                (None, _) => self.not_finite.push(path.to_owned()),
            },
            Value::String(text) if is_not_finite(text) => {
                self.not_finite.push(path.to_owned());
                *value = Value::Null;
            }
            Value::String(_) | Value::Bool(_) | Value::Null => {}
        }
    }
}

/// Whether a text is how some writer spells a number that is none: `NaN`, `-inf`, `.nan`, `Infinity`, ...
fn is_not_finite(text: &str) -> bool {
    let word = text.trim().trim_start_matches(['+', '-']).trim_start_matches('.');
    ["nan", "inf", "infinity"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

//! Metric source `table`: values in a column of tables, e.g. of the prediction log, or one quantile of them.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json;
use tagship_domain::{Timestamp, analysis::MetricKind, threshold::Point};
use tagship_ports::{PortError, Question, ValueSource};

use super::Opening;
use crate::{
    disk::blocking,
    settings,
    tables::{Table, when},
};

const WHAT: &str = "metric source table";

/// Settings of metric source `table`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TableSettings {
    /// The files, by their paths in the repository; `.csv`, `.jsonl` or `.parquet`.
    files: Vec<PathBuf>,
    /// Column of the value. In JSON Lines a name that begins with `/` is a JSON Pointer.
    value: String,
    /// Column of the time.
    time: String,
    /// Column of the version; rows of other versions are left out.
    #[serde(default)]
    version: Option<String>,
    /// Answers this quantile of the values instead of each of them.
    #[serde(default)]
    quantile: Option<f64>,
}

/// Values in a column of tables.
#[derive(Debug, Clone)]
pub struct TableValues {
    tables: Vec<Table>,
    given: TableSettings,
}

impl TableValues {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let given: TableSettings = settings::read(WHAT, opening.settings)?;
        debug_assert_eq!(opening.kind, MetricKind::Value);
        if given.files.is_empty() {
            return Err(settings::wrong(WHAT, "`files` is empty")
                .hint("write e.g. `files: [logs/predictions.jsonl]`"));
        }
        if given.quantile.is_some_and(|quantile| !(0.0..=1.0).contains(&quantile)) {
            return Err(settings::wrong(WHAT, "`quantile` is not within 0 to 1").hint("write e.g. 0.99"));
        }
        let table = |file: &PathBuf| Table::new(opening.root, file).map_err(|why| settings::wrong(WHAT, why));
        Ok(Self { tables: given.files.iter().map(table).collect::<Result<_, _>>()?, given })
    }

    /// Values after the one and up to the other time. A cell that is no number is null, as the port has it.
    fn read(&self, version: &str, from: Timestamp, to: Timestamp) -> Result<Vec<Point>, PortError> {
        let TableSettings { value, time, version: column, quantile, .. } = &self.given;
        let mut points = vec![];
        for table in &self.tables {
            let columns = [Some(value.as_str()), Some(time), column.as_deref()];
            table
                .each(&columns, &mut |row| {
                    let [value, time, of] = &row.cells[..] else { return Ok(()) };
                    let Some(time) = time else { return Ok(()) };
                    let at = when(time).map_err(|why| row.wrong(&format!(": {why}")))?;
                    let is_its = column.is_none() || of.as_deref() == Some(version);
                    if at > from && at <= to && is_its {
                        let number = value.as_deref().and_then(|text| text.parse::<f64>().ok());
                        points.push(Point { at, value: json!(number.filter(|number| number.is_finite())) });
                    }
                    Ok(())
                })
                .map_err(|why| why.while_doing(format!("read values from {}", table.name())))?;
        }
        points.sort_by_key(|point| point.at);
        Ok(match quantile {
            None => points,
            Some(quantile) => of_all(&points, *quantile, to),
        })
    }
}

/// The smallest value that the share of values is not above; none of none.
fn of_all(points: &[Point], quantile: f64, at: Timestamp) -> Vec<Point> {
    let mut values: Vec<f64> = points.iter().filter_map(|point| point.value.as_f64()).collect();
    values.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the count")]
    let rank = (quantile * values.len() as f64).ceil() as usize;
    let found = values.get(rank.saturating_sub(1));
    found.map(|value| Point { at, value: json!(value) }).into_iter().collect()
}

#[async_trait]
impl ValueSource for TableValues {
    async fn values(&self, question: &Question<'_>) -> Result<Vec<Point>, PortError> {
        let (this, version) = (self.clone(), question.version.to_string());
        let (from, to) = (question.from, question.to);
        blocking(move || this.read(&version, from, to)).await
    }

    fn knows_the_past(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use tagship_config::AdapterSpec;
    use tagship_ports::OwnSource;

    use super::*;

    async fn asked(settings: serde_json::Value) -> Vec<serde_json::Value> {
        let directory = tempfile::tempdir().unwrap();
        let log = r#"{"at":"2026-11-24T12:00:00Z","version":"v1.0.0","outputs":[{"data":[0.25]}]}
{"at":"2026-11-24T12:02:00Z","version":"v1.0.0","outputs":[{"data":[0.5]}]}
{"at":"2026-11-24T12:01:00Z","version":"v1.0.0","outputs":[{"data":["odd"]}]}
{"at":"2026-11-24T12:03:00Z","version":"v2.0.0","outputs":[{"data":[9.0]}]}
{"at":"2026-11-24T12:04:00Z","version":"v1.0.0","outputs":[{"data":[0.75]}]}
"#;
        std::fs::write(directory.path().join("log.jsonl"), log).unwrap();
        let serde_json::Value::Object(settings) = settings else { panic!("settings are an object") };
        let spec = AdapterSpec { settings, ..AdapterSpec::of_kind("table") };
        let source =
            super::super::open_own(&spec, MetricKind::Value, directory.path(), &|_| None, None).unwrap();
        let OwnSource::Value(source) = source else { panic!("{source:?}") };
        let version = "v1.0.0".parse().unwrap();
        let (from, to) = ("2026-11-24T12:00:00Z".parse().unwrap(), "2026-11-24T12:03:30Z".parse().unwrap());
        let question = Question { version: &version, candidate: &version, stable: None, from, to };
        let points = source.values(&question).await.unwrap();
        points.into_iter().map(|point| point.value).collect()
    }

    #[tokio::test]
    async fn values_of_a_version_come_in_the_order_of_time_and_odd_ones_are_null() {
        let settings = json!({
            "files": ["log.jsonl"], "value": "/outputs/0/data/0", "time": "at", "version": "version",
        });
        assert_eq!(asked(settings.clone()).await, [json!(null), json!(0.5)]);
        let mut all = settings;
        all["quantile"] = json!(0.99);
        all.as_object_mut().unwrap().remove("version");
        assert_eq!(asked(all).await, [json!(9.0)]);
    }
}

//! Metric source `predictions`: accuracy by version, counted in files of labelled predictions, and their rows for scores.
//!
//! A line holds the version that predicted, what it predicted, and the label once it is known; a line without a label
//! counts nothing yet. With a column of times, lines younger than `delay` count nothing either: labels that come early
//! are often not those that come late. Files are foreign: bounded, read line by line or column by column, and an error names
//! the line or row.

mod collected;
mod rows;

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Deserialize;
use tagship_domain::{
    Duration as Length, Timestamp, Version, analysis::MetricKind, scoring::Labelled, tally::Tally,
};
use tagship_ports::{LabelledSource, PortError, TallySource};

use super::Opening;
use crate::{disk::blocking, settings, tables::Wrong};
use collected::Collected;
use rows::{Row, Table};

const WHAT: &str = "metric source predictions";

/// Settings of metric source `predictions`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PredictionsSettings {
    /// The files, by their paths in the repository; `.csv`, `.jsonl` for a JSON object a line, or `.parquet`.
    files: Vec<PathBuf>,
    /// Column of the version that predicted.
    #[serde(default = "version")]
    version: String,
    /// Column of what it predicted.
    #[serde(default = "prediction")]
    prediction: String,
    /// Column of the label.
    #[serde(default = "label")]
    label: String,
    /// Column of the time of the prediction.
    #[serde(default)]
    time: Option<String>,
    /// Column of what was predicted about, where both versions predicted the same things; scores compare pairs then.
    #[serde(default)]
    id: Option<String>,
    /// How old a prediction must be to count.
    #[serde(default)]
    delay: Option<Length>,
}

fn version() -> String {
    "version".to_owned()
}

fn prediction() -> String {
    "prediction".to_owned()
}

fn label() -> String {
    "label".to_owned()
}

/// Files of labelled predictions.
#[derive(Debug, Clone)]
pub struct Predictions {
    tables: Vec<Table>,
    delay: Length,
    has_times: bool,
    has_ids: bool,
}

impl Predictions {
    pub(super) fn open(opening: &Opening<'_>) -> Result<Self, PortError> {
        let given: PredictionsSettings = settings::read(WHAT, opening.settings)?;
        if !matches!(opening.kind, MetricKind::LabelledAccuracy | MetricKind::Score) {
            let message = format!("it answers labelled-accuracy and score, not {}", opening.kind.as_str());
            return Err(
                settings::wrong(WHAT, message).hint("write `kind: labelled-accuracy`, or `kind: score`")
            );
        }
        if given.id.is_some() && opening.kind != MetricKind::Score {
            return Err(settings::wrong(WHAT, "only scores compare pairs by `id`")
                .hint("leave `id` out, or write `kind: score`"));
        }
        if given.files.is_empty() {
            return Err(
                settings::wrong(WHAT, "`files` is empty").hint("write e.g. `files: [labels/churn.csv]`")
            );
        }
        if given.delay.is_some() && given.time.is_none() {
            return Err(settings::wrong(WHAT, "a `delay` needs a column of times")
                .hint("name it, e.g. `time: predicted_at`"));
        }
        let columns = rows::Columns {
            version: given.version,
            prediction: given.prediction,
            label: given.label,
            time: given.time,
            id: given.id,
        };
        let table = |file: &PathBuf| {
            Table::new(opening.root, file, columns.clone()).map_err(|why| settings::wrong(WHAT, why))
        };
        Ok(Self {
            tables: given.files.iter().map(table).collect::<Result<_, _>>()?,
            delay: given.delay.unwrap_or_default(),
            has_times: columns.time.is_some(),
            has_ids: columns.id.is_some(),
        })
    }
}

#[async_trait]
impl TallySource for Predictions {
    async fn tally(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError> {
        let (this, version) = (self.clone(), version.clone());
        blocking(move || this.count(&version, at)).await
    }

    fn knows_the_past(&self) -> bool {
        self.has_times
    }
}

#[async_trait]
impl LabelledSource for Predictions {
    async fn labelled(
        &self,
        stable: &Version,
        candidate: &Version,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Labelled, PortError> {
        let (this, arms) = (self.clone(), [stable.to_string(), candidate.to_string()]);
        blocking(move || this.collect(arms, from, to)).await
    }
}

impl Predictions {
    fn collect(&self, arms: [String; 2], from: Timestamp, to: Timestamp) -> Result<Labelled, PortError> {
        let mut collected = Collected::new(arms, self.has_ids);
        for table in &self.tables {
            let failed = |why: Wrong| {
                PortError::new(why.problem, format!("read predictions from {}", table.name()), why.message)
            };
            let mut refused = None;
            let add = |row: &Row| {
                let is_due = row.time.is_none_or(|time| time >= from && time.after(self.delay) <= to);
                if is_due && refused.is_none() {
                    refused = collected.add(row).err();
                }
            };
            table.each(add).map_err(&failed)?;
            if let Some(why) = refused {
                return Err(
                    failed(why).hint("an `id` names one thing: one row a version, with the same label")
                );
            }
        }
        Ok(collected.finish())
    }

    fn count(&self, version: &Version, at: Timestamp) -> Result<Tally, PortError> {
        let mut tally = Tally::default();
        let wanted = version.to_string();
        for table in &self.tables {
            let (mut bad, mut total) = (0, 0);
            let add = |row: &Row| {
                // Without a time it counts as soon as it has its label.
                let is_due = row.time.is_none_or(|time| time.after(self.delay) <= at);
                if row.version == wanted && is_due {
                    total += 1;
                    bad += u64::from(!row.is_right());
                }
            };
            table.each(add).map_err(|why| {
                PortError::new(why.problem, format!("count {version} in {}", table.name()), why.message)
                    .hint("each line needs the version, the prediction, and the label or nothing where it is not known yet")
            })?;
            tally.bad.insert(table.name().to_owned(), bad);
            tally.total.insert(table.name().to_owned(), total);
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod parquet_tests;
#[cfg(test)]
mod tests;

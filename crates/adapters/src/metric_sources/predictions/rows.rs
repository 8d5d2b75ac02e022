//! Rows of labelled predictions, out of those of a table.

use std::path::Path;

use tagship_domain::Timestamp;

use crate::tables::{self, TextRow, Wrong};

/// The names of the columns.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) version: String,
    pub(super) prediction: String,
    pub(super) label: String,
    pub(super) time: Option<String>,
    pub(super) id: Option<String>,
}

/// A labelled prediction.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) version: String,
    pub(super) prediction: String,
    pub(super) label: String,
    pub(super) time: Option<Timestamp>,
    /// What was predicted about; the same one for both versions.
    pub(super) id: Option<String>,
}

/// A file of them.
#[derive(Debug, Clone)]
pub(super) struct Table {
    table: tables::Table,
    columns: Columns,
}

impl Row {
    /// Whether the prediction is the label; numbers are compared as numbers.
    pub(super) fn is_right(&self) -> bool {
        let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
        match (number(&self.prediction), number(&self.label)) {
            (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(1.0),
            _ => self.prediction == self.label,
        }
    }
}

impl Table {
    pub(super) fn new(root: &Path, file: &Path, columns: Columns) -> Result<Self, String> {
        Ok(Self { table: tables::Table::new(root, file)?, columns })
    }

    pub(super) fn name(&self) -> &str {
        self.table.name()
    }

    /// Goes through the rows that have a label.
    pub(super) fn each(&self, mut see: impl FnMut(&Row)) -> Result<(), Wrong> {
        let Columns { version, prediction, label, time, id } = &self.columns;
        let columns = [Some(version.as_str()), Some(prediction), Some(label), time.as_deref(), id.as_deref()];
        self.table.each(&columns, &mut |mut found| {
            if let Some(row) = row(&mut found, &self.columns)? {
                see(&row);
            }
            Ok(())
        })
    }
}

/// A row, where it has a label.
fn row(found: &mut TextRow<'_>, columns: &Columns) -> Result<Option<Row>, Wrong> {
    let mut take = |at: usize| found.cells.get_mut(at).and_then(Option::take);
    let [version, prediction, label, time, id] = [0, 1, 2, 3, 4].map(&mut take);
    let Some(label) = label else { return Ok(None) };
    let missing = |member: &str| found.wrong(&format!(" has a label and no {member}"));
    let time = match (columns.time.is_some(), time) {
        (false, _) => None,
        (true, None) => return Err(missing("time")),
        (true, Some(text)) => Some(tables::when(&text).map_err(|why| found.wrong(&format!(": {why}")))?),
    };
    if columns.id.is_some() && id.is_none() {
        return Err(missing("id"));
    }
    Ok(Some(Row {
        version: version.ok_or_else(|| missing("version"))?,
        prediction: prediction.ok_or_else(|| missing("prediction"))?,
        label,
        time,
        id,
    }))
}

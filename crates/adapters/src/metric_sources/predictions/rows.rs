//! The rows of a file of predictions, one after the other: CSV with a header, a JSON object a line, or Parquet.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use tagship_domain::Timestamp;
use tagship_ports::Problem;

use super::{Wrong, parquet};

/// Largest file, in bytes.
const MAX_FILE: u64 = 4 << 30;
/// Longest line of JSON, in bytes.
const MAX_LINE: u64 = 1 << 20;

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
    /// As the configuration names it: the journal remembers counts by it, on whichever machine.
    name: String,
    path: PathBuf,
    columns: Columns,
    format: Format,
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Csv,
    JsonLines,
    Parquet,
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
        let name = file.display().to_string();
        let format = match file.extension().and_then(|ending| ending.to_str()) {
            Some("csv") => Format::Csv,
            Some("jsonl" | "ndjson") => Format::JsonLines,
            Some("parquet") => Format::Parquet,
            _ => return Err(format!("{name} is neither .csv nor .jsonl nor .parquet")),
        };
        Ok(Self { name, path: root.join(file), columns, format })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Goes through the rows that have a label.
    pub(super) fn each(&self, mut see: impl FnMut(&Row)) -> Result<(), Wrong> {
        let file = File::open(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => wrong(Problem::NotFound, "there is no such file"),
            _ => wrong(Problem::Local, error.to_string()),
        })?;
        let size = file.metadata().map_or(0, |file| file.len());
        if size > MAX_FILE {
            return Err(wrong(Problem::Invalid, format!("it is larger than {MAX_FILE} bytes")));
        }
        match self.format {
            Format::Csv => self.csv(file.take(MAX_FILE), &mut see),
            Format::JsonLines => self.json_lines(file.take(MAX_FILE), &mut see),
            Format::Parquet => parquet::each(file, &self.columns, &mut see),
        }
    }

    fn csv(&self, file: impl Read, see: &mut impl FnMut(&Row)) -> Result<(), Wrong> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
        let unreadable = |error: csv::Error| wrong(Problem::Invalid, error.to_string());
        let header = reader.headers().map_err(unreadable)?.clone();
        let column = |name: &str| {
            let found = header.iter().position(|title| title == name);
            found.ok_or_else(|| {
                let titles = header.iter().take(20).collect::<Vec<_>>().join(", ");
                wrong(Problem::Invalid, format!("there is no column {name:?}; there is {titles}"))
            })
        };
        let columns = &self.columns;
        let [version, prediction, label] =
            [column(&columns.version)?, column(&columns.prediction)?, column(&columns.label)?];
        let [time, id] = [
            columns.time.as_deref().map(column).transpose()?,
            columns.id.as_deref().map(column).transpose()?,
        ];
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(unreadable)? {
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |at: usize| Some(record.get(at).unwrap_or_default().to_owned());
            let cells =
                [cell(version), cell(prediction), cell(label), time.and_then(cell), id.and_then(cell)];
            if let Some(row) = row(cells, columns, "line", line)? {
                see(&row);
            }
        }
        Ok(())
    }

    fn json_lines(&self, file: impl Read, see: &mut impl FnMut(&Row)) -> Result<(), Wrong> {
        let mut reader = BufReader::new(file);
        let mut text = String::new();
        for line in 1_u64.. {
            text.clear();
            let read = reader.by_ref().take(MAX_LINE).read_line(&mut text);
            let read = read.map_err(|error| wrong(Problem::Invalid, format!("line {line}: {error}")))?;
            if read == 0 {
                break;
            }
            if read as u64 == MAX_LINE && !text.ends_with('\n') {
                return Err(wrong(Problem::Invalid, format!("line {line} is longer than {MAX_LINE} bytes")));
            }
            if text.trim().is_empty() {
                continue;
            }
            let object: Map<String, Value> = serde_json::from_str(&text).map_err(|error| {
                wrong(Problem::Invalid, format!("line {line} is no JSON object: {error}"))
            })?;
            let cell = |name: &str| object.get(name).and_then(plain);
            let columns = &self.columns;
            let cells = [
                cell(&columns.version),
                cell(&columns.prediction),
                cell(&columns.label),
                columns.time.as_deref().and_then(cell),
                columns.id.as_deref().and_then(cell),
            ];
            if let Some(row) = row(cells, columns, "line", line)? {
                see(&row);
            }
        }
        Ok(())
    }
}

/// A row, where it has a label. It stands in this `number` of lines or rows, as `what` says.
pub(super) fn row(
    cells: [Option<String>; 5],
    columns: &Columns,
    what: &str,
    number: u64,
) -> Result<Option<Row>, Wrong> {
    let [version, prediction, label, time, id] = cells.map(|cell| cell.filter(|cell| !cell.is_empty()));
    let Some(label) = label else { return Ok(None) };
    let missing =
        |member: &str| wrong(Problem::Invalid, format!("{what} {number} has a label and no {member}"));
    let time = match (columns.time.is_some(), time) {
        (false, _) => None,
        (true, None) => return Err(missing("time")),
        (true, Some(text)) => {
            Some(when(&text).map_err(|why| wrong(Problem::Invalid, format!("{what} {number}: {why}")))?)
        }
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

/// RFC 3339, or seconds since 1970.
fn when(text: &str) -> Result<Timestamp, String> {
    #[expect(clippy::cast_possible_truncation, reason = "a time of our days; another one is refused below")]
    let seconds = text.parse::<f64>().ok().map(|seconds| (seconds * 1000.0).round() as i64);
    let time = match seconds {
        Some(millis) => Timestamp::from_millis(millis),
        None => text.parse(),
    };
    time.map_err(|error| error.to_string())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

pub(super) fn wrong(problem: Problem, message: impl Into<String>) -> Wrong {
    Wrong { problem, message: message.into() }
}

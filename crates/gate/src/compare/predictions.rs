//! Predictions as CSV, and the rows of two files brought together.

use std::collections::HashMap;

use tagship_stats::Paired;

use crate::text::shown;

/// Largest predictions file that is read, in bytes.
pub const MAX_PREDICTIONS_BYTES: usize = 256 * 1024 * 1024;

/// Most rows of a predictions file.
pub const MAX_ROWS: usize = 5_000_000;

/// Why a predictions file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PredictionsError {
    #[error("it has {bytes} bytes, at most {MAX_PREDICTIONS_BYTES} are read")]
    TooLarge { bytes: usize },
    #[error("it has more than {MAX_ROWS} rows")]
    TooManyRows,
    #[error("it is Parquet, which is not read here; write the predictions as CSV")]
    Parquet,
    #[error("its header has no column {column:?}; `id`, `label` and `prediction` are needed, it has {found}")]
    NoColumn { column: &'static str, found: String },
    #[error("line {line} has no {column}")]
    NoValue { line: u64, column: &'static str },
    #[error("line {line} has the id {id:?} of an earlier line")]
    DuplicateId { line: u64, id: String },
    #[error("{message}")]
    Malformed { message: String },
}

/// Label and correctness by row id.
pub(crate) struct Predictions {
    rows: HashMap<String, Row>,
}

struct Row {
    label: String,
    right: bool,
}

/// Why two files cannot be compared row by row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unpaired {
    NoRows,
    OtherRows { shared: usize, only_stable: usize, only_candidate: usize },
    OtherLabels { count: usize, rows: usize, first: String },
}

impl Predictions {
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, PredictionsError> {
        if bytes.starts_with(b"PAR1") {
            return Err(PredictionsError::Parquet);
        }
        if bytes.len() > MAX_PREDICTIONS_BYTES {
            return Err(PredictionsError::TooLarge { bytes: bytes.len() });
        }
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let header = reader.headers().map_err(|error| malformed(&error))?;
        let place = |column| {
            let found = || shown(&header.iter().collect::<Vec<_>>().join(", "), 120);
            header
                .iter()
                .position(|name| name == column)
                .ok_or_else(|| PredictionsError::NoColumn { column, found: found() })
        };
        let columns =
            [("id", place("id")?), ("label", place("label")?), ("prediction", place("prediction")?)];

        let mut rows = HashMap::new();
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|error| malformed(&error))? {
            if rows.len() == MAX_ROWS {
                return Err(PredictionsError::TooManyRows);
            }
            let line = record.position().map_or(0, csv::Position::line);
            let [id, label, prediction] = columns.map(|(column, place)| {
                let value = record.get(place).filter(|value| !value.is_empty());
                value.ok_or(PredictionsError::NoValue { line, column })
            });
            let (id, label) = (id?, label?);
            let row = Row { label: label.to_owned(), right: same(label, prediction?) };
            if rows.insert(id.to_owned(), row).is_some() {
                return Err(PredictionsError::DuplicateId { line, id: shown(id, 80) });
            }
        }
        Ok(Self { rows })
    }
}

/// Brings the rows of stable and candidate together: the same ids, with the same labels.
pub(crate) fn pair(stable: &Predictions, candidate: &Predictions) -> Result<Paired, Unpaired> {
    let shared = stable.rows.keys().filter(|id| candidate.rows.contains_key(*id)).count();
    let (only_stable, only_candidate) = (stable.rows.len() - shared, candidate.rows.len() - shared);
    if only_stable > 0 || only_candidate > 0 {
        return Err(Unpaired::OtherRows { shared, only_stable, only_candidate });
    }
    if shared == 0 {
        return Err(Unpaired::NoRows);
    }
    let mut paired = Paired { rows: shared as u64, only_first: 0, only_second: 0 };
    let mut relabelled: Vec<&str> = Vec::new();
    for (id, old) in &stable.rows {
        let Some(new) = candidate.rows.get(id) else { continue };
        if !same(&old.label, &new.label) {
            relabelled.push(id);
        }
        paired.only_first += u64::from(old.right && !new.right);
        paired.only_second += u64::from(!old.right && new.right);
    }
    match relabelled.iter().min() {
        None => Ok(paired),
        Some(first) => {
            let first = (*first).to_owned();
            Err(Unpaired::OtherLabels { count: relabelled.len(), rows: shared, first })
        }
    }
}

/// Whether two classes are the same: the same text, or the same finite number, because writers turn the class `1`
/// into `1.0` as soon as a column has a gap.
#[expect(clippy::float_cmp, reason = "classes are exact")]
fn same(left: &str, right: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    left == right || matches!((number(left), number(right)), (Some(left), Some(right)) if left == right)
}

fn malformed(error: &csv::Error) -> PredictionsError {
    PredictionsError::Malformed { message: shown(&error.to_string(), 200) }
}

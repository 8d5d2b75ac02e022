//! Datasets: a file per format of tables.

mod cells;
mod csv;
mod json_lines;
mod parquet;
#[cfg(test)]
mod tests;

use std::{fs::File, io, path::Path};

use tagship_ports::{Dataset, PortError, Problem};

use self::{cells::Cells, csv::Csv, json_lines::JsonLines, parquet::Parquet};

/// Endings of the names of tables.
const ENDINGS: &str = ".csv, .jsonl, .ndjson, .parquet";

/// Opens the table in a file; its name's ending says the format.
///
/// # Errors
/// [`Problem::NotFound`] where there is no such file, [`Problem::Unsupported`] for another ending, [`Problem::Invalid`] for a
/// file whose header cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn Dataset>, PortError> {
    let at = At(path.display().to_string());
    let file = File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => at.wrong(Problem::NotFound, "there is no such file"),
        _ => at.wrong(Problem::Local, error.to_string()),
    })?;
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("csv") => Ok(Box::new(Cells::of(Csv::of(file, at)?))),
        Some("jsonl" | "ndjson") => Ok(Box::new(Cells::of(JsonLines::of(file, at)?))),
        Some("parquet") => Ok(Box::new(Parquet::of(file, at)?)),
        _ => Err(at
            .wrong(Problem::Unsupported, "its name does not end as that of a table")
            .hint(format!("known endings are {ENDINGS}"))),
    }
}

/// Where a table is, for messages.
#[derive(Debug, Clone)]
struct At(String);

impl At {
    fn wrong(&self, problem: Problem, message: impl Into<String>) -> PortError {
        PortError::new(problem, format!("read {}", self.0), message)
    }

    fn no_column(&self, name: &str) -> PortError {
        self.wrong(Problem::NotFound, format!("there is no column {name:?}"))
    }
}

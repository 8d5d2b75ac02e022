//! Tables that are read row by row as texts: CSV with a header, a JSON object a line (both also as gzip or zstd), or Parquet.
//!
//! Files are foreign: bounded, read line by line or column by column, and an error names the line or row. What stands in a
//! column becomes the text that CSV would hold, so that one file says the same in every format.

mod parquet;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

use serde_json::Value;
use tagship_domain::Timestamp;
use tagship_ports::{PortError, Problem};

use crate::{
    compression::Compression,
    table_format::{ENDINGS, TableFormat},
};

/// Largest file, and largest text of a compressed one, in bytes.
const MAX_FILE: u64 = 4 << 30;
/// Longest line of JSON, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// What is wrong with a file.
#[derive(Debug)]
pub struct Wrong {
    pub(crate) problem: Problem,
    pub(crate) message: String,
}

impl Wrong {
    /// With what was being done.
    #[must_use]
    pub fn while_doing(self, operation: impl Into<String>) -> PortError {
        PortError::new(self.problem, operation, self.message)
    }
}

/// A file of rows.
#[derive(Debug, Clone)]
pub struct Table {
    /// As it was named: journals remember counts by it, on whichever machine.
    name: String,
    path: PathBuf,
    format: TableFormat,
}

/// A row with the cells of the columns that were asked for; a column that was not named, and a cell that holds nothing, is
/// absent.
#[derive(Debug)]
pub struct TextRow<'a> {
    /// `line` or `row`.
    what: &'static str,
    number: u64,
    /// One per column that was asked for.
    pub cells: &'a mut [Option<String>],
}

impl TextRow<'_> {
    /// What is wrong with this row, with its place.
    #[must_use]
    pub fn wrong(&self, why: &str) -> Wrong {
        wrong(Problem::Invalid, format!("{} {}{why}", self.what, self.number))
    }
}

impl Table {
    /// The table in a file, by a path from `root` on; its name's ending says the format.
    ///
    /// # Errors
    /// For another ending.
    pub fn new(root: &Path, file: &Path) -> Result<Self, String> {
        let name = file.display().to_string();
        let Some(format) = TableFormat::of(&name) else {
            return Err(format!("{name} is no table by its ending; known endings are {ENDINGS}"));
        };
        Ok(Self { name, path: root.join(file), format })
    }

    /// As it was named.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Goes through the rows. In JSON Lines a column that begins with `/` is a JSON Pointer (RFC 6901), e.g.
    /// `/outputs/0/data/0`.
    ///
    /// # Errors
    /// Where the file cannot be read or lacks a column, and whatever `see` answers.
    pub fn each(
        &self,
        columns: &[Option<&str>],
        see: &mut dyn FnMut(TextRow<'_>) -> Result<(), Wrong>,
    ) -> Result<(), Wrong> {
        let file = File::open(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => wrong(Problem::NotFound, "there is no such file"),
            _ => wrong(Problem::Local, error.to_string()),
        })?;
        let size = file.metadata().map_or(0, |file| file.len());
        if size > MAX_FILE {
            return Err(wrong(Problem::Invalid, format!("it is larger than {MAX_FILE} bytes")));
        }
        let text = |how: Compression| {
            let text = how.reader(BufReader::new(file.try_clone()?))?;
            Ok(Bounded { text, left: MAX_FILE })
        };
        let local = |error: io::Error| wrong(Problem::Local, error.to_string());
        match self.format {
            TableFormat::Csv(how) => csv(text(how).map_err(local)?, columns, see),
            TableFormat::JsonLines(how) => json_lines(text(how).map_err(local)?, columns, see),
            TableFormat::Parquet => parquet::each(file, columns, see),
        }
    }
}

/// A text of which only so many bytes are read; more of them are an error and no end.
struct Bounded<R> {
    text: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.text.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| io::Error::other(format!("it holds more than {MAX_FILE} bytes")))?;
        Ok(read)
    }
}

type See<'a> = &'a mut dyn FnMut(TextRow<'_>) -> Result<(), Wrong>;

fn csv(file: impl Read, columns: &[Option<&str>], see: See<'_>) -> Result<(), Wrong> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let unreadable = |error: csv::Error| wrong(Problem::Invalid, error.to_string());
    let header = reader.headers().map_err(unreadable)?.clone();
    let place = |name: &str| {
        let found = header.iter().position(|title| title == name);
        found.ok_or_else(|| {
            let titles = header.iter().take(20).collect::<Vec<_>>().join(", ");
            wrong(Problem::Invalid, format!("there is no column {name:?}; there is {titles}"))
        })
    };
    let places = columns.iter().map(|name| name.map(place).transpose()).collect::<Result<Vec<_>, _>>()?;
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(unreadable)? {
        let number = record.position().map_or(0, csv::Position::line);
        let cell = |at: &Option<usize>| at.and_then(|at| record.get(at)).and_then(filled);
        let mut cells: Vec<_> = places.iter().map(cell).collect();
        see(TextRow { what: "line", number, cells: &mut cells })?;
    }
    Ok(())
}

fn json_lines(file: impl Read, columns: &[Option<&str>], see: See<'_>) -> Result<(), Wrong> {
    let mut reader = BufReader::new(file);
    let mut text = String::new();
    for number in 1_u64.. {
        text.clear();
        let read = reader.by_ref().take(MAX_LINE).read_line(&mut text);
        let read = read.map_err(|error| wrong(Problem::Invalid, format!("line {number}: {error}")))?;
        if read == 0 {
            break;
        }
        if read as u64 == MAX_LINE && !text.ends_with('\n') {
            return Err(wrong(Problem::Invalid, format!("line {number} is longer than {MAX_LINE} bytes")));
        }
        if text.trim().is_empty() {
            continue;
        }
        let no_object =
            |why: String| wrong(Problem::Invalid, format!("line {number} is no JSON object{why}"));
        let line: Value = serde_json::from_str(&text).map_err(|error| no_object(format!(": {error}")))?;
        if !line.is_object() {
            return Err(no_object(String::new()));
        }
        let found =
            |name: &str| line.get(name).or_else(|| line.pointer(name).filter(|_| name.starts_with('/')));
        let mut cells: Vec<_> = columns.iter().map(|name| name.and_then(found).and_then(plain)).collect();
        see(TextRow { what: "line", number, cells: &mut cells })?;
    }
    Ok(())
}

/// RFC 3339, or seconds since 1970.
///
/// # Errors
/// What is wrong with it.
pub fn when(text: &str) -> Result<Timestamp, String> {
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
        Value::String(text) => filled(text),
        other => Some(other.to_string()),
    }
}

fn filled(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

pub(crate) fn wrong(problem: Problem, message: impl Into<String>) -> Wrong {
    Wrong { problem, message: message.into() }
}

//! A JSON object a line.

use std::{
    collections::HashSet,
    fs::File,
    io::{BufRead, BufReader, Read, Seek, SeekFrom},
};

use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

use super::{
    At,
    cells::{Cell, Rows},
};

/// Longest line, in bytes.
const MAX_LINE: u64 = 1 << 20;

pub(super) struct JsonLines {
    file: File,
    at: At,
    columns: Vec<String>,
}

impl JsonLines {
    /// Columns are the keys of all lines as they are first seen, those of one line by their names.
    pub(super) fn of(file: File, at: At) -> Result<Self, PortError> {
        let mut lines = Self { file, at, columns: vec![] };
        let mut columns: Vec<String> = vec![];
        let mut known = HashSet::new();
        lines.objects(|object| {
            for key in object.keys() {
                if known.insert(key.clone()) {
                    columns.push(key.clone());
                }
            }
        })?;
        lines.columns = columns;
        Ok(lines)
    }

    fn objects(&self, mut see: impl FnMut(&Map<String, Value>)) -> Result<(), PortError> {
        let local = |error: std::io::Error| self.at.wrong(Problem::Local, error.to_string());
        let mut file = self.file.try_clone().map_err(local)?;
        file.seek(SeekFrom::Start(0)).map_err(local)?;
        let mut reader = BufReader::new(file);
        let mut text = String::new();
        for line in 1_u64.. {
            text.clear();
            let bad = |why: String| self.at.wrong(Problem::Invalid, format!("line {line} {why}"));
            let read = reader
                .by_ref()
                .take(MAX_LINE)
                .read_line(&mut text)
                .map_err(|error| bad(error.to_string()))?;
            if read == 0 {
                return Ok(());
            }
            if read as u64 == MAX_LINE && !text.ends_with('\n') {
                return Err(bad(format!("is longer than {MAX_LINE} bytes")));
            }
            if !text.trim().is_empty() {
                see(&serde_json::from_str(&text)
                    .map_err(|error| bad(format!("is no JSON object: {error}")))?);
            }
        }
        Ok(())
    }
}

impl Rows for JsonLines {
    fn at(&self) -> &At {
        &self.at
    }

    fn columns(&self) -> Vec<String> {
        self.columns.clone()
    }

    fn each(&self, tell: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError> {
        self.objects(|object| {
            for (at, name) in self.columns.iter().enumerate() {
                match object.get(name) {
                    None | Some(Value::Null) => tell(at, Cell::Absent),
                    Some(Value::Number(number)) => {
                        tell(at, number.as_f64().map_or(Cell::Absent, Cell::Number));
                    }
                    Some(Value::String(text)) => tell(at, Cell::Word(text)),
                    Some(other) => tell(at, Cell::Word(&other.to_string())),
                }
            }
        })
    }
}

//! A JSON object a line.

use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Read},
};

use serde_json::{Map, Value};
use tagship_ports::{PortError, Problem};

use super::{
    At,
    cells::{Rows, Written},
    text::Text,
};

/// Longest line, in bytes.
const MAX_LINE: u64 = 1 << 20;

pub(super) struct JsonLines {
    text: Text,
    at: At,
    columns: Vec<String>,
}

impl JsonLines {
    /// Columns are the keys of all lines as they are first seen, those of one line by their names.
    pub(super) fn of(text: Text, at: At) -> Result<Self, PortError> {
        let mut lines = Self { text, at, columns: vec![] };
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
        let text = self.text.reader().map_err(|error| self.at.wrong(Problem::Local, error.to_string()))?;
        let mut reader = BufReader::new(text);
        let mut text = String::new();
        for line in 1_u64.. {
            text.clear();
            let bad = |why: String| self.at.wrong(Problem::Invalid, format!("line {line} {why}"));
            let read = reader
                .by_ref()
                .take(MAX_LINE)
                .read_line(&mut text)
                .map_err(|error| self.at.unread(&error, |_| bad(error.to_string())))?;
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

    fn names(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, tell: &mut dyn FnMut(usize, Written<'_>)) -> Result<(), PortError> {
        self.objects(|object| {
            for (at, name) in self.columns.iter().enumerate() {
                match object.get(name) {
                    None | Some(Value::Null) => tell(at, Written::Absent),
                    Some(Value::Number(number)) => {
                        tell(at, number.as_f64().map_or(Written::Absent, Written::Number));
                    }
                    Some(Value::String(text)) => tell(at, Written::Word(text)),
                    Some(other) => tell(at, Written::Word(&other.to_string())),
                }
            }
        })
    }
}

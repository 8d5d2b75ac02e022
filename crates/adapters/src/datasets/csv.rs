//! CSV with a header.

use std::{collections::HashSet, io::Read};

use tagship_ports::{PortError, Problem};

use super::{
    At,
    cells::{Rows, Written},
    text::Text,
};

pub(super) struct Csv {
    text: Text,
    at: At,
    columns: Vec<String>,
}

impl Csv {
    pub(super) fn of(text: Text, at: At) -> Result<Self, PortError> {
        let mut csv = Self { text, at, columns: vec![] };
        let mut reader = csv.reader()?;
        let header = reader.headers().map_err(|error| csv.unreadable(&error))?;
        csv.columns = header.iter().map(|title| title.trim().to_owned()).collect();
        if csv.columns.is_empty() {
            return Err(csv.at.wrong(Problem::Invalid, "it has no header"));
        }
        let mut seen = HashSet::new();
        if let Some(twice) = csv.columns.iter().find(|name| !seen.insert(*name)) {
            let message = format!("two columns are called {twice:?}");
            return Err(csv.at.wrong(Problem::Invalid, message));
        }
        Ok(csv)
    }

    fn reader(&self) -> Result<csv::Reader<Box<dyn Read>>, PortError> {
        let text = self.text.reader().map_err(|error| self.at.wrong(Problem::Local, error.to_string()))?;
        Ok(csv::ReaderBuilder::new().buffer_capacity(64 << 10).from_reader(text))
    }

    fn unreadable(&self, error: &csv::Error) -> PortError {
        let wrong = |at: &At| at.wrong(Problem::Invalid, error.to_string());
        match error.kind() {
            csv::ErrorKind::Io(read) => self.at.unread(read, wrong),
            _ => wrong(&self.at),
        }
    }
}

impl Rows for Csv {
    fn at(&self) -> &At {
        &self.at
    }

    fn names(&self) -> &[String] {
        &self.columns
    }

    fn each(&self, tell: &mut dyn FnMut(usize, Written<'_>)) -> Result<(), PortError> {
        let mut reader = self.reader()?;
        let mut record = csv::StringRecord::new();
        reader.headers().map_err(|error| self.unreadable(&error))?;
        loop {
            let before = reader.position().line();
            let is_row = reader.read_record(&mut record).map_err(|error| self.unreadable(&error))?;
            if let [_only] = self.columns.as_slice() {
                // The reader leaves out empty lines; where there is one column, such a line is a row without a value.
                let own = record.iter().map(|text| 1 + text.matches('\n').count() as u64).sum::<u64>();
                let read = reader.position().line() - before;
                let empty = read.saturating_sub(if is_row { own } else { 0 });
                (0..empty).for_each(|_| tell(0, Written::Absent));
            }
            if !is_row {
                return Ok(());
            }
            for (at, text) in record.iter().enumerate() {
                tell(at, Written::Text(text));
            }
        }
    }
}

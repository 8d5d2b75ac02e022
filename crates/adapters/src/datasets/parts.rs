//! Several files as one table, one after the other, with what the names of their folders say as columns: `dt=2026-01-01/`
//! as Hive writes it.

use std::collections::HashSet;

use tagship_ports::{Cell, DataColumn, Dataset, Holds, PortError};

use super::{
    At,
    cells::{number, truth},
};

/// One file of a table.
pub(super) struct Part {
    pub(super) table: Box<dyn Dataset>,
    /// Names and values of the folders that it lies in.
    pub(super) keys: Vec<(String, String)>,
}

/// Files of one table, in the order of their names.
pub(super) struct Parts {
    files: Vec<Part>,
    columns: Vec<DataColumn>,
    at: At,
}

impl Parts {
    pub(super) fn of(parts: Vec<Part>, at: At) -> Self {
        let mut columns: Vec<DataColumn> = vec![];
        for part in &parts {
            for column in part.columns() {
                match columns.iter_mut().find(|known| known.name == column.name) {
                    None => columns.push(column),
                    Some(known) => known.holds = together(known.holds, column.holds),
                }
            }
        }
        Self { files: parts, columns, at }
    }

    /// Columns that hold numbers in one file and categories in another; they are categories in all.
    pub(super) fn mixed(&self) -> Vec<String> {
        let differs = |column: &&DataColumn| {
            let is_other = |here: &DataColumn| here.name == column.name && here.holds == Holds::Numbers;
            column.holds == Holds::Categories
                && self.files.iter().any(|part| part.columns().iter().any(is_other))
        };
        self.columns.iter().filter(differs).map(|column| column.name.clone()).collect()
    }
}

impl Part {
    fn columns(&self) -> Vec<DataColumn> {
        let mut columns = self.table.columns().to_vec();
        let known: HashSet<&str> = self.table.columns().iter().map(|column| column.name.as_str()).collect();
        let keys = self.keys.iter().filter(|(name, _)| !known.contains(name.as_str()));
        let of_key = keys.map(|(name, value)| {
            let holds = if number(value).is_some() { Holds::Numbers } else { Holds::Categories };
            DataColumn { name: name.clone(), holds }
        });
        columns.extend(of_key);
        columns
    }

    fn has(&self, name: &str) -> bool {
        self.table.columns().iter().any(|column| column.name == name)
    }

    fn key(&self, name: &str, holds: Holds) -> Cell<'_> {
        let value = self.keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (value, value.and_then(number)) {
            (None, _) => Cell::Absent,
            (Some(_), Some(value)) if holds == Holds::Numbers => Cell::Number(value),
            (Some(text), _) => Cell::Text(truth(text)),
        }
    }
}

/// What a column holds that holds these in two files.
fn together(one: Holds, other: Holds) -> Holds {
    match (one, other) {
        (Holds::Nothing, holds) | (holds, Holds::Nothing) => holds,
        (one, other) if one == other => one,
        (Holds::Numbers, Holds::Categories) | (Holds::Categories, Holds::Numbers) => Holds::Categories,
        _ => Holds::Other,
    }
}

impl Dataset for Parts {
    fn location(&self) -> String {
        self.at.0.clone()
    }

    fn columns(&self) -> &[DataColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.files.iter().map(|part| part.table.rows()).sum()
    }

    fn is_by_row(&self) -> bool {
        self.files.iter().any(|part| part.table.is_by_row())
    }

    fn scan(&self, names: &[&str], see: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError> {
        let mut holds = vec![];
        for name in names {
            let column = self.columns.iter().find(|column| column.name == **name);
            holds.push(column.ok_or_else(|| self.at.no_column(name))?.holds);
        }
        for part in &self.files {
            let (there, lacking): (Vec<usize>, Vec<usize>) =
                (0..names.len()).partition(|place| part.has(names[*place]));
            for place in lacking {
                let cell = part.key(names[place], holds[place]);
                (0..part.table.rows()).for_each(|_| see(place, cell));
            }
            let asked: Vec<&str> = there.iter().map(|place| names[*place]).collect();
            if !asked.is_empty() {
                part.table.scan(&asked, &mut |place, cell| see(there[place], cell))?;
            }
        }
        Ok(())
    }
}

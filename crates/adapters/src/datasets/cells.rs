//! Tables of texts, row by row: what kind of values a column holds is found by reading it once, its values by reading it again.

use std::collections::{BTreeMap, HashMap};

use tagship_ports::{ColumnValues, Dataset, PortError};

use super::At;

/// What tables of texts write where there is no value.
const ABSENT: [&str; 9] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None"];

/// One value of a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'a> {
    Absent,
    Number(f64),
    /// A number where all of its column are.
    Text(&'a str),
    /// Never a number.
    Word(&'a str),
}

/// Rows that can be read more than once.
pub(super) trait Rows: Send {
    fn at(&self) -> &At;

    fn columns(&self) -> Vec<String>;

    /// Tells each cell with the place of its column; columns that a row lacks are absent there.
    fn each(&self, tell: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError>;
}

/// A table of texts.
pub(super) struct Cells<R> {
    rows: R,
    loaded: Option<HashMap<String, ColumnValues>>,
}

impl<R: Rows> Cells<R> {
    pub(super) fn of(rows: R) -> Self {
        Self { rows, loaded: None }
    }

    fn load(&self) -> Result<HashMap<String, ColumnValues>, PortError> {
        let names = self.rows.columns();
        let mut kinds = vec![Kind::default(); names.len()];
        self.rows.each(&mut |at, cell| kinds[at].see(cell))?;
        let mut columns: Vec<ColumnValues> = kinds.into_iter().map(Kind::empty).collect();
        self.rows.each(&mut |at, cell| add(&mut columns[at], cell))?;
        Ok(names.into_iter().zip(columns).collect())
    }
}

impl<R: Rows> Dataset for Cells<R> {
    fn location(&self) -> String {
        self.rows.at().0.clone()
    }

    fn columns(&self) -> Vec<String> {
        self.rows.columns()
    }

    fn read(&mut self, column: &str) -> Result<ColumnValues, PortError> {
        let mut loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => self.load()?,
        };
        // Each column is asked for once, and its memory goes with it.
        let values = loaded.remove(column).ok_or_else(|| self.rows.at().no_column(column));
        self.loaded = Some(loaded);
        values
    }
}

/// What has been seen of a column.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Kind {
    #[default]
    Nothing,
    Numbers,
    Categories,
}

impl Kind {
    fn see(&mut self, cell: Cell<'_>) {
        let is_number = match cell {
            Cell::Absent => return,
            Cell::Number(_) => true,
            Cell::Text(text) if is_absent(text) => return,
            Cell::Text(text) => number(text).is_some(),
            Cell::Word(_) => false,
        };
        *self = if is_number && *self != Self::Categories { Self::Numbers } else { Self::Categories };
    }

    fn empty(self) -> ColumnValues {
        match self {
            Self::Nothing => ColumnValues::Nothing { absent: 0 },
            Self::Numbers => ColumnValues::Numbers { values: vec![], absent: 0 },
            Self::Categories => ColumnValues::Categories { counts: BTreeMap::new(), absent: 0 },
        }
    }
}

fn add(column: &mut ColumnValues, cell: Cell<'_>) {
    match column {
        ColumnValues::Nothing { absent } => *absent += 1,
        ColumnValues::Numbers { values, absent } => match cell {
            Cell::Number(value) => values.push(value),
            Cell::Text(text) => match number(text).filter(|_| !is_absent(text)) {
                Some(value) => values.push(value),
                None => *absent += 1,
            },
            Cell::Absent | Cell::Word(_) => *absent += 1,
        },
        ColumnValues::Categories { counts, absent } => match cell {
            Cell::Absent => *absent += 1,
            Cell::Text(text) if is_absent(text) => *absent += 1,
            Cell::Text(text) | Cell::Word(text) => count(counts, text.trim()),
            Cell::Number(value) => count(counts, &value.to_string()),
        },
    }
}

pub(super) fn count(counts: &mut BTreeMap<String, u64>, value: &str) {
    match counts.get_mut(value) {
        Some(count) => *count += 1,
        None => drop(counts.insert(value.to_owned(), 1)),
    }
}

fn is_absent(text: &str) -> bool {
    ABSENT.contains(&text.trim())
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

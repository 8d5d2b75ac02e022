//! Tables of texts, row by row: what kind of values a column holds is found by reading all of it once.

use tagship_ports::{Cell, DataColumn, Dataset, Holds, PortError};

use super::{At, declared::Declared};

/// What tables of texts write where there is no value.
const ABSENT: [&str; 9] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None"];

/// One value of a row as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Written<'a> {
    Absent,
    Number(f64),
    /// A number where all of its column are.
    Text(&'a str),
    /// Never a number.
    Word(&'a str),
}

/// Rows that can be read more than once.
pub(super) trait Rows: Send + Sync {
    fn at(&self) -> &At;

    fn names(&self) -> &[String];

    /// Tells each cell with the place of its column; columns that a row lacks are absent there.
    fn each(&self, tell: &mut dyn FnMut(usize, Written<'_>)) -> Result<(), PortError>;
}

/// A table of texts.
pub(super) struct Cells<R> {
    rows: R,
    columns: Vec<DataColumn>,
    count: u64,
}

impl<R: Rows> Cells<R> {
    /// Reads all of it to know its kinds; those that are declared hold whatever its values look like.
    pub(super) fn of(rows: R, declared: &Declared) -> Result<Self, PortError> {
        let mut kinds = vec![Holds::Nothing; rows.names().len()];
        let mut counts = vec![0_u64; kinds.len()];
        rows.each(&mut |at, cell| {
            counts[at] += 1;
            if kinds[at] != Holds::Categories {
                kinds[at] = seen(kinds[at], cell);
            }
        })?;
        let columns = rows.names().iter().zip(kinds);
        let columns = columns
            .map(|(name, kind)| DataColumn { name: name.clone(), holds: declared.of(name).unwrap_or(kind) })
            .collect();
        Ok(Self { rows, columns, count: counts.into_iter().max().unwrap_or(0) })
    }
}

impl<R: Rows> Dataset for Cells<R> {
    fn location(&self) -> String {
        self.rows.at().0.clone()
    }

    fn columns(&self) -> &[DataColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.count
    }

    fn is_by_row(&self) -> bool {
        true
    }

    fn scan(&self, names: &[&str], see: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError> {
        let mut wanted: Vec<Option<(usize, Holds)>> = vec![None; self.columns.len()];
        for (asked, name) in names.iter().enumerate() {
            let at = self.columns.iter().position(|column| column.name == **name);
            let at = at.ok_or_else(|| self.rows.at().no_column(name))?;
            wanted[at] = Some((asked, self.columns[at].holds));
        }
        self.rows.each(&mut |at, cell| {
            if let Some((asked, holds)) = wanted[at] {
                read(cell, holds, &mut |cell| see(asked, cell));
            }
        })
    }
}

/// What a column holds after one more cell.
fn seen(before: Holds, cell: Written<'_>) -> Holds {
    let is_number = match cell {
        Written::Absent => return before,
        Written::Number(_) => true,
        Written::Text(text) if is_absent(text) => return before,
        Written::Text(text) => number(text).is_some(),
        Written::Word(_) => false,
    };
    if is_number { Holds::Numbers } else { Holds::Categories }
}

/// A cell as its column's kind has it.
fn read(cell: Written<'_>, holds: Holds, tell: &mut dyn FnMut(Cell<'_>)) {
    match (cell, holds) {
        (Written::Absent, _) | (Written::Word(_), Holds::Numbers) => tell(Cell::Absent),
        (Written::Number(value), Holds::Numbers | Holds::Nothing) => tell(Cell::Number(value)),
        (Written::Number(value), _) => tell(Cell::Text(&value.to_string())),
        (Written::Text(text), _) if is_absent(text) => tell(Cell::Absent),
        (Written::Text(text), Holds::Numbers) => tell(number(text).map_or(Cell::Absent, Cell::Number)),
        (Written::Text(text) | Written::Word(text), _) => tell(Cell::Text(truth(text.trim()))),
    }
}

/// The one name of a truth: pandas and R write their own into tables of texts, and none of them is another value.
pub fn truth(text: &str) -> &str {
    match text {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        other => other,
    }
}

/// Whether a text says that there is no value, as programs that write tables do.
#[must_use]
pub fn is_absent(text: &str) -> bool {
    ABSENT.contains(&text.trim())
}

pub(super) fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

//! Columns as sides of a comparison, in bounded memory.

use std::collections::HashMap;

use tagship_ports::{Cell, Dataset, Holds, PortError, Problem};
use tagship_stats::drift::Gathered;

use super::rows::Rows;
use crate::drift::{Column, Measured, Settings, Side, Values, measure, unreadable};

/// Most different texts of a column, and most bytes of them: what has more is a name of something and no category.
const MOST_CATEGORIES: usize = 1 << 17;
const MOST_BYTES: usize = 32 << 20;

/// Reads columns of some rows, all in one go.
///
/// # Errors
/// Where one of the columns cannot be read or holds what cannot be compared.
pub fn sides(table: &dyn Dataset, names: &[&str], rows: &Rows) -> Result<Vec<Side>, PortError> {
    let mut gathering = vec![];
    for name in names {
        gathering.push(Gathering::of(table, name)?);
    }
    table.scan(names, &mut |place, cell| gathering[place].see(cell, rows))?;
    let each = names.iter().zip(gathering);
    each.map(|(name, gathering)| {
        gathering.side().map_err(|what| {
            let error = refused(table, name, what);
            error.hint("leave it out, e.g. by naming the columns to compare")
        })
    })
    .collect()
}

/// Measures columns of both tables, the reference first, read in one go where all of them can be, else each by itself. One that
/// cannot be read or compared is a finding of its own.
///
/// # Errors
/// Where a table is not to be had for now, which says nothing of a column.
pub fn measured(
    tables: [&dyn Dataset; 2],
    names: &[&str],
    rows: [&Rows; 2],
    settings: &Settings,
) -> Result<Vec<Measured>, PortError> {
    match (columns(tables, names, rows), names) {
        (Ok(columns), _) => Ok(columns.iter().map(|column| measure(column, settings)).collect()),
        (Err(error), _) if !matches!(error.problem, Problem::Invalid | Problem::Unsupported) => Err(error),
        (Err(error), [name]) => Ok(vec![unreadable(name, &error.to_string())]),
        (Err(_), _) => {
            let each = names.iter().map(|name| measured(tables, &[name], rows, settings));
            Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        }
    }
}

/// Columns of both tables; a side that does not have one is absent.
fn columns(tables: [&dyn Dataset; 2], names: &[&str], rows: [&Rows; 2]) -> Result<Vec<Column>, PortError> {
    let read = |place: usize| {
        let has = |name: &&str| tables[place].columns().iter().any(|column| column.name == **name);
        let there: Vec<&str> = names.iter().copied().filter(has).collect();
        let mut sides = sides(tables[place], &there, rows[place])?.into_iter();
        Ok(names.iter().map(|name| if has(name) { sides.next() } else { None }).collect::<Vec<_>>())
    };
    let (reference, current) = (read(0)?, read(1)?);
    let both = reference.into_iter().zip(current).zip(names);
    Ok(both.map(|((reference, current), name)| Column::of(name, reference, current)).collect())
}

fn refused(table: &dyn Dataset, name: &str, what: &str) -> PortError {
    let action = format!("read {}", table.location());
    PortError::new(Problem::Unsupported, action, format!("the column {name:?} holds {what}"))
}

/// What has been read of a column.
struct Gathering {
    row: u64,
    rows: u64,
    missing: u64,
    infinite: u64,
    values: Found,
}

enum Found {
    Numbers(Gathered),
    Categories { counts: HashMap<Box<str>, u64>, bytes: usize },
    TooMany,
}

impl Gathering {
    fn of(table: &dyn Dataset, name: &str) -> Result<Self, PortError> {
        let holds = table.columns().iter().find(|column| column.name == name).map(|column| column.holds);
        let values = match holds {
            Some(Holds::Numbers) => Found::Numbers(Gathered::default()),
            Some(Holds::Times) => {
                return Err(refused(table, name, "points in time").hint("compare what follows from them"));
            }
            _ => Found::Categories { counts: HashMap::new(), bytes: 0 },
        };
        Ok(Self { row: 0, rows: 0, missing: 0, infinite: 0, values })
    }

    fn see(&mut self, cell: Cell<'_>, rows: &Rows) {
        self.row += 1;
        if !rows.holds(self.row - 1) {
            return;
        }
        self.rows += 1;
        match (&mut self.values, cell) {
            (Found::Numbers(gathered), Cell::Number(number)) => {
                self.missing += u64::from(number.is_nan());
                self.infinite += u64::from(number.is_infinite());
                gathered.push(number);
            }
            (Found::Categories { counts, bytes }, Cell::Text(text)) => match counts.get_mut(text) {
                Some(count) => *count += 1,
                None => {
                    *bytes += text.len();
                    counts.insert(text.into(), 1);
                    if counts.len() > MOST_CATEGORIES || *bytes > MOST_BYTES {
                        self.values = Found::TooMany;
                    }
                }
            },
            (Found::TooMany, _) => {}
            _ => self.missing += 1,
        }
    }

    fn side(self) -> Result<Side, &'static str> {
        let values = match self.values {
            Found::Numbers(gathered) => Values::Numbers(gathered.sample()),
            Found::Categories { counts, .. } => {
                Values::Categories(counts.into_iter().map(|(name, count)| (name.into(), count)).collect())
            }
            Found::TooMany => return Err("more different texts than categories can be"),
        };
        Ok(Side { rows: self.rows, missing: self.missing, infinite: self.infinite, values })
    }
}

//! Drift: rows out of their tables, compared with those of the reference, to a document.

mod asked;
mod columns;
mod typed;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tagship_adapters::{datasets, places::Variables};
use tagship_config::DriftSettings;
use tagship_domain::{
    Timestamp,
    drift::{DriftReport, SliceDrift},
};
use tagship_monitor::{
    data::{Rows, Until, Window, matching, values},
    drift::{Slice, conclude, conclude_slices},
};
use tagship_ports::{Dataset, PortError, Problem};
use tagship_runner::{Context, Failure};

use self::asked::Asked;
pub(crate) use self::typed::typed;
use crate::failure::failed;

/// What a job's environment tells of buckets.
const VARIABLES: Variables<'_> = Variables { secret: &Context::secret, plain: &Context::inherited };

/// Compares what the settings name; windows end at `until`.
///
/// # Errors
/// For a table that cannot be opened, a column that neither has, and what is no test or window.
pub(crate) fn judge(settings: &DriftSettings, until: Timestamp) -> Result<DriftReport, Failure> {
    let asked = Asked::of(settings, until)?;
    let reference = datasets::open(&asked.reference, &VARIABLES, &asked.declared).map_err(failed)?;
    let current = datasets::open(&asked.current, &VARIABLES, &asked.declared).map_err(failed)?;
    let tables = [reference.as_ref(), current.as_ref()];
    let is_one = is_one_table(&asked.reference, &asked.current);
    let rows = rows(&asked, tables, is_one)?;
    let names = names(&asked, tables)?;
    let chosen: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = [&rows[0], &rows[1]];
    let measured = columns::measured(tables, &chosen, rows, &asked.settings).map_err(failed)?;
    let mut report = conclude(measured, &asked.settings);
    report.slices = slices(&asked, tables, &chosen, rows).map_err(failed)?;
    Ok(report)
}

/// The settings with paths that begin at the top of the repository made into those of files.
pub(crate) fn rooted(mut settings: DriftSettings, root: &Path) -> DriftSettings {
    for path in [&mut settings.reference, &mut settings.current] {
        if !path.contains("://") {
            *path = root.join(&*path).to_string_lossy().into_owned();
        }
    }
    settings
}

/// Whether two places are the same file or folder, however they are spelt.
fn is_one_table(reference: &str, current: &str) -> bool {
    let real = |place: &str| fs::canonicalize(place).unwrap_or_else(|_| PathBuf::from(place));
    let names = |place: &str| -> Vec<String> {
        place.split('/').filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect()
    };
    real(reference) == real(current)
        || (reference.contains("://") && current.contains("://") && names(reference) == names(current))
}

/// The rows of both tables. The reference's window ends where the current one begins, so that one log can be both, and never
/// shares a row with it; where the tables are two, the last rows of the reference are its last.
fn rows(asked: &Asked, [reference, current]: [&dyn Dataset; 2], is_one: bool) -> Result<[Rows; 2], Failure> {
    let time = asked.time.as_deref();
    let select = |window: Option<Window>, table: &dyn Dataset, until: Until| match window {
        Some(window) => window.select(table, time, until).map_err(failed),
        None => Ok(Rows::All),
    };
    let end = Until { time: asked.until, rows: 0 };
    let rows = select(asked.window, current, end)?;
    let begin = asked.window.map_or(end, |window| end.begin_of(window));
    let past = match (asked.window, asked.reference_window) {
        (_, past) if !is_one => select(past, reference, Until { rows: 0, ..begin })?,
        (None, _) => {
            return Err(Failure::usage("the reference and what is compared with it are one table")
                .hint("say which rows are current, e.g. --window 7d; the reference is what was before"));
        }
        (Some(window), Some(past)) if !window.is_like(past) => {
            return Err(Failure::usage(format!("the windows {window} and {past} of one table may overlap"))
                .hint("write both as lengths of time, or both as numbers of rows"));
        }
        (Some(_), Some(past)) => select(Some(past), reference, begin)?,
        (Some(window), None) => window.before(reference, time, end).map_err(failed)?,
    };
    Ok([past, rows])
}

/// Every slice that was asked for: a column by all values of the current rows and of the reference, or one value of it.
fn slices(
    asked: &Asked,
    tables: [&dyn Dataset; 2],
    names: &[&str],
    rows: [&Rows; 2],
) -> Result<Vec<SliceDrift>, PortError> {
    let mut slices = vec![];
    for (column, value) in &asked.slices {
        let found = match value {
            Some(value) => {
                let is_there = values(tables[0], column, rows[0])?
                    .into_iter()
                    .chain(values(tables[1], column, rows[1])?)
                    .any(|(there, _)| there == *value);
                if !is_there {
                    let action = format!("choose rows by {column}");
                    let message = format!("neither table has a row with {value:?} in the column {column:?}");
                    return Err(PortError::new(Problem::Invalid, action, message));
                }
                vec![value.clone()]
            }
            None => {
                let mut found: Vec<String> =
                    values(tables[1], column, rows[1])?.into_iter().map(|(value, _)| value).collect();
                for (value, _) in values(tables[0], column, rows[0])? {
                    if !found.contains(&value) {
                        found.push(value);
                    }
                }
                found
            }
        };
        let others: Vec<&str> = names.iter().copied().filter(|name| name != column).collect();
        for value in found {
            let reference = matching(tables[0], column, &value, rows[0])?;
            let current = matching(tables[1], column, &value, rows[1])?;
            let measured = columns::measured(tables, &others, [&reference, &current], &asked.settings)?;
            slices.push(Slice { column: column.clone(), value, measured });
        }
    }
    Ok(conclude_slices(slices, &asked.settings))
}

/// The columns to compare: those that were named, which one of the tables must have, or all of both but that of times, the
/// reference's first.
fn names(asked: &Asked, tables: [&dyn Dataset; 2]) -> Result<Vec<String>, Failure> {
    let mut all: Vec<String> = vec![];
    for column in tables.iter().flat_map(|table| table.columns()) {
        if !all.contains(&column.name) {
            all.push(column.name.clone());
        }
    }
    let critical = &asked.settings.critical;
    let sliced = asked.slices.iter().map(|(column, _)| column);
    let named = asked.columns.iter().chain(critical).chain(sliced);
    if let Some(unknown) = named.into_iter().find(|name| !all.contains(name)) {
        let there = all.iter().take(20).cloned().collect::<Vec<_>>().join(", ");
        return Err(Failure::usage(format!("neither table has a column {unknown:?}"))
            .hint(format!("there is {there}")));
    }
    if asked.columns.is_empty() {
        all.retain(|name| asked.time.as_ref() != Some(name));
    } else {
        all.retain(|name| asked.columns.contains(name) || critical.contains(name));
    }
    Ok(all)
}

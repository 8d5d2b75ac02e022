//! Columns measured on all processors, in bounded memory.

use std::{
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tagship_monitor::{
    data::{self, Rows},
    drift::{Measured, Settings},
};
use tagship_ports::{Dataset, PortError};

/// Most columns that are measured at once: each holds up to some million numbers of both sides.
const WORKERS: usize = 2;
/// Numbers of a side that one worker holds where columns are read together.
const HELD: u64 = 4 << 20;

/// Measures columns of both tables; the answers are in the order of the names.
///
/// # Errors
/// Where a table is not to be had for now.
pub(super) fn measured(
    tables: [&dyn Dataset; 2],
    names: &[&str],
    rows: [&Rows; 2],
    settings: &Settings,
) -> Result<Vec<Measured>, PortError> {
    let groups: Vec<&[&str]> = names.chunks(together(tables, rows)).collect();
    let workers = thread::available_parallelism().map_or(1, NonZero::get).min(WORKERS).min(groups.len());
    let next = AtomicUsize::new(0);
    let found = Mutex::new(vec![]);
    let work = || {
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(group) = groups.get(place) else { return };
            let measured = data::measured(tables, group, rows, settings);
            found.lock().unwrap_or_else(PoisonError::into_inner).push((place, measured));
        }
    };
    thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(place, _)| *place);
    let found: Result<Vec<_>, _> = found.into_iter().map(|(_, measured)| measured).collect();
    Ok(found?.into_iter().flatten().collect())
}

/// How many columns are read in one go: one where a column lies by itself, else as many as fit, for each go reads all of
/// the table.
fn together(tables: [&dyn Dataset; 2], rows: [&Rows; 2]) -> usize {
    if !tables.iter().any(|table| table.is_by_row()) {
        return 1;
    }
    let most = tables.iter().zip(rows).map(|(table, rows)| rows.count(table.rows())).max().unwrap_or(0);
    usize::try_from(HELD / most.max(1)).unwrap_or(usize::MAX).clamp(1, 64)
}

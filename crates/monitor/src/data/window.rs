//! Windows of rows: by a span of time, or the last so many.

use std::{fmt, str::FromStr};

use tagship_domain::{Duration, Timestamp};
use tagship_ports::{Cell, Dataset, PortError, Problem};

use super::rows::{Bits, Rows};

/// Seconds since 1970 above this are milliseconds: the year 5138.
const SECONDS: f64 = 1e11;

/// Which rows of a table are recent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Those of this span before an end.
    Span(Duration),
    /// The last so many.
    Last(u64),
}

/// A text that is no window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadWindow(String);

impl FromStr for Window {
    type Err = BadWindow;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadWindow(text.to_owned());
        let rows = text.strip_suffix("rows").map(str::trim);
        match rows {
            Some(count) => count.parse().ok().filter(|count| *count > 0).map(Self::Last).ok_or_else(bad),
            None => text.parse().map(Self::Span).map_err(|_no_duration| bad()),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Span(span) => write!(f, "{span}"),
            Self::Last(rows) => write!(f, "{rows}rows"),
        }
    }
}

impl fmt::Display for BadWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is no window; write a length of time like 7d, or a number of rows like 10000rows",
            self.0
        )
    }
}

impl std::error::Error for BadWindow {}

/// Where a window ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// This time, itself outside.
    pub time: Timestamp,
    /// So many rows before the last one.
    pub rows: u64,
}

impl Until {
    /// Where the window begins that ends here: there another one can end.
    #[must_use]
    pub fn begin_of(self, window: Window) -> Self {
        match window {
            Window::Span(span) => Self { time: self.time.before(span), ..self },
            Window::Last(rows) => Self { rows: self.rows + rows, ..self },
        }
    }
}

impl Window {
    /// The rows of a table before this window, which ends at `until`: those that one log has of the past.
    ///
    /// # Errors
    /// As [`Window::select`].
    pub fn before(self, table: &dyn Dataset, time: Option<&str>, until: Until) -> Result<Rows, PortError> {
        match (self, time) {
            (Self::Span(span), Some(time)) => {
                between(table, time, Timestamp::EARLIEST, until.time.before(span))
            }
            (Self::Span(_), None) => self.select(table, time, until),
            (Self::Last(count), _) => {
                let end = table.rows().saturating_sub(until.rows.saturating_add(count));
                Ok(Rows::range(table.rows(), 0..end))
            }
        }
    }

    /// Whether both are lengths of time, or both numbers of rows, so that one can end where the other begins.
    #[must_use]
    pub fn is_like(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// The rows of a table in this window, which ends at `until`. A window of time needs the column of
    /// times: points in time, RFC 3339, or seconds or milliseconds since 1970. A row without a time is in no window.
    ///
    /// # Errors
    /// Where the column of times is not named, not there, or holds something else.
    pub fn select(self, table: &dyn Dataset, time: Option<&str>, until: Until) -> Result<Rows, PortError> {
        match (self, time) {
            (Self::Span(span), Some(time)) => between(table, time, until.time.before(span), until.time),
            (Self::Span(_), None) => {
                let action = format!("choose rows of {}", table.location());
                let error =
                    PortError::new(Problem::Invalid, action, "a window of time needs a column of times");
                Err(error.hint("name it, or write the window as a number of rows, e.g. 10000rows"))
            }
            (Self::Last(count), _) => {
                let end = table.rows().saturating_sub(until.rows);
                let first = end.saturating_sub(count);
                Ok(Rows::range(table.rows(), first..end))
            }
        }
    }
}

fn between(table: &dyn Dataset, column: &str, from: Timestamp, until: Timestamp) -> Result<Rows, PortError> {
    let mut bits = Bits::default();
    let mut wrong = None;
    table.scan(&[column], &mut |_, cell| {
        let at = time(cell).unwrap_or_else(|text| {
            wrong.get_or_insert(text);
            None
        });
        bits.push(at.is_some_and(|at| from <= at && at < until));
    })?;
    match wrong {
        None => Ok(Rows::Some(bits)),
        Some(text) => {
            let action = format!("choose rows of {}", table.location());
            let message = format!("{text} in the column {column:?} is no point in time");
            let error = PortError::new(Problem::Invalid, action, message);
            Err(error.hint("write it like 2026-11-24T03:44:33Z, or as seconds since 1970"))
        }
    }
}

/// The time that a cell says, or what it says instead.
#[expect(clippy::cast_possible_truncation, reason = "checked by the type of times")]
fn time(cell: Cell<'_>) -> Result<Option<Timestamp>, String> {
    match cell {
        Cell::Absent => Ok(None),
        Cell::Time(at) => Ok(Some(at)),
        Cell::Number(number) if number.is_nan() => Ok(None),
        Cell::Number(number) => {
            let millis = if number.abs() > SECONDS { number } else { number * 1e3 };
            Timestamp::from_millis(millis as i64).map(Some).map_err(|_outside| number.to_string())
        }
        Cell::Text(text) => text.parse().map(Some).map_err(|_no_time| format!("{text:?}")),
    }
}

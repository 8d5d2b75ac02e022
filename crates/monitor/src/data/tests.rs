//! Windows and slices of a small table.

use tagship_domain::{Duration, Timestamp};
use tagship_ports::{Cell, DataColumn, Dataset, Holds, PortError, Problem};

use super::*;
use crate::drift::Values;

/// A table in memory.
struct Table {
    columns: Vec<DataColumn>,
    cells: Vec<Vec<Value>>,
}

impl Table {
    fn of(columns: Vec<(&str, Holds, Vec<Value>)>) -> Self {
        let (mut described, mut cells) = (vec![], vec![]);
        for (name, holds, values) in columns {
            described.push(DataColumn { name: name.to_owned(), holds });
            cells.push(values);
        }
        Self { columns: described, cells }
    }
}

impl Dataset for Table {
    fn location(&self) -> String {
        "memory".to_owned()
    }

    fn columns(&self) -> &[DataColumn] {
        &self.columns
    }

    fn rows(&self) -> u64 {
        self.cells.first().map_or(0, |cells| cells.len() as u64)
    }

    fn is_by_row(&self) -> bool {
        false
    }

    fn scan(&self, names: &[&str], see: &mut dyn FnMut(usize, Cell<'_>)) -> Result<(), PortError> {
        for (place, name) in names.iter().enumerate() {
            let at = self.columns.iter().position(|column| column.name == **name);
            let at =
                at.ok_or_else(|| PortError::new(Problem::NotFound, "read memory", format!("no {name}")))?;
            for value in &self.cells[at] {
                see(
                    place,
                    match value {
                        Value::Absent => Cell::Absent,
                        Value::Number(number) => Cell::Number(*number),
                        Value::Text(text) => Cell::Text(text),
                        Value::Time(time) => Cell::Time(*time),
                    },
                );
            }
        }
        Ok(())
    }
}

fn day(day: i64) -> Value {
    Value::Time(Timestamp::from_seconds(day * 86_400).unwrap())
}

fn until(day: i64) -> Until {
    Until { time: Timestamp::from_seconds(day * 86_400).unwrap(), rows: 0 }
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Five days, a row a day, the last one without a time.
fn log() -> Table {
    let days = vec![day(1), day(2), day(3), day(4), Value::Absent];
    let ids = ["a", "b", "b", "c", "d"].map(text).to_vec();
    let scores = [0.1, 0.2, 0.3, 0.4, 0.5].map(Value::Number).to_vec();
    let plans = ["pro", "basic", "pro", "pro", "basic"].map(text).to_vec();
    Table::of(vec![
        ("at", Holds::Times, days),
        ("id", Holds::Categories, ids),
        ("score", Holds::Numbers, scores),
        ("plan", Holds::Categories, plans),
    ])
}

fn scores(table: &Table, rows: &Rows) -> Vec<f64> {
    let side = sides(table, &["score"], rows).unwrap().remove(0);
    let Values::Numbers(sample) = side.values else { panic!() };
    sample.values().to_vec()
}

#[test]
fn a_window_is_a_span_of_time_or_the_last_rows() {
    let table = log();
    let select = |window: &str, until| {
        let rows = window.parse::<Window>().unwrap().select(&table, Some("at"), until).unwrap();
        scores(&table, &rows)
    };
    assert_eq!(select("2d", until(4)), [0.2, 0.3], "the end is outside, and so is a row without a time");
    assert_eq!(select("2d", until(4).begin_of(Window::Span(Duration::from_secs(2 * 86_400)))), [0.1]);
    assert_eq!(select("2rows", until(4)), [0.4, 0.5]);
    assert_eq!(select("2 rows", until(4).begin_of(Window::Last(2))), [0.2, 0.3]);
    assert_eq!(select("99rows", until(4)).len(), 5);
    for bad in ["rows", "0rows", "week", "-1rows"] {
        assert!(bad.parse::<Window>().is_err(), "{bad}");
    }
}

#[test]
fn a_window_without_times_says_what_is_missing() {
    let (table, window) = (log(), "2d".parse::<Window>().unwrap());
    let unnamed = window.select(&table, None, until(4)).unwrap_err().to_string();
    assert!(unnamed.contains("needs a column of times"), "{unnamed}");
    let other = window.select(&table, Some("plan"), until(4)).unwrap_err().to_string();
    assert!(other.contains("\"pro\" in the column \"plan\" is no point in time"), "{other}");
}

#[test]
fn slices_are_rows_by_a_value() {
    let table = log();
    let rows = matching(&table, "plan", "pro", &Rows::All).unwrap();
    assert_eq!((scores(&table, &rows), rows.count(5)), (vec![0.1, 0.3, 0.4], 3));
    let late = matching(&table, "plan", "pro", &Rows::range(5, 1..5)).unwrap();
    assert_eq!(scores(&table, &late), [0.3, 0.4]);
    assert_eq!(scores(&table, &matching(&table, "score", "0.2", &Rows::All).unwrap()), [0.2]);
    assert_eq!(values(&table, "plan", &Rows::All).unwrap(), [("pro".to_owned(), 3), ("basic".to_owned(), 2)]);
}

#[test]
fn a_column_of_names_is_no_category() {
    let many = (0..200_000).map(|at| text(&format!("customer-{at}"))).collect();
    let table = Table::of(vec![("customer", Holds::Categories, many)]);
    let error = sides(&table, &["customer"], &Rows::All).unwrap_err().to_string();
    assert!(error.contains("more different texts than categories can be"), "{error}");
    let error = sides(&log(), &["at"], &Rows::All).unwrap_err().to_string();
    assert!(error.contains("holds points in time"), "{error}");
}
